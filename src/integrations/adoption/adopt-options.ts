/** The options of an adoption. */
import { type Clock, systemClock } from '../../core/clock.js';
import { steadyClock } from '../../core/guarded-clock.js';
import {
  aFunction,
  aName,
  objectWith,
  oneOf,
  option,
  optional,
  positiveMillis,
  resolveOptions,
} from '../../core/options.js';
import type { CallSites } from '../../core/site-sample.js';

/** Options of `adoptPool`. Times are in milliseconds. */
export interface AdoptOptions<T = unknown> {
  /** The pool's name in errors and reports. @default 'pool' */
  readonly name?: string;
  /** How long a caller waits, besides the peer's own timeout; `Infinity` for no limit. @default 30_000 */
  readonly acquireTimeoutMillis?: number;
  /**
   * Prepares a resource before each loan. If it throws, rejects or takes too long, the peer destroys the resource, and the caller
   * is rejected with the error. A caller whose timeout or signal ends its wait meanwhile leaves at once; the resource is given back
   * when it is prepared. @default none
   */
  onAcquire?(resource: T): unknown;
  /**
   * Cleans a resource after each loan, before the peer has it back. If it throws, rejects or takes too long, the peer destroys the
   * resource. @default none
   */
  reset?(resource: T): unknown;
  /**
   * How long one `onAcquire` or `reset` may take, and how long a cursor, a stream or a COPY may go on that a holder has left open on a
   * connection of pg or mysql2. @default 5_000
   */
  readonly hookTimeoutMillis?: number;
  /**
   * Whether an error shows that a resource is broken. Asked when the function of `use()` fails, and by `lease.reportError()`. The
   * peer destroys a broken resource at the end of its loan. @default `isBroken` of `pgErrors` or `mysqlErrors`; else none
   */
  isBroken?(error: unknown, resource: T): boolean;
  /**
   * Whose stacks are captured for errors and `loans()`: `'sampled'` captures those of the first 64 callers in each second, and
   * of the first 16 in a second after one with more than 1,600; `'all'` costs each caller some 10 µs.
   * @default 'sampled'
   */
  readonly callSites?: CallSites;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
}

/** The settings of an adoption. */
export interface AdoptionSettings<T> {
  readonly name: string;
  readonly acquireTimeoutMillis: number;
  readonly onAcquire: ((resource: T) => unknown) | undefined;
  readonly reset: ((resource: T) => unknown) | undefined;
  readonly hookTimeoutMillis: number;
  readonly isBroken: ((error: unknown, resource: T) => boolean) | undefined;
  readonly callSites: CallSites;
  readonly clock: Clock;
}

/**
 * The options of an adoption with their defaults. `presets` stand in for options that are absent.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export function resolveAdoptOptions<T>(
  options: AdoptOptions<T>,
  presets: Pick<AdoptOptions<T>, 'isBroken'>,
): AdoptionSettings<T> {
  const settings: AdoptionSettings<T> = resolveOptions('adoptPool', options, {
    name: option(aName, 'pool'),
    acquireTimeoutMillis: option(positiveMillis, 30_000),
    onAcquire: optional(aFunction),
    reset: optional(aFunction),
    hookTimeoutMillis: option(positiveMillis, 5_000),
    isBroken: option(aFunction, presets.isBroken),
    callSites: option(oneOf('sampled', 'all', 'none'), 'sampled'),
    clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
  });
  return { ...settings, clock: steadyClock(settings.clock) };
}
