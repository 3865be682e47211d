/** The value for the option `policy`. */
import type { EvictionPolicy } from '../eviction-policy.js';
import { AdaptiveStore } from './adaptive-store.js';

/**
 * The adaptive eviction policy, for the option `policy`. It follows LRU or S3-FIFO: the one that has had fewer misses recently on
 * the calls of this cache. Each call is shown to both policies, which costs several times what one of them costs: use it where a load is
 * slow and the workload is not known.
 *
 * Source: "Adaptive Caches: Effective Shaping of Cache Behavior to Workloads" (Subramanian, Smaragdakis, Loh; MICRO 2006).
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 * import { adaptive } from 'tenure/memoize/adaptive';
 *
 * const square = memoize((n: number) => n * n, { max: 1_000, policy: adaptive() });
 * square(3); // => 9
 * ```
 */
export function adaptive(): EvictionPolicy {
  return { makeStore: (max, onRemoved) => new AdaptiveStore(max, onRemoved) };
}
