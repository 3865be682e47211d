/**
 * The names of classes whose instances are passed to functions of the package. A program may have two copies of the package: two
 * versions, or a bundle beside the modules. To one copy, an instance of the other is of no known class. Its name says what it is.
 */
import type { OptionCheck } from './options.js';

/** The key is registered with `Symbol.for`: the copies of the package share it. */
const NAME: unique symbol = Symbol.for('tenure.class') as never;

const ADVICE = '(`npm ls tenure` lists the copies)';

/** Names the class of a prototype, with its article. */
export function nameClass(prototype: object, name: string): void {
  Object.defineProperty(prototype, NAME, { value: name });
}

/**
 * Expects an instance of `type`, which is named `name` with its article. The error tells of an instance that another copy has made, and
 * says for any other value what was `expected`.
 */
export function instanceOf(
  type: abstract new (...args: never[]) => unknown,
  name: string,
  expected: string = name,
): OptionCheck {
  nameClass(type.prototype, name);
  return (value) => {
    if (value instanceof type) return undefined;
    return nameOf(value) === name ? `${name} of this copy of tenure ${ADVICE}` : expected;
  };
}

/** Describes an instance that another copy of the package has made; `undefined` for any other value. */
export function ofAnotherCopy(value: unknown): string | undefined {
  const name = nameOf(value);
  return name === undefined ? undefined : `${name} of another copy of tenure ${ADVICE}`;
}

function nameOf(value: unknown): string | undefined {
  return (value as { readonly [NAME]?: string } | null | undefined)?.[NAME];
}
