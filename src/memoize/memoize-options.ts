/** The options of a memoized function. */
import { type Clock, systemClock } from '../core/clock.js';
import { InvalidArgumentError } from '../core/errors.js';
import { guardedCall } from '../core/guarded-call.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aBoolean,
  aFunction,
  aName,
  countOrInfinity,
  givenOptions,
  millis,
  numberAtLeast,
  type OptionCheck,
  type OptionTable,
  objectWith,
  option,
  optional,
  positiveMillis,
  resolveOptions,
} from '../core/options.js';
import { ReportLimit } from '../core/report-limit.js';
import type { AnyFn, Settled } from './any-fn.js';
import type { Disposal } from './disposal-port.js';
import type { EvictionPolicy } from './eviction-policy.js';
import type { LoadContext } from './load-context.js';
import type { SharedCache } from './shared-port.js';

/** Options of `memoize`. */
export interface MemoizeOptions<F extends AnyFn, K = unknown> {
  /**
   * Makes one key of the arguments, for example a string for structural keys. It is compared by SameValueZero. The option is
   * called with the function's `this`, on hits too. @default all arguments, by identity
   */
  readonly key?: (...args: Parameters<F>) => K;
  /**
   * The most entries. The least recently used entry is evicted first. 0 keeps none and only shares loads, and results by the
   * store of `shared`. A bounded cache keeps at most 8,388,608 entries. @default Infinity
   */
  readonly max?: number;
  /**
   * The largest weight of all entries together, by `weigh`. The least recently used entry is evicted first. A result that is heavier
   * than `maxWeight` is returned and not kept, except in the store of `shared`. A remembered failure weighs nothing. Needs `weigh`.
   * @default Infinity
   */
  readonly maxWeight?: number;
  /** Gives the weight of a result, ≥ 0. Called once, when the result is stored. Needs `maxWeight`. */
  readonly weigh?: (value: Settled<F>, ...args: Parameters<F>) => number;
  /**
   * Decides which entry is evicted when `max` or `maxWeight` is reached: `s3fifo()` of `tenure/memoize/s3-fifo`, or `adaptive()` of
   * `tenure/memoize/adaptive`. Needs `max` or `maxWeight`. @default least recently used
   */
  readonly policy?: EvictionPolicy;
  /** How long a result is fresh, in milliseconds from its arrival; or a function that returns this. @default Infinity */
  readonly ttl?: number | ((value: Settled<F>, ...args: Parameters<F>) => number);
  /**
   * How long a failure is remembered and given to later callers, in milliseconds; or a function that returns this. By default
   * no failure is remembered. @default 0
   */
  readonly negativeTtl?: number | ((error: unknown, ...args: Parameters<F>) => number);
  /**
   * How long after its `ttl` a result is still served, in milliseconds, while one load in the background replaces it. The
   * `stale-while-revalidate` of RFC 5861. @default 0
   */
  readonly staleWhileRevalidate?: number;
  /**
   * How long after its `ttl` a result is served in place of a failure, in milliseconds: when the load that should replace it
   * fails, the caller gets the stale result. The `stale-if-error` of RFC 5861. @default 0
   */
  readonly staleIfError?: number;
  /**
   * The age, in milliseconds, from which a fresh result is served and also replaced by a load in the background. The load begins
   * when a caller asks for the result. @default Infinity
   */
  readonly refreshAfter?: number;
  /**
   * The largest part, from 0 to 1, by which the `ttl` and `refreshAfter` of each entry are shortened at random. It keeps entries
   * that were stored together from expiring together. @default 0
   */
  readonly jitter?: number;
  /**
   * How long a stale or due result is served without another load after a load that should replace it has failed, in
   * milliseconds. It keeps the calls away from a source that is down. @default `negativeTtl` if that is a number above 0; otherwise
   * 1,000 after a load in the background, and 0 after a load that a caller waited for
   */
  readonly retryAfterMillis?: number;
  /**
   * How long a result stays without being used, in milliseconds. Each hit prolongs it. @default Infinity
   */
  readonly idleTtl?: number;
  /**
   * How long callers wait for an asynchronous load, in milliseconds. A number stands for `hard`. @default no limit
   */
  readonly loadTimeoutMillis?: number | LoadTimeouts;
  /** Gives a random number for `jitter`, from 0 to less than 1. @default Math.random */
  readonly random?: () => number;
  /** Gives the tags of a remembered failure, for `invalidateTags`. Needs `negativeTtl`. @default none */
  readonly negativeTags?: (error: unknown, ...args: Parameters<F>) => Iterable<string>;
  /** Whether a result is kept. Must not be async. @default every result is kept */
  readonly cacheIf?: (value: Settled<F>, ...args: Parameters<F>) => boolean;
  /** Gives the tags of a result, for `invalidateTags`. @default none */
  readonly tags?: (value: Settled<F>, ...args: Parameters<F>) => Iterable<string>;
  /**
   * Called in place of the function, with the function's `this`. Such a load can be aborted, gets the stale result, and may set the
   * `ttl` and the tags of its result. @default calls the function
   */
  readonly load?: (context: LoadContext<F>) => ReturnType<F>;
  /**
   * Holds results that are objects weakly: an entry leaves when no other holder of its result is left. The cache then keeps the
   * settled result, not the promise of it. Not together with `dispose`. @default false
   */
  readonly weakValues?: boolean;
  /**
   * Disposes of results that have left the cache: `disposal()` of `tenure/memoize/disposal`. Not together with `weakValues`.
   * @default results are not disposed of
   */
  readonly dispose?: Disposal<Settled<F>, K>;
  /**
   * Shares results and invalidations with other processes: `sharedCache({ store, bus, lock })` of `tenure/memoize/shared`.
   * Needs a `name`. @default none
   */
  readonly shared?: SharedCache;
  /**
   * Called with an error that no caller can get. `where` names the cache and the source: a disposal, a background load, the shared
   * level, or the terms of a result (`cacheIf`, `ttl`, `negativeTtl`, `tags`, `weigh`), which is then returned and not kept.
   * @default prints it on stderr: of the errors of one kind and place one in ten seconds, with the number of the others since
   */
  readonly onError?: (error: unknown, where: string) => void;
  /** The name of the cache in reports, and in the shared level. @default the function's own name, or 'anonymous' */
  readonly name?: string;
  /**
   * The source of time. It is read only when a result can expire or a load is timed. `loadTimeoutMillis` needs its timers.
   * @default systemClock
   */
  readonly clock?: Pick<Clock, 'now'> & Partial<Clock>;
}

/** Limits of the wait for an asynchronous load. */
export interface LoadTimeouts {
  /**
   * When callers get the stale result, in milliseconds, if there is one within `staleIfError`. The load goes on, and later
   * callers get its result. For a load in the background the time begins when a caller joins it. It must be less than
   * `hard`. @default no limit
   */
  readonly soft?: number;
  /**
   * When the load counts as failed, in milliseconds. Its signal aborts, its callers get the stale result or a
   * {@link LoadTimeoutError}, and the next caller begins a new load. A load that ignores its signal runs on beside the new one, and
   * holds some 3 kB until it settles: give what it waits for a limit, or the failure a `negativeTtl`. @default no limit
   */
  readonly hard?: number;
}

/**
 * The most entries of a bounded cache. A `Map` of V8 has 2^24 places, and a deleted key takes one until half of them are such keys. So
 * a cache that evicts as much as it stores fails beyond 2^23 entries.
 */
export const MAX_BOUNDED_ENTRIES = 2 ** 23;

/** A callback as the cache calls it. */
export type Callback<R> = (...args: unknown[]) => R;

/** The options with their defaults. */
interface ResolvedOptions {
  readonly key: AnyFn | undefined;
  readonly max: number;
  readonly maxWeight: number | undefined;
  readonly weigh: Callback<number> | undefined;
  readonly policy: EvictionPolicy | undefined;
  readonly ttl: number | Callback<number>;
  readonly negativeTtl: number | Callback<number>;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly refreshAfter: number;
  readonly retryAfterMillis: number | undefined;
  readonly idleTtl: number;
  readonly loadTimeoutMillis: number | LoadTimeouts | undefined;
  readonly jitter: number;
  readonly random: () => number;
  readonly cacheIf: Callback<unknown> | undefined;
  readonly tags: Callback<unknown> | undefined;
  readonly negativeTags: Callback<unknown> | undefined;
  readonly load: Callback<unknown> | undefined;
  readonly weakValues: boolean;
  readonly dispose: Disposal<never, never> | undefined;
  readonly shared: SharedCache | undefined;
  readonly onError: (error: unknown, where: string) => void;
  readonly name: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** The options with their defaults, and the flags that are derived from them. */
export interface MemoizeSettings extends Omit<ResolvedOptions, 'maxWeight' | 'loadTimeoutMillis'> {
  readonly maxWeight: number;
  readonly loadTimeouts: LoadTimeouts | undefined;
  /** The option `name`, if it was given. */
  readonly givenName: string | undefined;
  /** Whether `onError` is the default, which prints. */
  readonly printsErrors: boolean;
  /** Whether all results are kept on one set of terms, without a callback, a stage or a disposal. */
  readonly isPlain: boolean;
  /** Whether an entry can expire without an option of its own. */
  readonly expires: boolean;
  /** Whether entries have stages, and so need more than the time at which they expire. */
  readonly hasStages: boolean;
  /** Whether a callback is asked about each result, with its arguments. */
  readonly asksCallbacks: boolean;
}

const millisOrFunction: OptionCheck = (value) =>
  typeof value === 'function' || millis(value) === undefined
    ? undefined
    : 'a number of milliseconds ≥ 0, or a function';

const fraction: OptionCheck = (value) =>
  typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'a number from 0 to 1';

/** Accepts a value that a function of a subpath has made. `method` is a method that such a value has. */
function madeBy(call: string, subpath: string, method: string): OptionCheck {
  return (value) => objectWith(method)(value) && `made by ${call} of 'tenure/memoize/${subpath}'`;
}

function loadTimeouts(value: unknown): string | undefined {
  const { soft, hard, ...others } =
    typeof value === 'object' && value !== null ? ({ ...value } as LoadTimeouts) : { hard: value };
  const areLimits = [soft, hard].every(
    (limit) => limit === undefined || positiveMillis(limit) === undefined,
  );
  const isInOrder = soft === undefined || hard === undefined || soft < (hard as number);
  return areLimits && isInOrder && Object.keys(others).length === 0
    ? undefined
    : 'a number of milliseconds > 0, or { soft, hard } with such numbers and soft < hard';
}

/** Each option's check and default. */
const OPTIONS: OptionTable<ResolvedOptions> = {
  key: optional(aFunction),
  max: option(countOrInfinity(0), Infinity),
  maxWeight: optional(numberAtLeast(0)),
  weigh: optional(aFunction),
  policy: optional(madeBy('a policy, such as s3fifo()', 's3-fifo', 'makeStore')),
  ttl: option<number | Callback<number>>(millisOrFunction, Infinity),
  negativeTtl: option<number | Callback<number>>(millisOrFunction, 0),
  staleWhileRevalidate: option(millis, 0),
  staleIfError: option(millis, 0),
  refreshAfter: option(millis, Infinity),
  retryAfterMillis: optional(millis),
  idleTtl: option(positiveMillis, Infinity),
  loadTimeoutMillis: optional(loadTimeouts),
  jitter: option(fraction, 0),
  random: option(aFunction, Math.random),
  cacheIf: optional(aFunction),
  tags: optional(aFunction),
  negativeTags: optional(aFunction),
  load: optional(aFunction),
  weakValues: option(aBoolean, false),
  dispose: optional(madeBy('disposal()', 'disposal', 'attach')),
  shared: optional(madeBy('sharedCache()', 'shared', 'attach')),
  onError: option(aFunction, print),
  name: option(aName, ''),
  clock: option(objectWith('now'), systemClock),
};

/** Limits what is printed: while a source is down, each background load fails. */
const printLimit = /* @__PURE__ */ new ReportLimit(systemClock);

function print(error: unknown, where: string): void {
  printLimit.pass(where, error, (place) => reportIgnoredError(place, error));
}

/**
 * A checked copy of the options that are present, for a caller that makes caches with them later: a getter is read no more. `where` names
 * the caller in errors. `refused` has the options that it does not take, each with what to do instead.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown, refused or malformed.
 */
export function copiedMemoizeOptions<O extends object>(
  where: string,
  options: O,
  refused: Readonly<Record<string, string>>,
): O {
  const table = { ...OPTIONS };
  for (const name in refused) {
    if (Object(options)[name] !== undefined) {
      throw new InvalidArgumentError(`${where}: it has no option \`${name}\`. ${refused[name]}`);
    }
    // Not listed among the known options, and `undefined` still counts as not given.
    Object.defineProperty(table, name, { enumerable: false });
  }
  const given = givenOptions<object>(where, options, table) as O;
  resolveMemoizeOptions('', given, where);
  return given;
}

/**
 * The options of a memoized function with their defaults. `functionName` names a cache without the option `name`.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveMemoizeOptions<F extends AnyFn, K>(
  functionName: string,
  options: MemoizeOptions<F, K>,
  where = 'memoize',
): MemoizeSettings {
  const settings = resolveOptions(where, options, OPTIONS);
  const refuseIf = (isWrong: boolean, message: string): void => {
    if (isWrong) throw new InvalidArgumentError(`${where}: ${message}`);
  };
  const { ttl, negativeTtl, weigh, dispose, loadTimeoutMillis, clock, onError } = settings;
  const { maxWeight = Infinity, negativeTags } = settings;
  const isBounded = settings.max !== Infinity || maxWeight !== Infinity;
  refuseIf(
    (weigh === undefined) !== (settings.maxWeight === undefined),
    '`maxWeight` and `weigh` need each other: give both or neither.',
  );
  refuseIf(
    settings.policy !== undefined && !isBounded,
    '`policy` needs a limit: give `max` or `maxWeight`.',
  );
  refuseIf(
    negativeTags !== undefined && negativeTtl === 0,
    '`negativeTags` needs `negativeTtl`: without it, no failure is remembered.',
  );
  refuseIf(
    settings.weakValues && dispose !== undefined,
    '`dispose` does not go with `weakValues`: a value that was collected cannot be disposed of.',
  );
  refuseIf(
    loadTimeoutMillis !== undefined && objectWith('setTimer', 'clearTimer')(clock) !== undefined,
    '`loadTimeoutMillis` needs a `clock` with setTimer() and clearTimer().',
  );
  const hasStages =
    settings.shared !== undefined ||
    negativeTtl !== 0 ||
    settings.staleWhileRevalidate > 0 ||
    settings.staleIfError > 0 ||
    settings.refreshAfter !== Infinity ||
    settings.idleTtl !== Infinity ||
    weigh !== undefined ||
    settings.load !== undefined ||
    settings.weakValues;
  const asksCallbacks =
    typeof ttl === 'function' ||
    typeof negativeTtl === 'function' ||
    weigh !== undefined ||
    settings.cacheIf !== undefined ||
    settings.tags !== undefined ||
    negativeTags !== undefined;
  return Object.assign(settings, {
    retryAfterMillis:
      settings.retryAfterMillis ??
      (typeof negativeTtl === 'number' && negativeTtl > 0 ? negativeTtl : undefined),
    loadTimeouts:
      typeof loadTimeoutMillis === 'number' ? { hard: loadTimeoutMillis } : loadTimeoutMillis,
    onError: (error: unknown, where: string) =>
      void guardedCall('the option `onError`', () => onError(error, where)),
    max: isBounded ? Math.min(settings.max, MAX_BOUNDED_ENTRIES) : Infinity,
    maxWeight,
    printsErrors: onError === print,
    name: settings.name || functionName || 'anonymous',
    givenName: settings.name || undefined,
    isPlain: !hasStages && !asksCallbacks && dispose === undefined,
    expires: hasStages || ttl !== Infinity,
    hasStages,
    asksCallbacks,
  });
}
