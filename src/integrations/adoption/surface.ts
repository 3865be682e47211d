/** The exports that all adoptions have besides `adoptPool`. */
export type { Clock, TimerHandle } from '../../core/clock.js';
export { InvalidArgumentError } from '../../core/errors.js';
export type { CallSites } from '../../core/site-sample.js';
export type { Lease } from '../../pool/loan/lease.js';
export type { UseContext } from '../../pool/loan/use-context.js';
export {
  AcquireTimeoutError,
  LeaseEndedError,
  LeasesOutError,
  PoolClosedError,
  PoolError,
  ReleaseError,
} from '../../pool/pool-errors.js';
export type { CloseOptions, LeaseOptions } from '../../pool/pool-options.js';
export type { LoanInfo, Percentiles, PoolStats } from '../../pool/pool-stats.js';
export type { AdoptOptions } from './adopt-options.js';
export type { AdoptedCloseOptions, AdoptedPool } from './adopted-pool.js';
export { PeerTimeoutError } from './peer-timeout-error.js';
