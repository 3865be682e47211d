/**
 * Methods of a prototype that are replaced, and put back later. Prototypes are patched in place, so that `require` and `import`
 * see the same class, `instanceof` keeps its answer, and pools that exist already are watched, too.
 */
/// <reference lib="esnext.disposable" preserve="true" />

/** Marks a method that a copy of this package has put in place. */
const PATCHED: unique symbol = Symbol.for('tenure.patched') as never;

/** A method of a foreign class. */
export type Method = (this: object, ...args: unknown[]) => unknown;

/** An object whose methods are replaced. */
export type Prototype = Record<string, unknown>;

/** Whether another copy of this package has patched one of these methods already. */
export function isPatched(prototype: Prototype, names: readonly string[]): boolean {
  return names.some((name) => PATCHED in Object(prototype[name]));
}

/** Gives a function that replaces methods of the class of an object, once. O(1). */
export function classPatch(
  methods: PatchedMethods,
  names: readonly string[],
  replacementOf: (original: Method) => Method,
): (instance: unknown) => void {
  const known = new WeakSet<object>();
  return (instance) => {
    const own = Object.getPrototypeOf(instance) as Prototype | null;
    if (own === null || known.has(own)) return;
    known.add(own);
    for (const name of names) {
      const prototype = prototypeWith(own, name);
      if (prototype === null || isPatched(prototype, [name])) continue;
      methods.replace(prototype, name, replacementOf);
    }
  };
}

/** The prototype that has a method, beginning with `own`. */
function prototypeWith(own: Prototype, name: string): Prototype | null {
  let prototype: Prototype | null = own;
  while (prototype !== null && !Object.hasOwn(prototype, name)) {
    prototype = Object.getPrototypeOf(prototype) as Prototype | null;
  }
  return typeof prototype?.[name] === 'function' ? prototype : null;
}

/** The methods that one owner has replaced. */
export class PatchedMethods implements Disposable {
  readonly #undo: (() => void)[] = [];

  /**
   * Replaces a method. The replacement gets the name and the length of the original, since wrappers of other tools look at
   * them.
   */
  replace(prototype: Prototype, name: string, replacementOf: (original: Method) => Method): void {
    const original = prototype[name] as Method;
    const replacement = replacementOf(original);
    Object.defineProperties(replacement, {
      name: { value: original.name, configurable: true },
      length: { value: original.length, configurable: true },
      [PATCHED]: { value: true },
    });
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
    Object.defineProperty(prototype, name, { ...descriptor, value: replacement });
    this.#undo.push(() => {
      // Another tool may have wrapped the replacement meanwhile. Then it stays, and calls the original.
      if (prototype[name] !== replacement) return;
      Object.defineProperty(prototype, name, { ...descriptor, value: original });
    });
  }

  /** Puts the originals back. */
  [Symbol.dispose](): void {
    for (const undo of this.#undo.splice(0)) undo();
  }
}
