/** The options of a memoized function, and what they are checked against. */
import { type Clock, systemClock } from '../core/clock.js';
import {
  aFunction,
  aName,
  checkOptions,
  millis,
  type OptionCheck,
  type OptionChecks,
  objectWith,
} from '../core/options.js';

/** Any function. */
export type AnyFn = (...args: never[]) => unknown;

/** Options of `memoize`. */
export interface MemoizeOptions<F extends AnyFn, K = unknown> {
  /**
   * Turns the arguments into the one value that is compared instead of them, by SameValueZero: a string for structural
   * keys, say. Called as the function itself would be, on hits too. @default all arguments, by identity
   */
  readonly key?: (...args: Parameters<F>) => K;
  /** How many entries are kept at most, least recently used out first; 0 keeps none and only shares loads. @default Infinity */
  readonly max?: number;
  /** How long an entry is served, in milliseconds from when its result was there. @default Infinity */
  readonly ttl?: number;
  /** What the cache is called in reports. @default the function's own name, or 'anonymous' */
  readonly name?: string;
  /** The source of time; read only if there is a `ttl`. @default systemClock */
  readonly clock?: Pick<Clock, 'now'>;
}

/** Every option, resolved. */
export interface MemoizeSettings {
  readonly key: AnyFn | undefined;
  readonly max: number;
  /** `undefined` for entries that never expire. */
  readonly ttl: number | undefined;
  readonly name: string;
  readonly clock: Pick<Clock, 'now'>;
}

const countOrInfinity: OptionCheck = (value) =>
  value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && (value as number) >= 0)
    ? undefined
    : 'an integer ≥ 0, or Infinity';

const CHECKS: OptionChecks<MemoizeOptions<AnyFn>> = {
  key: aFunction,
  max: countOrInfinity,
  ttl: millis,
  name: aName,
  clock: objectWith('now'),
};

/** The settings that `options` ask for; throws {@link InvalidArgumentError} for what cannot be meant. */
export function resolveMemoizeOptions<F extends AnyFn, K>(
  fn: F,
  options: MemoizeOptions<F, K>,
): MemoizeSettings {
  checkOptions<MemoizeOptions<AnyFn>>('memoize', options, CHECKS);
  const { key, max, ttl, name, clock }: MemoizeOptions<AnyFn> = options;
  return {
    key,
    max: max ?? Number.POSITIVE_INFINITY,
    ttl: ttl === Number.POSITIVE_INFINITY ? undefined : ttl,
    name: name ?? (fn.name || 'anonymous'),
    clock: clock ?? systemClock,
  };
}
