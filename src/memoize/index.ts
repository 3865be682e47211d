/**
 * Functions with a memory: computed once, loaded once for many callers, bounded, timed, and never served stale after
 * an invalidation.
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
  type NodeId,
  type NodeKind,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../core/probe.js';
export type { SharedLease } from '../scope/shared-value.js';
export type { AnyFn, Settled } from './any-fn.js';
export type { CacheInfo } from './cache-info.js';
export type { CallOptions } from './call-options.js';
export type { ClusterLease, ClusterLock } from './cluster-lock.js';
export type { DumpedEntry } from './dump.js';
export type { EntryOptions } from './entry-options.js';
export type { BusListener, InvalidationBus } from './invalidation-bus.js';
export type { LoadContext } from './load-context.js';
export { memoize } from './memoize.js';

export type { EvictionPolicy, MemoizeOptions } from './memoize-options.js';
export type { AsReturned, DumpedArgs, Memoized } from './memoized.js';

export {
  cacheOf,
  type MemberFunction,
  type MemoizedDecorator,
  memoized,
} from './memoized-decorator.js';
export { SharedStoreError } from './shared/shared-store-error.js';
export type { SharedStore } from './shared-store.js';
export type { RemovalCause } from './stores/store.js';
