/** The text that `console.log` and `util.inspect` of Node print for an object. Other hosts ignore it. */

/** The key under which Node looks for a method that prints the object. */
const CUSTOM = Symbol.for('nodejs.util.inspect.custom');

/** Prints a value as Node would. */
export type Show = (value: unknown) => string;

type Inspect = (value: unknown, options: object) => string;

/** Makes Node print the objects of `prototype` as `print` says. `print` may use `show` for the values within. */
export function printAs<T>(prototype: T, print: (self: T, show: Show) => string): void {
  Object.defineProperty(prototype, CUSTOM, {
    value(this: T, _depth: number, options: object, inspect: Inspect): string {
      return print(this, (value) => inspect(value, options));
    },
    configurable: true,
    writable: true,
  });
}
