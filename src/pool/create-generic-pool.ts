/**
 * generic-pool's own reading of its options, for programs that are to go on exactly as they did: its defaults, which wait
 * without end, and its leniency, which takes what is malformed as not given and passes over what it does not know.
 */
import { createPool } from './create-pool.js';
import type { Factory } from './factory.js';
import type { Pool } from './pool.js';

/** The options of generic-pool 3.9. Times are in milliseconds. What is malformed counts as not given. */
export interface GenericPoolOptions {
  /** How many resources exist at most. @default 1 */
  readonly max?: unknown;
  /** How many resources are kept warm; no more than `max`. @default 0 */
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
  /** Fills up to `min` at once. @default true */
  readonly autostart?: unknown;
  /** How many priorities there are. @default 1 */
  readonly priorityRange?: unknown;
  /** How often idle resources are swept; 0 for never. @default 0 */
  readonly evictionRunIntervalMillis?: unknown;
  /** How many idle resources one sweep looks at. @default 3 */
  readonly numTestsPerEvictionRun?: unknown;
  /** How long a resource may lie idle while more than `min` are; -1 for ever. @default -1 */
  readonly softIdleTimeoutMillis?: unknown;
  /** How long a resource may lie idle, if there are sweeps. @default 30_000 */
  readonly idleTimeoutMillis?: unknown;
  /** Whatever else generic-pool passes over. */
  readonly [other: string]: unknown;
}

/**
 * A pool with generic-pool's defaults instead of the safe ones: one resource, no timeouts, no sweeps, and a failing
 * `create` tried again for as long as somebody waits, though after a pause each time. Use {@link createPool} for new code.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a factory without `create` or `destroy`, or
 * without `validate` where an option needs it (generic-pool waits for ever then).
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

/** The integer that an option begins with; `undefined` if it begins with none. */
function parsed(option: unknown): number | undefined {
  if (option === Number.POSITIVE_INFINITY) return option;
  const number = Number.parseInt(String(option), 10);
  return Number.isNaN(number) ? undefined : number;
}

function flag(option: unknown, otherwise: boolean): boolean {
  return typeof option === 'boolean' ? option : otherwise;
}
