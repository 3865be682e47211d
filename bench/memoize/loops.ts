/** Loops that repeat the calls of a memoized function. */
import type { Contender } from '../compare.js';

/** A contender with its own loop: V8 would see every kind of call in a shared one, and optimise none. */
export function loop<K>(name: string, keys: readonly K[], once: (key: K) => unknown): Contender {
  const make = new Function(
    'keys',
    'once',
    `return (n) => { let last; for (let i = 0; i < n; i++) last = once(keys[i % ${keys.length}]); return last; }`,
  ) as (keys: readonly K[], once: (key: K) => unknown) => (n: number) => unknown;
  for (const key of keys) once(key);
  return { name, run: make(keys, once) };
}

/**
 * A contender with its own loop and its own keys. If contenders shared keys, the first would find them and their values side
 * by side in memory, and take a third less time than a later one with equal code.
 */
export function hits<K>(
  name: string,
  makeKeys: () => readonly K[],
  prepare: (keys: readonly K[]) => (key: K) => unknown,
): Contender {
  const keys = makeKeys();
  return loop(name, keys, prepare(keys));
}

/** A contender with its own loop that calls with two arguments. */
export function loopPairs<A, B>(
  name: string,
  pairs: readonly (readonly [A, B])[],
  once: (a: A, b: B) => unknown,
): Contender {
  const make = new Function(
    'pairs',
    'once',
    `return (n) => { let last; for (let i = 0; i < n; i++) { const pair = pairs[i % ${pairs.length}]; last = once(pair[0], pair[1]); } return last; }`,
  ) as (p: typeof pairs, once: (a: A, b: B) => unknown) => (n: number) => unknown;
  for (const [a, b] of pairs) once(a, b);
  return { name, run: make(pairs, once) };
}

/** A contender that calls with a new key each time, after `first` calls. */
export function counting(name: string, first: number, once: (key: number) => unknown): Contender {
  let next = 0;
  const run = (operations: number): void => {
    for (let i = 0; i < operations; i++) once(next++);
  };
  run(first);
  return { name, run };
}

/** A contender that awaits every result. */
export function awaiting(
  name: string,
  keys: number,
  once: (key: number) => PromiseLike<unknown>,
): Contender {
  return {
    name,
    async run(operations) {
      for (let i = 0; i < operations; i++) await once(i % keys);
    },
  };
}
