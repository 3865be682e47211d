/** One live object for each key, after Guava's `Interners.newWeakInterner`. */
import { aFunction, checkArgument } from '../core/options.js';
import { WeakValueMap } from './weak-value-map.js';

/**
 * Makes a function that gives, for each object, the first live object with an equal key. Equal values then are one object:
 * they are stored once, and compared with `===`. V8 may collect an object that no other code holds; the next one with its key
 * takes its place.
 *
 * `key` gives what makes two objects equal: a string, a number, or anything that a Map compares. It must not reach the object.
 * The result is O(1) besides `key`, and throws what `key` throws.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `key` is no function, and by a call of the result for a
 * value that cannot be referred to weakly.
 *
 * @example
 * ```ts
 * import { interner } from 'tenure/weak';
 *
 * const point = interner(({ x, y }: { x: number; y: number }) => `${x},${y}`);
 * const a = point({ x: 1, y: 2 });
 * point({ x: 1, y: 2 }) === a; // => true
 * point({ x: 2, y: 1 }) === a; // => false
 * ```
 */
export function interner<T extends WeakKey, K>(key: (value: T) => K): (value: T) => T {
  checkArgument('interner', 'key', key, aFunction);
  const known = new WeakValueMap<K, T>();
  return (value) => known.getOrInsert(key(value), value);
}
