/**
 * The options of a pool, of a lease and of `close`. Names are generic-pool's wherever it has the option. Defaults are the
 * safe ones: every wait has a timeout, and no resource stays idle or grows old without a limit.
 */
import { type Clock, systemClock } from '../core/clock.js';
import { InvalidArgumentError } from '../core/errors.js';
import { steadyClock } from '../core/guarded-clock.js';
import {
  aBoolean,
  aFunction,
  aName,
  anAbortSignal,
  checkOptions,
  countOrInfinity,
  integer,
  millis,
  type OptionCheck,
  type OptionChecks,
  type OptionTable,
  objectWith,
  oneOf,
  option,
  optional,
  positiveMillis,
  resolveOptions,
} from '../core/options.js';
import type { CallSites } from '../core/site-sample.js';
import type { AdaptiveMaxOptions } from './effective-max.js';
import type { Factory } from './factory.js';

/** Options of `createPool`. Times are in milliseconds; `Infinity` switches a timeout off. */
export interface PoolOptions {
  /** The pool's name in errors and reports. @default 'pool' */
  readonly name?: string;
  /** The most resources that may exist, those being created and destroyed included. @default 10 */
  readonly max?: number;
  /** How many resources are kept warm. @default 0 */
  readonly min?: number;
  /** How long a caller waits in all: for its turn, a creation and a validation. @default 30_000 */
  readonly acquireTimeoutMillis?: number;
  /**
   * How many calls of `create` may run at once, so that a burst does not overload a server. One that hangs counts until
   * its caller leaves or `createTimeoutMillis` is over. @default Infinity
   */
  readonly maxConcurrentCreates?: number;
  /**
   * How many failures of `create` in a row make a failure reject the caller that it was called for. Before that, the pool tries
   * again after a pause. The pause begins at 10 ms and doubles up to 5 s, less a random part of up to one half. 1 fails fast:
   * each caller causes a creation at once, and is rejected when it fails. A `create` that does not answer while its callers leave gets
   * the pauses all the same.
   * @default 8
   */
  readonly createAttempts?: number;
  /**
   * How long one `create` may take. Then its signal aborts and its place is free. So up to twice `max` calls in this time hang on for good
   * if `create` neither answers nor heeds its signal. A resource that arrives later is kept if the pool is below `max`, or can give up a
   * creation that still runs; else it is destroyed.
   * @default 30_000
   */
  readonly createTimeoutMillis?: number;
  /** How long one `validate` or `reset` may take. @default 5_000 */
  readonly validateTimeoutMillis?: number;
  /** How long one `destroy` may take before its place in the pool is free again. @default 5_000 */
  readonly destroyTimeoutMillis?: number;
  /** How long a resource may be idle, even if another has to be created for `min`. @default 600_000 (10 minutes) */
  readonly idleTimeoutMillis?: number;
  /** How long a resource may be idle while more than `min` are idle; -1 for no limit. @default -1 */
  readonly softIdleTimeoutMillis?: number;
  /** How old a resource may grow, less a random part of up to 10 %. @default 1_800_000 (30 minutes) */
  readonly maxLifetimeMillis?: number;
  /** How often a resource may be lent. @default Infinity */
  readonly maxUses?: number;
  /** How often idle resources are swept; 0 for never. @default 1_000 */
  readonly evictionRunIntervalMillis?: number;
  /**
   * How many idle resources one sweep evicts or validates. It evicts the longest idle ones first, and validates those first that were
   * neither used nor validated for the longest time. @default Infinity
   */
  readonly numTestsPerEvictionRun?: number;
  /** How many callers may wait; one more is refused with `TENURE_POOL_FULL`. @default Infinity */
  readonly maxWaitingClients?: number;
  /** How many priorities there are, 0 the most urgent. @default 1 */
  readonly priorityRange?: number;
  /** Calls `validate` before an idle resource is lent. A new resource is not validated. @default false */
  readonly testOnBorrow?: boolean;
  /**
   * With `testOnBorrow`: lends a resource without `validate` if it was used or validated less than this many milliseconds ago.
   * 500 is a good value for connections. 0 validates before every loan. @default 0
   */
  readonly validateAfterIdleMillis?: number;
  /**
   * Keeps fewer resources than `max` while the server is full (`isFull` of the factory): half of what there is, then one more
   * every 10 seconds. So several processes share one server. `stats().effectiveMax` has the present limit. @default false
   */
  readonly adaptiveMax?: boolean | AdaptiveMaxOptions;
  /**
   * Calls `validate` on a resource that was idle for this long without a validation, to within one sweep. This keeps a
   * server from closing silent connections, and finds broken ones before a caller does. `Infinity` for never.
   * @default Infinity
   */
  readonly keepaliveMillis?: number;
  /** Calls `validate` when a resource comes back. @default false */
  readonly testOnReturn?: boolean;
  /**
   * Whose stacks are captured for errors and reports. `'sampled'` captures those of the first 64 loans in each second, and of
   * the first 16 in a second after one with more than 1,600; `'all'` costs each loan some 10 µs. The pools of a keyed pool
   * share one sample.
   * @default 'sampled'
   */
  readonly callSites?: CallSites;
  /**
   * What happens to a loan that a watchdog has proven to be abandoned: V8 has collected its lease, so no code can release it.
   * `'destroy'` destroys the resource, and its place in the pool is free again. The leak is still reported. It needs a watchdog
   * at the level `simple` or above, and leases: a loan of `acquire()` has none. @default 'report'
   */
  readonly onAbandoned?: 'report' | 'destroy';
  /** Lends the longest idle first; `false` the newest, which lets a pool shrink after a burst. @default true */
  readonly fifo?: boolean;
  /** Creates `min` resources at once; `false` at the first use. @default true */
  readonly autostart?: boolean;
  /** No effect. Accepted because generic-pool has the option. */
  readonly log?: unknown;
  /** No effect: promises are the platform's. Accepted because generic-pool has the option. */
  readonly Promise?: unknown;
  /** The source of time. What its `now` and `clearTimer` throw is printed. @default systemClock */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1 for jitter. @default Math.random */
  readonly random?: () => number;
}

/** Options of one `lease`, `acquire` or `use`. */
export interface LeaseOptions {
  /** From 0, the most urgent, up to `priorityRange - 1`; what lies beyond counts as the least urgent. @default 0 */
  readonly priority?: number | undefined;
  /** Ends the wait when it aborts; the promise rejects with its reason. No effect once the lease is granted. */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds; 0 waits for nothing. @default the pool's `acquireTimeoutMillis` */
  readonly timeoutMillis?: number | undefined;
}

/** Options of `close`. */
export interface CloseOptions {
  /** How long to wait for borrowed resources, in milliseconds. @default 10_000 */
  readonly graceMillis?: number;
  /** Destroys resources that are still borrowed after the grace. @default false */
  readonly force?: boolean;
}

/** The options of generic-pool that have no effect here. */
export type IgnoredOptions = Pick<PoolOptions, 'log' | 'Promise'>;

/** The resolved options of a pool. `resize` changes the limits. */
export type PoolSettings = Omit<Required<PoolOptions>, keyof PoolLimits | keyof IgnoredOptions> &
  PoolLimits;

/** How many resources a pool keeps warm, and how many may exist. */
export interface PoolLimits {
  /** How many resources are kept warm. */
  min: number;
  /** How many resources may exist. */
  max: number;
}

/** The most priorities that a pool may have: a line of waiters each. */
export const MAX_PRIORITIES = 10_000;

const positiveMillisOrNever: OptionCheck = (value) =>
  value === -1 || positiveMillis(value) === undefined
    ? undefined
    : 'a number of milliseconds > 0, or -1 for never';

const ADAPTIVE_MAX_CHECKS: OptionChecks<AdaptiveMaxOptions> = {
  floor: integer(1),
  recoverMillis: positiveMillis,
};

const adaptiveMax: OptionCheck = (value) => {
  if (typeof value !== 'boolean') checkOptions('adaptiveMax', value, ADAPTIVE_MAX_CHECKS);
  return undefined;
};

/** Accepts anything, for options that have no effect. */
const anything: OptionCheck = () => undefined;

/** Each option's check and default. */
export const POOL_OPTIONS: OptionTable<PoolSettings & IgnoredOptions> = {
  name: option(aName, 'pool'),
  max: option(integer(1), 10),
  min: option(integer(0), 0),
  acquireTimeoutMillis: option(positiveMillis, 30_000),
  maxConcurrentCreates: option(countOrInfinity(1), Number.POSITIVE_INFINITY),
  createAttempts: option(countOrInfinity(1), 8),
  createTimeoutMillis: option(positiveMillis, 30_000),
  validateTimeoutMillis: option(positiveMillis, 5_000),
  destroyTimeoutMillis: option(positiveMillis, 5_000),
  idleTimeoutMillis: option(positiveMillis, 600_000),
  softIdleTimeoutMillis: option(positiveMillisOrNever, -1),
  maxLifetimeMillis: option(positiveMillis, 1_800_000),
  maxUses: option(countOrInfinity(1), Number.POSITIVE_INFINITY),
  evictionRunIntervalMillis: option(millis, 1_000),
  numTestsPerEvictionRun: option(countOrInfinity(1), Number.POSITIVE_INFINITY),
  maxWaitingClients: option(countOrInfinity(0), Number.POSITIVE_INFINITY),
  priorityRange: option(integer(1, MAX_PRIORITIES), 1),
  testOnBorrow: option(aBoolean, false),
  validateAfterIdleMillis: option(millis, 0),
  adaptiveMax: option<boolean | AdaptiveMaxOptions>(adaptiveMax, false),
  keepaliveMillis: option(positiveMillis, Number.POSITIVE_INFINITY),
  testOnReturn: option(aBoolean, false),
  callSites: option(oneOf('sampled', 'all', 'none'), 'sampled'),
  onAbandoned: option<'report' | 'destroy'>(oneOf('report', 'destroy'), 'report'),
  fifo: option(aBoolean, true),
  autostart: option(aBoolean, true),
  log: optional(anything),
  Promise: optional(anything),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
  random: option(aFunction, Math.random),
};

const LEASE_CHECKS: OptionChecks<LeaseOptions> = {
  priority: integer(Number.MIN_SAFE_INTEGER),
  signal: anAbortSignal,
  timeoutMillis: millis,
};

/** The options of a caller that gives none. */
export const NO_OPTIONS: LeaseOptions = {};

/** Each option's check and default, of `close`. */
export const CLOSE_OPTIONS: OptionTable<Required<CloseOptions>> = {
  graceMillis: option(millis, 10_000),
  force: option(aBoolean, false),
};

/**
 * The options of a pool with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolvePoolOptions(where: string, options: PoolOptions): PoolSettings {
  const settings: PoolSettings = resolveOptions(where, options, POOL_OPTIONS);
  checkLimits(where, settings);
  return { ...settings, clock: steadyClock(settings.clock) };
}

/** The options that call `validate`. */
const VALIDATING_OPTIONS = ['testOnBorrow', 'testOnReturn', 'keepaliveMillis'] as const;

/** Throws {@link InvalidArgumentError} if an option needs `validate` and the factory has none. */
export function checkValidation<T>(
  where: string,
  factory: Factory<T>,
  settings: PoolSettings,
): void {
  if (factory.validate !== undefined) return;
  for (const name of VALIDATING_OPTIONS) {
    if (settings[name] === POOL_OPTIONS[name].fallback) continue;
    throw new InvalidArgumentError(`${where}: \`${name}\` needs a factory with validate().`);
  }
}

/** Throws {@link InvalidArgumentError} unless `min`, and the floor of `adaptiveMax`, are at most `max`. */
export function checkLimits(
  where: string,
  { min, max, adaptiveMax }: PoolLimits & Partial<Pick<PoolSettings, 'adaptiveMax'>>,
): void {
  const floor = (typeof adaptiveMax === 'object' && adaptiveMax.floor) || 1;
  for (const [name, limit] of Object.entries({ min, 'adaptiveMax.floor': floor })) {
    if (limit <= max) continue;
    throw new InvalidArgumentError(
      `${where}: \`${name}\` must be at most \`max\` (${max}), got ${limit}.`,
    );
  }
}

/** The limits that `resize` is called with, and the present ones where it gives none. */
export function resolveLimits(options: Partial<PoolLimits>, now: PoolLimits): PoolLimits {
  const limits = resolveOptions<PoolLimits>('resize', options, {
    min: option(integer(0), now.min),
    max: option(integer(1), now.max),
  });
  checkLimits('resize', limits);
  return limits;
}

/** The options of one `lease`, `acquire` or `use`. A number is generic-pool's bare priority; `lease` takes none, as it may be meant as a timeout. */
export function resolveLeaseOptions(
  where: string,
  given: LeaseOptions | number | undefined,
): LeaseOptions {
  if (given === undefined) return NO_OPTIONS;
  const options: unknown =
    typeof given === 'number' && where !== 'lease' ? { priority: given } : given;
  return checkOptions<LeaseOptions>(where, options, LEASE_CHECKS);
}

/** The options of `close` with their defaults. */
export function resolveCloseOptions(options: CloseOptions): Required<CloseOptions> {
  return resolveOptions('close', options, CLOSE_OPTIONS);
}
