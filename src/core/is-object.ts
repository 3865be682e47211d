/** Whether a value is an object or a function: what every engine takes as the key of a `WeakMap`. Symbols count as primitives. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}
