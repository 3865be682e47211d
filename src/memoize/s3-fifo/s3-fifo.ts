/** The value for the option `policy`. */
import type { EvictionPolicy } from '../eviction-policy.js';
import { S3FifoStore } from './s3-fifo-store.js';

/**
 * The eviction policy S3-FIFO: an entry that was asked for least since it came makes room. It has more hits than least recently
 * used on most workloads, and a scan over many keys displaces nothing.
 *
 * Source: "FIFO queues are all you need for cache eviction" (SOSP 2023).
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 * import { s3fifo } from 'tenure/memoize/s3-fifo';
 *
 * const square = memoize((n: number) => n * n, { max: 1_000, policy: s3fifo() });
 * square(3); // => 9
 * ```
 */
export function s3fifo(): EvictionPolicy {
  return { makeStore: (max, onRemoved) => new S3FifoStore(max, onRemoved) };
}
