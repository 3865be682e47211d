/** The value for the option `policy`. */
import type { EvictionPolicy } from '../eviction-policy.js';
import { S3FifoStore } from './s3-fifo-store.js';

/**
 * The eviction policy S3-FIFO, for the option `policy`. It evicts entries that were hardly used since they were stored, and keeps
 * entries that are used repeatedly. On most workloads it has more hits than the default, least recently used. A scan over many
 * keys does not displace the entries in use.
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
