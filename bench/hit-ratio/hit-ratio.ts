/** Measures hit ratios on the memoizer itself, not on a model of its policy. */
import { type EvictionPolicy, memoize } from '../../src/memoize/index.js';

/** Returns the hits as a part of all requests, from 0 to 1. */
export function hitRatio(
  keys: Iterable<unknown>,
  max: number,
  policy?: EvictionPolicy,
): { readonly ratio: number; readonly requests: number } {
  const cached = memoize((_key: unknown) => true, { max, ...(policy && { policy }) });
  let requests = 0;
  for (const key of keys) {
    cached(key);
    requests++;
  }
  return { ratio: requests === 0 ? 0 : cached.cacheInfo().hits / requests, requests };
}
