/** Makes a keyed pool: checks the arguments and captures the async context that its background work runs in. */

import { captureAsyncContext } from '../core/async-context.js';
import { created } from '../core/created-components.js';
import { aFunction, checkArgument } from '../core/options.js';
import type { Factory } from './factory.js';
import { KeyedPool } from './keyed-pool.js';
import { type KeyedPoolOptions, resolveKeyedPoolOptions } from './keyed-pool-options.js';

/**
 * Makes a pool for each key, with a limit for each key (`max`) and one over all keys (`maxTotal`). `factoryOf` gives the
 * factory of a key when the key is first asked for. Keys are compared as those of a `Map`.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option. A key's factory is
 * checked when the key is first asked for.
 *
 * @example
 * ```ts
 * import { createKeyedPool } from 'tenure/pool';
 *
 * const connect = (host: string) => ({ create: () => ({ host }), destroy: () => {} });
 * const pools = createKeyedPool(connect, { max: 4, maxTotal: 20 });
 * await pools.use('a.example', (connection) => connection.host); // => 'a.example'
 * const lease = await pools.lease('b.example');
 * [pools.stats().keys, pools.stats().borrowed]; // => [2, 1]
 * lease.release();
 * await pools.close();
 * ```
 */
export function createKeyedPool<K, T>(
  factoryOf: (key: K) => Factory<T>,
  options: KeyedPoolOptions<K> = {},
): KeyedPool<K, T> {
  checkArgument('createKeyedPool', 'factoryOf', factoryOf, aFunction);
  const settings = resolveKeyedPoolOptions('createKeyedPool', options);
  return created(new KeyedPool(factoryOf, settings, captureAsyncContext()));
}
