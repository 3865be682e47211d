/**
 * The names of classes whose instances are passed to other functions of the package. A program may have two copies of the package: two versions,
 * or a bundle beside the modules. To one copy, an instance of the other is of no known class. The name says in an error what it is.
 */

/** The key is registered with `Symbol.for`: the copies of the package share it. */
const NAME: unique symbol = Symbol.for('tenure.class') as never;

/** Stands for this copy of the package. */
const COPY = {};

/** What a class of this package says of itself. */
interface ClassName {
  readonly name: string;
  readonly copy: object;
}

/** Names the class of a prototype, with its article. */
export function nameClass(prototype: object, name: string): void {
  Object.defineProperty(prototype, NAME, { value: { name, copy: COPY } satisfies ClassName });
}

/** Gives the name of an object's class, and says if it is of another copy of the package; `undefined` for a class without a name. */
export function classNameOf(value: object): string | undefined {
  const named = (value as { readonly [NAME]?: ClassName })[NAME];
  if (named === undefined) return undefined;
  return named.copy === COPY
    ? named.name
    : `${named.name} of another copy of tenure: use one copy, and look for a second with \`npm ls tenure\``;
}
