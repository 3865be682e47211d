/** Makes a pool: checks the arguments and captures the async context that the pool's background work runs in. */
import { captureAsyncContext } from '../core/async-context.js';
import { created } from '../core/created-components.js';
import { checkFactory, type Factory, refuseLimits } from './factory.js';
import { Pool } from './pool.js';
import { PoolEngine } from './pool-engine.js';
import { checkValidation, type PoolOptions, resolvePoolOptions } from './pool-options.js';

/**
 * Makes a pool of the resources that `factory` creates. Factory and options are a superset of generic-pool's. Every wait has
 * a timeout unless it is switched off with `Infinity`.
 *
 * The factory is always called in the async context of this call, not in that of the request that needs a resource.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 *
 * const connect = async () => ({ query: async (text: string) => `result of ${text}`, end() {} });
 * const pool = createPool({ create: connect, destroy: (connection) => connection.end() }, { max: 4 });
 *
 * await pool.use((connection) => connection.query('select 1')); // => 'result of select 1'
 * await pool.close();
 * ```
 */
export function createPool<T>(factory: Factory<T>, options: PoolOptions = {}): Pool<T> {
  return created(new Pool(makeEngine('createPool', factory, options)));
}

/** Makes what is behind a pool. `where` names the function that was called, for errors. */
export function makeEngine<T>(
  where: string,
  factory: Factory<T>,
  options: PoolOptions,
): PoolEngine<T> {
  checkFactory(where, factory);
  const settings = resolvePoolOptions(where, options);
  refuseLimits(where, factory, options);
  checkValidation(where, factory, settings);
  const engine = new PoolEngine(factory, settings, captureAsyncContext());
  if (settings.autostart) engine.start();
  return engine;
}
