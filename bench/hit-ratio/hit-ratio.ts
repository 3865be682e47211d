/** What part of the requests a cache answers: the memoizer itself is asked, not a model of its policy. */
import { type EvictionPolicy, memoize } from '../../src/memoize/index.js';

/** The part of all requests that were hits, from 0 to 1. */
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
