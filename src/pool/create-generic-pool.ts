/**
 * Makes a pool that reads its options as generic-pool does, for programs that must behave exactly as before. The defaults are
 * generic-pool's, without a time limit on any wait. A malformed option counts as not given, and an unknown one is ignored.
 */
import { createPool } from './create-pool.js';
import type { Factory } from './factory.js';
import type { Pool } from './pool.js';

/** The options of generic-pool 3.9. Times are in milliseconds. A malformed option counts as not given. */
export interface GenericPoolOptions {
  /** The most resources that may exist. @default 1 */
  readonly max?: unknown;
  /** How many resources are kept warm, at most `max`. @default 0 */
  readonly min?: unknown;
  /** How many callers may wait. @default Infinity */
  readonly maxWaitingClients?: unknown;
  /** How long a caller waits. @default Infinity */
  readonly acquireTimeoutMillis?: unknown;
  /** How long one `destroy` may take. @default Infinity */
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
  /** How many idle resources one sweep looks at. @default 3 */
  readonly numTestsPerEvictionRun?: unknown;
  /** How long a resource may be idle while more than `min` are idle; -1 for no limit. @default -1 */
  readonly softIdleTimeoutMillis?: unknown;
  /** How long a resource may be idle, if there are sweeps. @default 30_000 */
  readonly idleTimeoutMillis?: unknown;
  /** Any other option. It is ignored, as in generic-pool. */
  readonly [other: string]: unknown;
}

/**
 * Makes a pool with generic-pool's defaults instead of the safe ones: one resource, no timeouts, no sweeps. A failing `create`
 * is tried again as long as a caller waits, after a pause each time. Use {@link createPool} for new code.
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
  options: GenericPoolOptions = {},
): Pool<T> {
  const max = Math.max(parsed(options.max) ?? 1, 1);
  return createPool(factory, {
    max,
    min: Math.min(Math.max(parsed(options.min) ?? 0, 0), max),
    maxWaitingClients: parsed(options.maxWaitingClients) ?? Number.POSITIVE_INFINITY,
    acquireTimeoutMillis:
      parsed(options.acquireTimeoutMillis || undefined) ?? Number.POSITIVE_INFINITY,
    destroyTimeoutMillis:
      parsed(options.destroyTimeoutMillis || undefined) ?? Number.POSITIVE_INFINITY,
    testOnBorrow: flag(options.testOnBorrow, false),
    testOnReturn: flag(options.testOnReturn, false),
    fifo: flag(options.fifo, true),
    autostart: flag(options.autostart, true),
    priorityRange: parsed(options.priorityRange) || 1,
    evictionRunIntervalMillis: parsed(options.evictionRunIntervalMillis) ?? 0,
    numTestsPerEvictionRun: parsed(options.numTestsPerEvictionRun) || 3,
    softIdleTimeoutMillis: parsed(options.softIdleTimeoutMillis) || -1,
    idleTimeoutMillis: parsed(options.idleTimeoutMillis) || 30_000,
    createTimeoutMillis: Number.POSITIVE_INFINITY,
    validateTimeoutMillis: Number.POSITIVE_INFINITY,
    maxLifetimeMillis: Number.POSITIVE_INFINITY,
    createAttempts: Number.POSITIVE_INFINITY,
  });
}

/** The integer at the start of an option's text; `undefined` if there is none. */
function parsed(option: unknown): number | undefined {
  if (option === Number.POSITIVE_INFINITY) return option;
  const number = Number.parseInt(String(option), 10);
  return Number.isNaN(number) ? undefined : number;
}

function flag(option: unknown, otherwise: boolean): boolean {
  return typeof option === 'boolean' ? option : otherwise;
}
