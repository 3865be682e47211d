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
export type { CacheInfo } from './cache-info.js';
export { memoize } from './memoize.js';
export type { AnyFn, MemoizeOptions } from './memoize-options.js';
export type { Memoized } from './memoized.js';
