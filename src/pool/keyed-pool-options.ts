/** The options of a keyed pool. They are apart from those of a pool, so that a bundle of `createPool` does not contain them. */
import { countOrInfinity, option, resolveOptions } from '../core/options.js';
import {
  checkLimits,
  type IgnoredOptions,
  POOL_OPTIONS,
  type PoolOptions,
  type PoolSettings,
} from './pool-options.js';

/** Options of `createKeyedPool`: the options of each key's pool, and the limit over all keys. */
export interface KeyedPoolOptions extends PoolOptions {
  /** The most resources that may exist for all keys together. @default Infinity */
  readonly maxTotal?: number;
}

/** The resolved options of a keyed pool. */
export type KeyedPoolSettings = PoolSettings & Required<Pick<KeyedPoolOptions, 'maxTotal'>>;

/**
 * The options of a keyed pool with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveKeyedPoolOptions(
  where: string,
  options: KeyedPoolOptions,
): KeyedPoolSettings {
  const settings: KeyedPoolSettings = resolveOptions<KeyedPoolSettings & IgnoredOptions>(
    where,
    options,
    { ...POOL_OPTIONS, maxTotal: option(countOrInfinity(1), Number.POSITIVE_INFINITY) },
  );
  checkLimits(where, settings);
  return settings;
}
