/**
 * The options of a pool, of a lease and of closing. Names are generic-pool's wherever it has the option; defaults are
 * the safe ones: nothing waits for ever, and a resource grows neither stale nor old without anybody noticing.
 */
import { type Clock, systemClock } from '../core/clock.js';
import { InvalidArgumentError } from '../core/errors.js';
import {
  aBoolean,
  aFunction,
  aName,
  anAbortSignal,
  checkOptions,
  integer,
  millis,
  type OptionCheck,
  type OptionChecks,
  objectWith,
  oneOf,
} from '../core/options.js';
import { checkFactory, type Factory } from './factory.js';

/** Which callers have their call site captured. */
export type CallSites = 'sampled' | 'all' | 'none';

/** Options of `createPool`. Times are in milliseconds; `Infinity` switches a timeout off. */
export interface PoolOptions {
  /** What the pool is called in errors and reports. @default 'pool' */
  readonly name?: string;
  /** How many resources exist at most, those being created and destroyed included. @default 10 */
  readonly max?: number;
  /** How many resources are kept warm. @default 0 */
  readonly min?: number;
  /** How long a caller waits altogether: for its turn, a creation and a validation. @default 30_000 */
  readonly acquireTimeoutMillis?: number;
  /** How many calls of `create` may be under way at once, so that a burst does not storm a server. @default Infinity */
  readonly maxConcurrentCreates?: number;
  /**
   * After how many failures of `create` in a row the callers for whom it was called are told. Until then, and for those
   * who come later, it is tried again: after 10 ms, then twice as long each time up to 5 s, less up to half of it at
   * random. 1 fails fast: each caller causes a creation at once, and is told of its failure.
   * @default 8
   */
  readonly createAttempts?: number;
  /** How long one `create` may take. What arrives later is kept if there is room, else destroyed. @default 30_000 */
  readonly createTimeoutMillis?: number;
  /** How long one `validate` or `reset` may take. @default 5_000 */
  readonly validateTimeoutMillis?: number;
  /** How long one `destroy` may take before its place is given away. @default 5_000 */
  readonly destroyTimeoutMillis?: number;
  /** How long a resource may lie idle, even if `min` must be filled up again. @default 600_000 (10 minutes) */
  readonly idleTimeoutMillis?: number;
  /** The same, but only while more than `min` are idle; -1 for never. @default -1 */
  readonly softIdleTimeoutMillis?: number;
  /** How old a resource may grow, less up to 10 % of jitter drawn at its birth. @default 1_800_000 (30 minutes) */
  readonly maxLifetimeMillis?: number;
  /** How often a resource may be lent. @default Infinity */
  readonly maxUses?: number;
  /** How often idle resources are swept; 0 for never. @default 1_000 */
  readonly evictionRunIntervalMillis?: number;
  /** How many idle resources one sweep looks at, longest idle first. @default Infinity */
  readonly numTestsPerEvictionRun?: number;
  /** How many callers may wait; one more is refused with `TENURE_POOL_FULL`. @default Infinity */
  readonly maxWaitingClients?: number;
  /** How many priorities there are, 0 the most urgent. @default 1 */
  readonly priorityRange?: number;
  /** Calls `validate` before an idle resource is lent. A newly created one is taken as good. @default false */
  readonly testOnBorrow?: boolean;
  /**
   * Calls `validate` on what has been idle for so long without being validated, in milliseconds, to within a sweep: it
   * keeps connections from being dropped as silent, and finds the dead before a caller does. Infinity for never.
   * @default Infinity
   */
  readonly keepaliveMillis?: number;
  /** Calls `validate` when a resource comes back. @default false */
  readonly testOnReturn?: boolean;
  /**
   * Whose lines are taken, for errors and reports to name: `'sampled'` takes those of the first 64 loans in each second,
   * which costs less than a thousandth of the time; `'all'` costs each loan some 10 µs.
   * @default 'sampled'
   */
  readonly callSites?: CallSites;
  /** Lends the longest idle first; `false` the newest, which lets a pool shrink after a burst. @default true */
  readonly fifo?: boolean;
  /** Fills up to `min` at once; `false` at the first use. @default true */
  readonly autostart?: boolean;
  /** Without effect; so that generic-pool's options can be passed on. */
  readonly log?: unknown;
  /** Without effect: promises are the platform's. So that generic-pool's options can be passed on. */
  readonly Promise?: unknown;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
  /** Numbers from 0 up to 1 for jitter. @default Math.random */
  readonly random?: () => number;
}

/** Options of one `lease`, `acquire` or `use`. */
export interface LeaseOptions {
  /** From 0, the most urgent, up to `priorityRange - 1`; what lies beyond counts as the least urgent. @default 0 */
  readonly priority?: number;
  /** Gives up waiting; the promise rejects with the signal's reason. Without effect once the lease is granted. */
  readonly signal?: AbortSignal;
  /** How long to wait, in milliseconds; 0 takes only what is there at once. @default the pool's `acquireTimeoutMillis` */
  readonly timeoutMillis?: number;
}

/** Options of `close`. */
export interface CloseOptions {
  /** How long to wait for what is out, in milliseconds. @default 10_000 */
  readonly graceMillis?: number;
  /** Destroys what is still out after the grace, under its holder's hands. @default false */
  readonly force?: boolean;
}

/** Every option of a pool, resolved. `resize` changes the limits. */
export type PoolSettings = Omit<Required<PoolOptions>, 'min' | 'max' | 'log' | 'Promise'> &
  PoolLimits;

/** How many resources a pool keeps warm, and how many it may have. */
export interface PoolLimits {
  min: number;
  max: number;
}

/** How long `close` waits for what is out unless told otherwise. */
const DEFAULT_GRACE_MILLIS = 10_000;

const DEFAULTS: PoolSettings = {
  name: 'pool',
  max: 10,
  min: 0,
  acquireTimeoutMillis: 30_000,
  maxConcurrentCreates: Number.POSITIVE_INFINITY,
  createAttempts: 8,
  createTimeoutMillis: 30_000,
  validateTimeoutMillis: 5_000,
  destroyTimeoutMillis: 5_000,
  idleTimeoutMillis: 600_000,
  softIdleTimeoutMillis: -1,
  maxLifetimeMillis: 1_800_000,
  maxUses: Number.POSITIVE_INFINITY,
  evictionRunIntervalMillis: 1_000,
  numTestsPerEvictionRun: Number.POSITIVE_INFINITY,
  maxWaitingClients: Number.POSITIVE_INFINITY,
  priorityRange: 1,
  testOnBorrow: false,
  testOnReturn: false,
  keepaliveMillis: Number.POSITIVE_INFINITY,
  callSites: 'sampled',
  fifo: true,
  autostart: true,
  clock: systemClock,
  random: Math.random,
};

const positiveMillis: OptionCheck = (value) =>
  typeof value === 'number' && value > 0
    ? undefined
    : 'a number of milliseconds > 0 (Infinity for no limit)';

const POOL_CHECKS: OptionChecks<PoolOptions> = {
  name: aName,
  max: integer(1),
  min: integer(0),
  acquireTimeoutMillis: positiveMillis,
  maxConcurrentCreates: countOrInfinity(1),
  createAttempts: countOrInfinity(1),
  createTimeoutMillis: positiveMillis,
  validateTimeoutMillis: positiveMillis,
  destroyTimeoutMillis: positiveMillis,
  idleTimeoutMillis: positiveMillis,
  softIdleTimeoutMillis: (value) =>
    value === -1 || positiveMillis(value) === undefined
      ? undefined
      : 'a number of milliseconds > 0, or -1 for never',
  maxLifetimeMillis: positiveMillis,
  maxUses: countOrInfinity(1),
  evictionRunIntervalMillis: millis,
  numTestsPerEvictionRun: countOrInfinity(1),
  maxWaitingClients: countOrInfinity(0),
  priorityRange: integer(1, 1_000),
  testOnBorrow: aBoolean,
  testOnReturn: aBoolean,
  keepaliveMillis: positiveMillis,
  callSites: oneOf('sampled', 'all', 'none'),
  fifo: aBoolean,
  autostart: aBoolean,
  log: () => undefined,
  Promise: () => undefined,
  clock: objectWith('now', 'setTimer', 'clearTimer'),
  random: aFunction,
};

const LEASE_CHECKS: OptionChecks<LeaseOptions> = {
  priority: integer(Number.MIN_SAFE_INTEGER),
  signal: anAbortSignal,
  timeoutMillis: millis,
};

/** What a caller asks for who asks for nothing in particular. */
export const NO_OPTIONS: LeaseOptions = {};

const CLOSE_CHECKS: OptionChecks<CloseOptions> = { graceMillis: millis, force: aBoolean };

/** The settings that `options` ask for; throws {@link InvalidArgumentError} for what cannot be meant. */
export function resolvePoolOptions<T>(factory: Factory<T>, options: PoolOptions): PoolSettings {
  checkFactory(factory);
  checkOptions<PoolOptions>('createPool', options, POOL_CHECKS);
  const settings: Record<string, unknown> = { ...DEFAULTS };
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined) settings[name] = value;
  }
  const resolved = settings as unknown as PoolSettings;
  if (resolved.min > resolved.max) {
    throw new InvalidArgumentError(
      `createPool: \`min\` must be at most \`max\` (${resolved.max}), got ${resolved.min}.`,
    );
  }
  const keepsAlive = resolved.keepaliveMillis !== Number.POSITIVE_INFINITY;
  const needing = [
    ['testOnBorrow', resolved.testOnBorrow],
    ['testOnReturn', resolved.testOnReturn],
    ['keepaliveMillis', keepsAlive],
  ] as const;
  const option = needing.find(([, isAsked]) => isAsked)?.[0];
  if (option !== undefined && factory.validate === undefined) {
    throw new InvalidArgumentError(`createPool: \`${option}\` needs a factory with validate().`);
  }
  return resolved;
}

/** The limits that `resize` is asked for, with those that stay. */
export function resolveLimits(options: Partial<PoolLimits>, now: PoolLimits): PoolLimits {
  checkOptions<PoolLimits>('resize', options, { min: integer(0), max: integer(1) });
  const { min = now.min, max = now.max } = options;
  if (min > max) {
    throw new InvalidArgumentError(`resize: \`min\` must be at most \`max\` (${max}), got ${min}.`);
  }
  return { min, max };
}

/** What a lease was asked for with: generic-pool's bare priority, or options. */
export function resolveLeaseOptions(
  where: string,
  asked: LeaseOptions | number | undefined,
): LeaseOptions {
  if (asked === undefined) return NO_OPTIONS;
  const options: unknown = typeof asked === 'number' ? { priority: asked } : asked;
  checkOptions<LeaseOptions>(where, options, LEASE_CHECKS);
  return options;
}

/** The checked options of `close`, with defaults. */
export function resolveCloseOptions(options: CloseOptions): Required<CloseOptions> {
  checkOptions<CloseOptions>('close', options, CLOSE_CHECKS);
  return {
    graceMillis: options.graceMillis ?? DEFAULT_GRACE_MILLIS,
    force: options.force ?? false,
  };
}

function countOrInfinity(least: number): OptionCheck {
  const finite = integer(least);
  return (value) =>
    value === Number.POSITIVE_INFINITY || finite(value) === undefined
      ? undefined
      : `an integer ≥ ${least}, or Infinity`;
}
