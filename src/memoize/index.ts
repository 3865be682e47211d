/**
 * A cache for functions: each result is loaded once for many callers, bounded and timed, and never served after an
 * invalidation.
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 *
 * let calls = 0;
 * const area = memoize((width: number, height: number) => {
 *   calls++;
 *   return width * height;
 * });
 * area(3, 4); // => 12
 * area(3, 4); // => 12
 * calls; // => 1
 * area.cacheInfo().hits; // => 1
 * ```
 *
 * @module
 */
export type { Clock, TimerHandle } from '../core/clock.js';
export { systemClock } from '../core/clock.js';
export {
  AlreadyWatchedError,
  InvalidArgumentError,
  TenureError,
  type TenureErrorOptions,
} from '../core/errors.js';
export {
  type ComponentStats,
  type EntryPoint,
  type LoanCounts,
  type NodeId,
  type NodeKind,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../core/probe.js';
export type { SharedLease } from '../scope/shared-lease.js';
export type { AnyFn, Settled } from './any-fn.js';
export type {
  CacheEventMap,
  CallEvent,
  EvictEvent,
  LoadErrorEvent,
  LoadEvent,
} from './cache-events.js';
export type { CacheInfo } from './cache-info.js';
export type { CallOptions } from './call-options.js';
export { type Cache, type CacheOptions, createCache, type KeyLoader } from './create-cache.js';
export type { Disposal, DisposeCallback } from './disposal-port.js';
export type { EntryOptions } from './entry-options.js';
export type { EvictionPolicy } from './eviction-policy.js';
export type { LoadContext } from './load-context.js';
export { LoadTimeoutError } from './loading/load-timeout-error.js';
export { memoize } from './memoize.js';

export type { LoadTimeouts, MemoizeOptions } from './memoize-options.js';
export type { AsReturned, CacheListener, Memoized } from './memoized.js';

export {
  cacheOf,
  type MemberFunction,
  type MemoizedDecorator,
  memoized,
} from './memoized-decorator.js';
export type { SharedCache, SharedState } from './shared-port.js';
export type { RemovalCause } from './stores/store.js';
