/** The options of a keyed pool. They are apart from those of a pool, so that a bundle of `createPool` does not contain them. */
import { steadyClock } from '../core/guarded-clock.js';
import {
  aFunction,
  countOrInfinity,
  type OptionCheck,
  option,
  optional,
  resolveOptions,
} from '../core/options.js';
import {
  checkLimits,
  type IgnoredOptions,
  POOL_OPTIONS,
  type PoolLimits,
  type PoolOptions,
  type PoolSettings,
} from './pool-options.js';

/** The check of `maxTotal`. */
export const MAX_TOTAL: OptionCheck = countOrInfinity(1);

/** Options of `createKeyedPool`: the options of each key's pool, and the limit over all keys. */
export interface KeyedPoolOptions<K = unknown> extends PoolOptions {
  /** The most resources that may exist for all keys together. @default Infinity */
  readonly maxTotal?: number;
  /**
   * Names a key in errors, reports and metrics. @default the key as text, up to 100 characters, with passwords and tokens in
   * connection strings masked; a number for an object that is no URL
   */
  readonly keyLabel?: (key: K) => string;
}

/** The resolved options of a keyed pool. */
export interface KeyedPoolSettings<K = unknown> extends PoolSettings {
  maxTotal: number;
  readonly keyLabel: ((key: K) => string) | undefined;
}

/**
 * The options of a keyed pool with their defaults.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveKeyedPoolOptions<K>(
  where: string,
  options: KeyedPoolOptions<K>,
): KeyedPoolSettings<K> {
  const settings: KeyedPoolSettings<K> = resolveOptions<KeyedPoolSettings<K> & IgnoredOptions>(
    where,
    options,
    {
      ...POOL_OPTIONS,
      maxTotal: option(MAX_TOTAL, Number.POSITIVE_INFINITY),
      keyLabel: optional(aFunction),
    },
  );
  checkLimits(where, settings);
  return { ...settings, clock: steadyClock(settings.clock) };
}

/** The limits that `resize` of a keyed pool changes. */
export interface KeyedPoolLimits extends PoolLimits {
  /** The most resources that may exist for all keys together. */
  maxTotal: number;
}

/** The limits after a change; those that are not given stay. */
export function resolveKeyedLimits(
  options: Partial<KeyedPoolLimits>,
  now: KeyedPoolLimits,
): KeyedPoolLimits {
  const limits = resolveOptions<KeyedPoolLimits>('resize', options, {
    min: option(POOL_OPTIONS.min.check, now.min),
    max: option(POOL_OPTIONS.max.check, now.max),
    maxTotal: option(MAX_TOTAL, now.maxTotal),
  });
  checkLimits('resize', limits);
  return limits;
}

/** The limits of one key after such a change. A limit that is not given stays as far as the other one, if that is given, allows. */
export function limitsOfKey(
  { min, max }: Partial<PoolLimits>,
  own: Readonly<PoolLimits>,
): PoolLimits {
  const most = max ?? Math.max(own.max, min ?? 0);
  return { min: min ?? Math.min(own.min, most), max: most };
}
