/** The options of a memoized function. */
import { type Clock, systemClock } from '../core/clock.js';
import { InvalidArgumentError } from '../core/errors.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aBoolean,
  aFunction,
  aName,
  countOrInfinity,
  millis,
  numberAtLeast,
  type OptionCheck,
  type OptionTable,
  objectWith,
  option,
  optional,
  resolveOptions,
} from '../core/options.js';
import type { AnyFn, Settled } from './any-fn.js';
import type { Disposal } from './disposal-port.js';
import type { EvictionPolicy } from './eviction-policy.js';
import type { LoadContext } from './load-context.js';
import type { SharedCache } from './shared-port.js';

/** Options of `memoize`. */
export interface MemoizeOptions<F extends AnyFn, K = unknown> {
  /**
   * Turns the arguments into the one value that is compared instead of them, by SameValueZero: a string for structural
   * keys, say. Called as the function itself would be, on hits too. @default all arguments, by identity
   */
  readonly key?: (...args: Parameters<F>) => K;
  /** How many entries are kept at most, least recently used out first; 0 keeps none and only shares loads. @default Infinity */
  readonly max?: number;
  /**
   * How much all entries may weigh together, as `weigh` says; least recently used out first. A result that is heavier
   * than this by itself is returned and not kept. Needs `weigh`. @default Infinity
   */
  readonly maxWeight?: number;
  /** The weight of a result, ≥ 0, taken once when it is stored. Needs `maxWeight`. */
  readonly weigh?: (value: Settled<F>, ...args: Parameters<F>) => number;
  /**
   * Which entry makes room when `max` or `maxWeight` is reached: `s3fifo()` of `tenure/memoize/s3-fifo`, or a policy of your own.
   * @default least recently used
   */
  readonly policy?: EvictionPolicy;
  /** How long an entry is fresh, in milliseconds from when its result was there; or a function that says so. @default Infinity */
  readonly ttl?: number | ((value: Settled<F>, ...args: Parameters<F>) => number);
  /**
   * How long a failure is remembered and given to later callers, in milliseconds; or a function that says so. The default
   * remembers none. @default 0
   */
  readonly negativeTtl?: number | ((error: unknown, ...args: Parameters<F>) => number);
  /**
   * For how many milliseconds after its `ttl` an entry is still served while one load in the background replaces it.
   * The `stale-while-revalidate` of RFC 5861. @default 0
   */
  readonly staleWhileRevalidate?: number;
  /**
   * For how many milliseconds after its `ttl` an entry is served in place of the failure, when the load that was to
   * replace it fails. The `stale-if-error` of RFC 5861. @default 0
   */
  readonly staleIfError?: number;
  /**
   * An entry that is asked for when it is older than this many milliseconds, and still fresh, is served and replaced by a
   * load in the background. @default Infinity
   */
  readonly refreshAfter?: number;
  /** By what part at most each entry's `ttl` and `refreshAfter` are shortened at random, so that they do not end at once; from 0 to 1. @default 0 */
  readonly jitter?: number;
  /** The source of the randomness for `jitter`: from 0 to less than 1. @default Math.random */
  readonly random?: () => number;
  /** Whether a result is kept at all. @default every result is */
  readonly cacheIf?: (value: Settled<F>, ...args: Parameters<F>) => boolean;
  /** The tags of a result, for `invalidateTags`. @default none */
  readonly tags?: (value: Settled<F>, ...args: Parameters<F>) => Iterable<string>;
  /**
   * Is called in place of the function, with the same `this`: for loads that can be aborted, that make use of the stale
   * result, or that find out the `ttl` and the tags of their result. @default calls the function
   */
  readonly load?: (context: LoadContext<F>) => ReturnType<F>;
  /**
   * Holds results that are objects weakly: an entry goes when nobody else holds its result. A loader's promise is then
   * not kept, but its result. Not together with `dispose`. @default false
   */
  readonly weakValues?: boolean;
  /**
   * Disposes of results that have left the cache: `disposal()` of `tenure/memoize/disposal`. Not together with `weakValues`.
   * @default results are dropped
   */
  readonly dispose?: Disposal<Settled<F>, K>;
  /**
   * Shares results and invalidations with other processes: `sharedCache({ store, bus, lock })` of `tenure/memoize/shared`.
   * Needs a `name`. @default none
   */
  readonly shared?: SharedCache;
  /**
   * Told of an error that no caller can be given: of a `dispose`, a background load, or a `cacheIf`, `ttl`, `tags` or
   * `weigh` that threw, in which case the result is returned and not kept. @default prints it
   */
  readonly onError?: (error: unknown, where: string) => void;
  /** What the cache is called in reports. @default the function's own name, or 'anonymous' */
  readonly name?: string;
  /** The source of time; read only if something depends on it. @default systemClock */
  readonly clock?: Pick<Clock, 'now'>;
}

/** A callback as the cache calls it. */
export type Callback<R> = (...args: unknown[]) => R;

/** The options with their defaults. */
interface ResolvedOptions {
  readonly key: AnyFn | undefined;
  readonly max: number;
  readonly maxWeight: number;
  readonly weigh: Callback<number> | undefined;
  readonly policy: EvictionPolicy | undefined;
  readonly ttl: number | Callback<number>;
  readonly negativeTtl: number | Callback<number>;
  readonly staleWhileRevalidate: number;
  readonly staleIfError: number;
  readonly refreshAfter: number;
  readonly jitter: number;
  readonly random: () => number;
  readonly cacheIf: Callback<boolean> | undefined;
  readonly tags: Callback<Iterable<string>> | undefined;
  readonly load: Callback<unknown> | undefined;
  readonly weakValues: boolean;
  readonly dispose: Disposal<never, never> | undefined;
  readonly shared: SharedCache | undefined;
  readonly onError: (error: unknown, where: string) => void;
  readonly name: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** The options with their defaults, and what follows from them. */
export interface MemoizeSettings extends ResolvedOptions {
  /** The option `name`, if it was given. */
  readonly givenName: string | undefined;
  /** Whether every result is kept, for the same time, and no callback or part is told of it. */
  readonly isPlain: boolean;
  /** Whether an entry can expire without an option of its own. */
  readonly expires: boolean;
  /** Whether an entry needs more than the time at which it expires. */
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

/** Accepts what a function of a subpath makes, which has this method. */
function madeBy(call: string, subpath: string, method: string): OptionCheck {
  return (value) => objectWith(method)(value) && `made by ${call} of 'tenure/memoize/${subpath}'`;
}

/** Each option's check and default. */
const OPTIONS: OptionTable<ResolvedOptions> = {
  key: optional(aFunction),
  max: option(countOrInfinity(0), Infinity),
  maxWeight: option(numberAtLeast(0), Infinity),
  weigh: optional(aFunction),
  policy: optional(madeBy('a policy, such as s3fifo()', 's3-fifo', 'makeStore')),
  ttl: option<number | Callback<number>>(millisOrFunction, Infinity),
  negativeTtl: option<number | Callback<number>>(millisOrFunction, 0),
  staleWhileRevalidate: option(millis, 0),
  staleIfError: option(millis, 0),
  refreshAfter: option(millis, Infinity),
  jitter: option(fraction, 0),
  random: option(aFunction, Math.random),
  cacheIf: optional(aFunction),
  tags: optional(aFunction),
  load: optional(aFunction),
  weakValues: option(aBoolean, false),
  dispose: optional(madeBy('disposal()', 'disposal', 'attach')),
  shared: optional(madeBy('sharedCache()', 'shared', 'attach')),
  onError: option(aFunction, (error: unknown, where: string) => reportIgnoredError(where, error)),
  name: option(aName, ''),
  clock: option(objectWith('now'), systemClock),
};

/**
 * The options of a memoized function with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveMemoizeOptions<F extends AnyFn, K>(
  fn: F,
  options: MemoizeOptions<F, K>,
): MemoizeSettings {
  const settings = resolveOptions('memoize', options, OPTIONS);
  const { ttl, negativeTtl, weigh, dispose } = settings;
  if ((weigh === undefined) !== (options.maxWeight === undefined)) {
    throw new InvalidArgumentError(
      'memoize: `maxWeight` and `weigh` need each other: give both or neither.',
    );
  }
  if (settings.weakValues && dispose !== undefined) {
    throw new InvalidArgumentError(
      'memoize: `dispose` does not go with `weakValues`: a value that was collected cannot be disposed of.',
    );
  }
  const hasStages =
    settings.shared !== undefined ||
    negativeTtl !== 0 ||
    settings.staleWhileRevalidate > 0 ||
    settings.staleIfError > 0 ||
    settings.refreshAfter !== Infinity ||
    weigh !== undefined ||
    settings.load !== undefined ||
    settings.weakValues;
  const asksCallbacks =
    typeof ttl === 'function' ||
    typeof negativeTtl === 'function' ||
    weigh !== undefined ||
    settings.cacheIf !== undefined ||
    settings.tags !== undefined;
  return {
    ...settings,
    name: settings.name || fn.name || 'anonymous',
    givenName: options.name,
    isPlain: !hasStages && !asksCallbacks && dispose === undefined,
    expires: hasStages || ttl !== Infinity,
    hasStages,
    asksCallbacks,
  };
}
