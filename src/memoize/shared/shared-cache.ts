/** The value for the option `shared`. */
import { type Clock, systemClock } from '../../core/clock.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { guardedClock } from '../../core/guarded-clock.js';
import {
  aBoolean,
  aFunction,
  aName,
  millis,
  type OptionTable,
  objectWith,
  option,
  optional,
  positiveMillis,
  resolveOptions,
} from '../../core/options.js';
import type { ClusterLock } from '../cluster-lock.js';
import type { InvalidationBus } from '../invalidation-bus.js';
import type { SharedCache } from '../shared-port.js';
import type { SharedStore } from '../shared-store.js';
import { type SharedCacheSettings, StoreBackedLevel } from './shared-level.js';

/** Options of {@link sharedCache}. At least one of `store` and `bus` is needed. */
export interface SharedCacheOptions<V = unknown> {
  /**
   * A store that other processes use too, for example an instance of Keyv. It is read before the function is called. It is
   * written afterwards, while the caller goes on. Values must be serializable by the store. @default none
   */
  readonly store?: SharedStore;
  /**
   * How long one call waits for answers of the store and the lock together, in milliseconds, before it goes on without them. What
   * gave no answer then rests for 5 seconds, or twice this time if that is longer, and calls go on without it: a key, a shard of
   * a cluster, or the whole store. Time in which the event loop is busy with answers hardly counts, so a call may wait ten times as long at
   * most. `Infinity` for no limit.
   * @default 1000
   */
  readonly storeTimeoutMillis?: number;
  /** Sends invalidations to the other processes, and receives theirs. @default none */
  readonly bus?: InvalidationBus;
  /** Lets one process at a time load a result. The others then find it in `store`. Needs `store`. @default none */
  readonly lock?: ClusterLock;
  /**
   * The start of all names in the store and of locks, and of the cache's name on the bus. Without it, names of locks and on the
   * bus begin with the `namespace` of a Keyv `store`. @default none
   */
  readonly prefix?: string;
  /**
   * Writes SHA-256 digests in place of arguments and tags into the names of values and locks, and into messages. Guessable
   * arguments can still be found by trying. Results and their tags stay readable. Processes with another value share nothing.
   * @default false
   */
  readonly hashKeys?: boolean;
  /**
   * The version of the results: change it with their shape. It is a part of the names of results and of locks, so the processes of two
   * versions share no results. They share invalidations. @default none
   */
  readonly version?: string | number;
  /**
   * How long a result is fresh in this process at most, in milliseconds. Then the store is asked, where it stays for its `ttl`.
   * The result of this process then serves only as `staleIfError` says. 0 asks the store with each call. Needs `store`. @default
   * Infinity
   */
  readonly localTtlMillis?: number;
  /**
   * Gives what is stored for a result; may be async. If it throws, or has no answer within `storeTimeoutMillis`, the result is
   * not shared. Needs `deserialize`. @default the result itself
   */
  serialize?(value: V): unknown;
  /**
   * Gives the result for what is stored; may be async. If it throws, or has no answer within `storeTimeoutMillis`, the call goes
   * on as if nothing was stored. Needs `serialize`. @default what is stored
   */
  deserialize?(stored: unknown): V | PromiseLike<V>;
  /**
   * Checks a result from the store, after `deserialize`; may be async. If it gives `false`, throws, or has no answer within
   * `storeTimeoutMillis`, the call goes on as if nothing was stored. Needs `store`. @default every result is taken
   */
  validate?(value: unknown): boolean | PromiseLike<boolean>;
  /** The source of time for timeouts and retries. @default systemClock */
  readonly clock?: Clock;
}

const OPTIONS: OptionTable<SharedCacheSettings> = {
  store: optional(objectWith('get', 'set', 'delete')),
  storeTimeoutMillis: option(positiveMillis, 1_000),
  bus: optional(objectWith('publish', 'subscribe')),
  lock: optional(objectWith('acquire')),
  prefix: optional(aName),
  hashKeys: option(aBoolean, false),
  version: optional(aVersion),
  localTtlMillis: option(millis, Number.POSITIVE_INFINITY),
  serialize: optional(aFunction),
  deserialize: optional(aFunction),
  validate: optional(aFunction),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
};

/**
 * Shares a cache between processes: give it to the option `shared`.
 *
 * - The function must be asynchronous.
 * - Its arguments must be primitives, or the option `key` must make a primitive of them.
 * - The cache needs the option `name`: one name in all processes, and no other function may have it.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import Keyv from 'keyv';
 * import { memoize } from 'tenure/memoize';
 * import { sharedCache } from 'tenure/memoize/shared';
 *
 * const store = new Keyv();
 * let loads = 0;
 * const load = async (id: number) => ({ id, load: ++loads });
 * const process = () => memoize(load, { name: 'user', ttl: 60_000, shared: sharedCache({ store }) });
 * const [first, second] = [process(), process()];
 * await first(7);
 * await first.flush();
 * await second(7); // => { id: 7, load: 1 }
 * ```
 */
export function sharedCache<V = unknown>(options: SharedCacheOptions<V>): SharedCache {
  const given = resolveOptions('sharedCache', options, OPTIONS);
  const settings = { ...given, clock: guardedClock(given.clock) };
  checkTogether(settings);
  return {
    attach: (cache, counters, local) => {
      if (cache.givenName === undefined) {
        throw new InvalidArgumentError(
          'memoize: a cache with `shared` needs a `name`: one name in all processes, and no other function may have it.',
        );
      }
      return new StoreBackedLevel(settings, cache, counters, local);
    },
  };
}

/** Checks the options that need each other. */
function checkTogether(settings: SharedCacheSettings): void {
  if (settings.store === undefined && settings.bus === undefined) {
    throw new InvalidArgumentError('sharedCache: give it a `store`, a `bus` or both.');
  }
  if (settings.lock !== undefined && settings.store === undefined) {
    throw new InvalidArgumentError(
      'sharedCache: `lock` needs `store`: a caller that waited for the lock gets the result of its holder from there.',
    );
  }
  if ((settings.serialize === undefined) !== (settings.deserialize === undefined)) {
    throw new InvalidArgumentError(
      'sharedCache: `serialize` and `deserialize` need each other: give both or neither.',
    );
  }
  if (settings.store !== undefined) return;
  for (const name of ['localTtlMillis', 'serialize', 'validate'] as const) {
    if (settings[name] === undefined || settings[name] === Number.POSITIVE_INFINITY) continue;
    throw new InvalidArgumentError(
      `sharedCache: \`${name}\` needs \`store\`: without one, no result is shared.`,
    );
  }
}

function aVersion(value: unknown): string | undefined {
  return aName(value) === undefined || Number.isSafeInteger(value)
    ? undefined
    : 'a non-empty string or an integer';
}
