/**
 * Makes a pool that reads its options as generic-pool does, for programs that must behave exactly as before. The defaults are
 * generic-pool's, without a time limit on the wait of a caller. A malformed option counts as not given, and an unknown one is ignored.
 */
import { created } from '../core/created-components.js';
import { makeEngine } from './create-pool.js';
import type { Factory } from './factory.js';
import { GenericPool } from './generic-pool.js';
import { MAX_PRIORITIES, type PoolOptions } from './pool-options.js';

/** The options of generic-pool 3.9. Times are in milliseconds. A malformed option counts as not given, and any other one is ignored. */
export interface GenericPoolOptions {
  /** The most resources that may exist. @default 1 */
  readonly max?: unknown;
  /** How many resources are kept warm, at most `max`. @default 0 */
  readonly min?: unknown;
  /** How many callers may wait. @default Infinity */
  readonly maxWaitingClients?: unknown;
  /** How long a caller waits. @default Infinity */
  readonly acquireTimeoutMillis?: unknown;
  /** How long one `destroy` may take. Its resource counts towards `max` meanwhile; in generic-pool it does not. @default 5_000 */
  readonly destroyTimeoutMillis?: unknown;
  /** Calls `validate` before an idle resource is lent. @default false */
  readonly testOnBorrow?: unknown;
  /** Calls `validate` when a resource comes back. @default false */
  readonly testOnReturn?: unknown;
  /** Lends the longest idle first. @default true */
  readonly fifo?: unknown;
  /** Creates `min` resources at once. @default true */
  readonly autostart?: unknown;
  /** How many priorities there are. @default 1 */
  readonly priorityRange?: unknown;
  /** How often idle resources are swept; 0 for never. @default 0 */
  readonly evictionRunIntervalMillis?: unknown;
  /** How many idle resources one sweep evicts. @default 3 */
  readonly numTestsPerEvictionRun?: unknown;
  /** How long a resource may be idle while more than `min` are idle; -1 for no limit. @default -1 */
  readonly softIdleTimeoutMillis?: unknown;
  /** How long a resource may be idle, if there are sweeps. @default 30_000 */
  readonly idleTimeoutMillis?: unknown;
}

/** After this time the place of a resource whose `destroy` hangs is free, in milliseconds. */
const DESTROY_TIMEOUT_MILLIS = 5_000;

/**
 * Makes a pool with generic-pool's defaults instead of the safe ones: one resource, no timeouts, no sweeps. A failing `create`
 * is tried again as long as a caller waits, after a pause each time. `use` destroys a resource whose function fails. Use
 * {@link createPool} for new code.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a factory without `create` or `destroy`, or without
 * `validate` if an option needs it (generic-pool then waits forever).
 *
 * @example
 * ```ts
 * import { createGenericPool } from 'tenure/pool';
 *
 * const pool = createGenericPool({ create: async () => ({}), destroy: async () => {} }, { max: 'two' });
 * pool.max; // => 1
 * await pool.drain();
 * await pool.clear();
 * ```
 */
export function createGenericPool<T>(
  factory: Factory<T>,
  options?: GenericPoolOptions | object | null,
): GenericPool<T> {
  const given: GenericPoolOptions = options ?? {};
  const max = Math.max(parsed(given.max) ?? 1, 1);
  const settings: PoolOptions = {
    max,
    min: Math.min(Math.max(parsed(given.min) ?? 0, 0), max),
    maxWaitingClients: Math.max(parsed(given.maxWaitingClients) ?? Number.POSITIVE_INFINITY, 0),
    acquireTimeoutMillis: positive(given.acquireTimeoutMillis) ?? Number.POSITIVE_INFINITY,
    destroyTimeoutMillis: positive(given.destroyTimeoutMillis) ?? DESTROY_TIMEOUT_MILLIS,
    testOnBorrow: flag(given.testOnBorrow, false),
    testOnReturn: flag(given.testOnReturn, false),
    fifo: flag(given.fifo, true),
    autostart: flag(given.autostart, true),
    priorityRange: Math.min(positive(given.priorityRange) ?? 1, MAX_PRIORITIES),
    evictionRunIntervalMillis: positive(given.evictionRunIntervalMillis) ?? 0,
    numTestsPerEvictionRun: positive(given.numTestsPerEvictionRun) ?? 3,
    softIdleTimeoutMillis: positive(given.softIdleTimeoutMillis) ?? -1,
    idleTimeoutMillis: Math.max(parsed(given.idleTimeoutMillis) || 30_000, 1),
    createTimeoutMillis: Number.POSITIVE_INFINITY,
    validateTimeoutMillis: Number.POSITIVE_INFINITY,
    maxLifetimeMillis: Number.POSITIVE_INFINITY,
    createAttempts: Number.POSITIVE_INFINITY,
  };
  const engine = makeEngine('createGenericPool', factory, settings);
  return created(new GenericPool(engine));
}

/** The integer at the start of an option's text; `undefined` if there is none. */
function parsed(option: unknown): number | undefined {
  const number = Number.parseInt(String(option), 10);
  return Number.isNaN(number) ? undefined : number;
}

/** The integer at the start of an option's text, if it is above 0. */
function positive(option: unknown): number | undefined {
  const number = parsed(option);
  return number !== undefined && number > 0 ? number : undefined;
}

function flag(option: unknown, otherwise: boolean): boolean {
  return typeof option === 'boolean' ? option : otherwise;
}
