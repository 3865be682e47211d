/** The options of a memoized function, and what they are checked against. */
import { type Clock, systemClock } from '../core/clock.js';
import { InvalidArgumentError } from '../core/errors.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aBoolean,
  aFunction,
  aName,
  checkOptions,
  millis,
  numberAtLeast,
  type OptionCheck,
  type OptionChecks,
  objectWith,
} from '../core/options.js';
import type { AnyFn, Settled } from './any-fn.js';
import type { ClusterLock } from './cluster-lock.js';
import type { InvalidationBus } from './invalidation-bus.js';
import type { LoadContext } from './load-context.js';
import type { SharedStore } from './shared-store.js';
import type { RemovalCause } from './stores/store.js';

/** Which entry makes room for another. */
export type EvictionPolicy = 'lru' | 's3-fifo';

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
   * Which entry makes room when `max` or `maxWeight` is reached. `'lru'`: the least recently used. `'s3-fifo'`: one that
   * was asked for least since it came; more hits on most workloads, and a scan over many keys displaces nothing.
   * @default 'lru'
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
   * What happens to a result that has left the cache, once every `lease` on it has been given back. `true` calls its
   * `[Symbol.dispose]` or `[Symbol.asyncDispose]`, if it has one; a function is called for every result. Each result is
   * disposed of once, however many entries hold it. The function's `key` is what the option `key` made, or the list of
   * arguments; `undefined` if an object in it was collected. @default false
   */
  readonly dispose?:
    | boolean
    | ((value: Settled<F>, key: K | undefined, cause: RemovalCause) => void | PromiseLike<void>);
  /**
   * A store that other processes use too: an instance of Keyv, say. It is asked before the function is called, and told
   * of the result afterwards, while the caller goes on. Values must survive being serialized. The function must be
   * asynchronous, its arguments primitives, or what `key` makes of them, and the cache needs a `name` that it has in
   * every process and that no other function has. @default none
   */
  readonly store?: SharedStore;
  /** How long an answer of the store is waited for, in milliseconds, before the call goes on without it. @default 1000 */
  readonly storeTimeout?: number;
  /** Tells the other processes what is invalidated, and hears it from them. Needs a `name`. @default none */
  readonly bus?: InvalidationBus;
  /** Lets one process load at a time what all of them want; the others find it in `store`. Needs `store`. @default none */
  readonly lock?: ClusterLock;
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

/** Every option, resolved. */
export interface MemoizeSettings {
  readonly key: AnyFn | undefined;
  readonly max: number;
  readonly maxWeight: number;
  readonly weigh: Callback<number> | undefined;
  readonly policy: EvictionPolicy;
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
  readonly dispose: boolean | Callback<unknown>;
  readonly store: SharedStore | undefined;
  readonly storeTimeout: number;
  readonly bus: InvalidationBus | undefined;
  readonly lock: ClusterLock | undefined;
  /** Whether other processes share the results, or hear what is invalidated. */
  readonly shared: boolean;
  readonly onError: (error: unknown, where: string) => void;
  readonly name: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Whether every result is kept, for the same time and without a word about it. */
  readonly isPlain: boolean;
  /** Whether an entry can expire without an option of its own. */
  readonly expires: boolean;
  /** Whether an entry needs more than a time at which it expires. */
  readonly hasStages: boolean;
  /** Whether a callback is asked about each result, with its arguments. */
  readonly asksCallbacks: boolean;
}

const countOrInfinity: OptionCheck = (value) =>
  value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= 0)
    ? undefined
    : 'an integer ≥ 0, or Infinity';

const millisOrFunction: OptionCheck = (value) =>
  typeof value === 'function' || millis(value) === undefined
    ? undefined
    : 'a number of milliseconds ≥ 0, or a function';

const CHECKS: OptionChecks<MemoizeOptions<AnyFn>> = {
  key: aFunction,
  max: countOrInfinity,
  maxWeight: numberAtLeast(0),
  weigh: aFunction,
  policy: (value) => (value === 'lru' || value === 's3-fifo' ? undefined : "'lru' or 's3-fifo'"),
  ttl: millisOrFunction,
  negativeTtl: millisOrFunction,
  staleWhileRevalidate: millis,
  staleIfError: millis,
  refreshAfter: millis,
  jitter: (value) =>
    typeof value === 'number' && value >= 0 && value <= 1 ? undefined : 'a number from 0 to 1',
  random: aFunction,
  cacheIf: aFunction,
  tags: aFunction,
  load: aFunction,
  weakValues: aBoolean,
  dispose: (value) =>
    typeof value === 'boolean' || typeof value === 'function'
      ? undefined
      : 'true, false or a function',
  store: objectWith('get', 'set', 'delete'),
  storeTimeout: millis,
  bus: objectWith('publish', 'subscribe'),
  lock: objectWith('acquire'),
  onError: aFunction,
  name: aName,
  clock: objectWith('now'),
};

/** The settings that `options` ask for; throws {@link InvalidArgumentError} for what cannot be meant. */
export function resolveMemoizeOptions<F extends AnyFn, K>(
  fn: F,
  options: MemoizeOptions<F, K>,
): MemoizeSettings {
  checkOptions<MemoizeOptions<AnyFn>>('memoize', options, CHECKS);
  const given = options as Partial<Omit<MemoizeSettings, 'simple' | 'timed' | 'lived' | 'judged'>>;
  if ((given.weigh === undefined) !== (given.maxWeight === undefined)) {
    throw new InvalidArgumentError(
      'memoize: `maxWeight` and `weigh` need each other: give both or neither.',
    );
  }
  const settings = {
    key: given.key,
    max: given.max ?? Number.POSITIVE_INFINITY,
    maxWeight: given.maxWeight ?? Number.POSITIVE_INFINITY,
    weigh: given.weigh,
    policy: given.policy ?? 'lru',
    ttl: given.ttl ?? Number.POSITIVE_INFINITY,
    negativeTtl: given.negativeTtl ?? 0,
    staleWhileRevalidate: given.staleWhileRevalidate ?? 0,
    staleIfError: given.staleIfError ?? 0,
    refreshAfter: given.refreshAfter ?? Number.POSITIVE_INFINITY,
    jitter: given.jitter ?? 0,
    random: given.random ?? Math.random,
    cacheIf: given.cacheIf,
    tags: given.tags,
    load: given.load,
    weakValues: given.weakValues ?? false,
    dispose: given.dispose ?? false,
    store: given.store,
    storeTimeout: given.storeTimeout ?? 1_000,
    bus: given.bus,
    lock: given.lock,
    onError: given.onError ?? ((error, where) => reportIgnoredError(where, error)),
    name: given.name ?? (fn.name || 'anonymous'),
    clock: given.clock ?? systemClock,
  };
  if (settings.weakValues && settings.dispose !== false) {
    throw new InvalidArgumentError(
      'memoize: `dispose` does not go with `weakValues`: a value that was collected cannot be disposed of.',
    );
  }
  const shared = given.store !== undefined || given.bus !== undefined || given.lock !== undefined;
  if (shared && given.name === undefined) {
    throw new InvalidArgumentError(
      'memoize: a cache with a `store`, a `bus` or a `lock` needs a `name`: the same in every process, and that of no ' +
        'other function.',
    );
  }
  if (given.lock !== undefined && given.store === undefined) {
    throw new InvalidArgumentError(
      'memoize: `lock` needs `store`: those who waited for the lock find there what its holder has loaded.',
    );
  }
  const lived =
    shared ||
    settings.negativeTtl !== 0 ||
    settings.staleWhileRevalidate > 0 ||
    settings.staleIfError > 0 ||
    settings.refreshAfter !== Number.POSITIVE_INFINITY ||
    settings.weigh !== undefined ||
    settings.load !== undefined ||
    settings.weakValues;
  const timed = lived || settings.ttl !== Number.POSITIVE_INFINITY;
  const judged =
    typeof settings.ttl === 'function' ||
    typeof settings.negativeTtl === 'function' ||
    settings.weigh !== undefined ||
    settings.cacheIf !== undefined ||
    settings.tags !== undefined;
  const simple = !lived && !judged && settings.dispose === false;
  return { ...settings, isPlain: simple, expires: timed, hasStages: lived, asksCallbacks: judged, shared };
}
