/** The value for the option `shared`. */
import { InvalidArgumentError } from '../../core/errors.js';
import {
  millis,
  type OptionTable,
  objectWith,
  option,
  optional,
  resolveOptions,
} from '../../core/options.js';
import type { ClusterLock } from '../cluster-lock.js';
import type { InvalidationBus } from '../invalidation-bus.js';
import type { SharedCache } from '../shared-port.js';
import type { SharedStore } from '../shared-store.js';
import { type SharedCacheSettings, StoreBackedLevel } from './shared-level.js';

/** Options of {@link sharedCache}. At least one of `store` and `bus` is needed. */
export interface SharedCacheOptions {
  /**
   * A store that other processes use too, for example an instance of Keyv. It is read before the function is called. It is
   * written afterwards, while the caller goes on. Values must be serializable by the store. @default none
   */
  readonly store?: SharedStore;
  /**
   * How long a call waits for an answer of the store, in milliseconds, before it goes on without the store. `Infinity` for no
   * limit. @default 1000
   */
  readonly storeTimeoutMillis?: number;
  /** Sends invalidations to the other processes, and receives theirs. @default none */
  readonly bus?: InvalidationBus;
  /** Lets one process at a time load a result. The others then find it in `store`. Needs `store`. @default none */
  readonly lock?: ClusterLock;
}

const OPTIONS: OptionTable<SharedCacheSettings> = {
  store: optional(objectWith('get', 'set', 'delete')),
  storeTimeoutMillis: option(millis, 1_000),
  bus: optional(objectWith('publish', 'subscribe')),
  lock: optional(objectWith('acquire')),
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
export function sharedCache(options: SharedCacheOptions): SharedCache {
  const parts = resolveOptions('sharedCache', options, OPTIONS);
  if (parts.store === undefined && parts.bus === undefined) {
    throw new InvalidArgumentError('sharedCache: give it a `store`, a `bus` or both.');
  }
  if (parts.lock !== undefined && parts.store === undefined) {
    throw new InvalidArgumentError(
      'sharedCache: `lock` needs `store`: a caller that waited for the lock gets the result of its holder from there.',
    );
  }
  return {
    attach: (cache, counters, local) => {
      if (cache.givenName === undefined) {
        throw new InvalidArgumentError(
          'memoize: a cache with `shared` needs a `name`: one name in all processes, and no other function may have it.',
        );
      }
      return new StoreBackedLevel(parts, cache, counters, local);
    },
  };
}
