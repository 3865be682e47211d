/** A cache without a function of its own: each call brings the load. */
/// <reference lib="esnext.disposable" preserve="true" />
import { aFunction, checkArgument, type OptionCheck } from '../core/options.js';
import { observe, type Watchable } from '../core/probe.js';
import type { SharedLease } from '../scope/shared-lease.js';
import type { CacheEventMap } from './cache-events.js';
import type { CacheInfo } from './cache-info.js';
import type { CallOptions } from './call-options.js';
import type { EntryOptions } from './entry-options.js';
import type { Key } from './keys/key-trie.js';
import type { LoadContext } from './load-context.js';
import type { MemoCache } from './memo-cache.js';
import { cacheBehind, memoize, promiseOf } from './memoize.js';
import { copiedMemoizeOptions, type MemoizeOptions } from './memoize-options.js';
import type { CacheListener } from './memoized.js';
import { isStaged } from './stores/staged-entry.js';
import { resultIn } from './stores/stored.js';

/** Loads the value of a key. The context has the signal, the stale value, and `ttl` and `tags` to set. */
export type KeyLoader<V> = (
  context: Omit<LoadContext<() => Promise<V>>, 'args'>,
) => V | PromiseLike<V>;

const REFUSED = { key: 'Give it to getOrLoad().', load: 'Give it to getOrLoad().' };

type Load<K, V> = (key: K, load: KeyLoader<V>) => Promise<V>;

/** Options of {@link createCache}: those of `memoize`. Callbacks get the key as their last argument. */
export type CacheOptions<K, V> = Omit<MemoizeOptions<(key: K) => Promise<V>, K>, 'key' | 'load'>;

/** A cache of values by key. Keys are compared by SameValueZero, objects by identity. */
export interface Cache<K, V> extends Disposable, Watchable {
  /** Gives the stored value, joins the load in flight, or loads the value. */
  getOrLoad(key: K, load: KeyLoader<V>, options?: CallOptions): Promise<V>;
  /** Does what {@link getOrLoad} does, and gives a lease on the value, which is not disposed of before. Needs the option `dispose`. */
  lease(key: K, load: KeyLoader<V>): Promise<SharedLease<V, void>>;
  /**
   * The stored value if a call would get it; `undefined` for none. Loads nothing, and joins no load. Counts as a use, and as a hit or a
   * miss.
   */
  get(key: K): Promise<V> | V | undefined;
  /** The stored value if a call would get it; `undefined` for none. Counts as no use. */
  peek(key: K): Promise<V> | V | undefined;
  /** Whether a call would get a stored value. */
  has(key: K): boolean;
  /** Stores a value. */
  set(key: K, value: V, options?: EntryOptions): void;
  /** Forgets the value of a key; false if there is none. */
  delete(key: K): boolean;
  /** Forgets the values of some keys, and gives how many there were. */
  deleteMany(keys: readonly K[]): number;
  /** Forgets all values. */
  clear(): void;
  /** Forgets the values with one of these tags, and gives how many there were. */
  invalidateTags(...tags: string[]): number;
  /** The keys with a value, in the order of `keys` of a memoized function. */
  keys(): IterableIterator<K>;
  /** The {@link keys} with their values: promises, except for values that were stored by `set`. */
  entries(): IterableIterator<[key: K, value: Promise<V> | V]>;
  /** Tries what is pending in the shared level. True if no invalidation is pending any more. */
  flush(): Promise<boolean>;
  /** The figures of the cache. */
  cacheInfo(): CacheInfo;
  /** Adds a listener. */
  on<E extends keyof CacheEventMap>(event: E, listener: CacheListener<E, [key: K], V>): this;
  /** Removes a listener. */
  off<E extends keyof CacheEventMap>(event: E, listener: CacheListener<E, [key: K], V>): this;
}

/**
 * Makes a cache for values that have no function of their own. It is the cache of `memoize`, with all its options but `key` and
 * `load`.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import { createCache } from 'tenure/memoize';
 *
 * const users = createCache<number, { id: number }>({ max: 1_000, ttl: 60_000 });
 * let loads = 0;
 * const user = (id: number) => users.getOrLoad(id, async () => ({ id, load: ++loads }));
 * await user(7); // => { id: 7, load: 1 }
 * await user(7); // => { id: 7, load: 1 }
 * users.delete(7); // => true
 * ```
 */
export function createCache<K, V>(options: CacheOptions<K, V> = {}): Cache<K, V> {
  // Its name is that of the cache in reports. It is no name for a shared level, where two caches must not have one.
  const load: Load<K, V> = {
    'a cache': async (): Promise<V> => Promise.reject(new Error('unreachable')),
  }['a cache'];
  const given: CacheOptions<K, V> = copiedMemoizeOptions('createCache', options, REFUSED);
  const own: MemoizeOptions<Load<K, V>, K> = {
    key: (key) => key,
    load: async (context) => await context.args[1](context as never),
  };
  const memoized = memoize(load, { ...given, ...keyCallbacks(given), ...own });
  const behind = cacheBehind('createCache', memoized);
  behind.recorder.argsOfEvents = 1; // A listener gets the key, and not the load.
  const listOf = (key: K): Parameters<Load<K, V>> => [key] as never;
  const cache: Cache<K, V> = {
    getOrLoad(key, loader, call) {
      const result = promiseOf(() => {
        checkArgument('getOrLoad', 'load', loader, aFunction);
        return call === undefined ? memoized(key, loader) : memoized.call([key, loader], call);
      });
      return Promise.resolve(result); // A value that was stored by set() is no promise.
    },
    async lease(key, loader) {
      checkArgument('lease', 'load', loader, aFunction);
      return memoized.lease(key, loader);
    },
    get: (key) => getStored(behind, key) as V | undefined,
    peek: (key) => memoized.peek(...listOf(key)),
    has: (key) => memoized.has(...listOf(key)),
    set: (key, value, entry) => memoized.set(listOf(key), value as never, entry),
    delete: (key) => memoized.delete(...listOf(key)),
    deleteMany(keys) {
      checkArgument('deleteMany', 'keys', keys, anArray);
      return memoized.deleteMany(keys.map(listOf));
    },
    clear: () => memoized.clear(),
    invalidateTags: (...tags) => memoized.invalidateTags(...tags),
    *keys() {
      for (const [key] of memoized.keys()) yield key as K;
    },
    *entries() {
      for (const [[key], value] of memoized.entries()) yield [key as K, value];
    },
    flush: () => memoized.flush(),
    cacheInfo: () => memoized.cacheInfo(),
    on(event, listener) {
      behind.on(event, listener as never);
      return this;
    },
    off(event, listener) {
      behind.off(event, listener as never);
      return this;
    },
    [observe]: (observer) => memoized[observe](observer),
    [Symbol.dispose]: () => memoized[Symbol.dispose](),
  };
  return cache;
}

/** Reads a stored value as a call does, without a load. */
function getStored(cache: MemoCache, key: unknown): unknown {
  const { recorder, contents, settings } = cache;
  const args = [key];
  const stored = cache.peek(undefined, args);
  if (stored === undefined) {
    recorder.missed(args);
    return undefined;
  }
  const { fast, store, trie } = contents;
  store.get(trie.find(undefined, args) as Key); // Counts as a use.
  fast.hits++;
  const now = settings.clock.now();
  const isStale = isStaged(stored) && now >= stored.expiresAt;
  if (isStaged(stored)) stored.idleUntil = now + settings.idleTtl;
  if (isStale) recorder.servedStale(args);
  else recorder.called('hit', args);
  return resultIn(stored);
}

const anArray: OptionCheck = (value) => (Array.isArray(value) ? undefined : 'an array of keys');

/** The options that are asked about a value. They get the key as their last argument, and not the load. */
const CALLBACKS = ['ttl', 'negativeTtl', 'tags', 'negativeTags', 'cacheIf', 'weigh'] as const;

function keyCallbacks<K, V>(options: CacheOptions<K, V>): object {
  const callbacks: Record<string, unknown> = {};
  for (const name of CALLBACKS) {
    const callback = options[name];
    if (typeof callback !== 'function') continue;
    callbacks[name] = (about: unknown, key: K) => Reflect.apply(callback, undefined, [about, key]);
  }
  return callbacks;
}
