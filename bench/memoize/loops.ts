/** How the calls of a memoized function are repeated. */
import type { Contender } from '../compare.js';

/** A loop of its own for each contender: a shared one would see every kind of call and optimise none. */
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
 * The same, with keys of its own. Who is made first with common keys would find them and what is stored under them side by
 * side in memory, and take a third less time than the same code made later.
 */
export function hits<K>(
  name: string,
  makeKeys: () => readonly K[],
  prepare: (keys: readonly K[]) => (key: K) => unknown,
): Contender {
  const keys = makeKeys();
  return loop(name, keys, prepare(keys));
}

/** The same for two arguments. */
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

/** Every key is new. */
export function counting(name: string, first: number, once: (key: number) => unknown): Contender {
  let next = 0;
  const run = (operations: number): void => {
    for (let i = 0; i < operations; i++) once(next++);
  };
  run(first);
  return { name, run };
}

/** Every result is awaited. */
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
