/**
 * Pools of resources that are expensive to make: database connections, browsers, workers. A superset of generic-pool. Leases end
 * with their block, every wait ends, and errors name the lines of the holders.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 *
 * const pool = createPool(
 *   {
 *     create: async ({ signal }) => ({ open: !signal.aborted }),
 *     destroy: async (connection) => {
 *       connection.open = false;
 *     },
 *   },
 *   { max: 2, acquireTimeoutMillis: 5_000 },
 * );
 * await pool.use((connection) => connection.open); // => true
 * pool.size; // => 1
 * await pool.close();
 * pool.size; // => 0
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
export type { CallSites } from '../core/site-sample.js';
export { createGenericPool, type GenericPoolOptions } from './create-generic-pool.js';
export { createKeyedPool } from './create-keyed-pool.js';
export { createPool } from './create-pool.js';
export type { DeadlineOptions } from './deadline.js';
export type { AdaptiveMaxOptions } from './effective-max.js';
export type { CreateContext, DestroyReason, Factory } from './factory.js';
export type { AnyListener, GenericPool } from './generic-pool.js';
export type { KeyedPoolEvent, KeyedPoolEventMap, KeyedPoolListener } from './keyed-events.js';
export type { KeyedLoanInfo, KeyedPool } from './keyed-pool.js';
export type { KeyedPoolLimits, KeyedPoolOptions } from './keyed-pool-options.js';
export type { KeyedPoolStats } from './keyed-stats.js';
export type { Lease } from './loan/lease.js';
export type { UseContext } from './loan/use-context.js';
export type { Pool } from './pool.js';
export {
  AcquireTimeoutError,
  CreateError,
  CreateTimeoutError,
  DeadlineError,
  DestroyTimeoutError,
  DuplicateResourceError,
  LeaseEndedError,
  LeasesOutError,
  PoolClosedError,
  PoolError,
  type PoolErrorOptions,
  PoolFullError,
  type PoolPhase,
  ReleaseError,
  ValidateTimeoutError,
  WarmUpError,
} from './pool-errors.js';
export type {
  AcquiredResource,
  DestroyedResource,
  PoolEventMap,
  PoolListener,
  ReleasedResource,
} from './pool-events.js';
export type {
  CloseOptions,
  LeaseOptions,
  PoolOptions,
} from './pool-options.js';
export type { LoanInfo, Percentiles, PoolStats } from './pool-stats.js';
