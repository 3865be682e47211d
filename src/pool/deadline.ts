/** Waits for a whole pool (`drain`, `ready`, `invalidate`, …) that a caller may limit. */
import type { Clock } from '../core/clock.js';
import { followWithin } from '../core/limited-wait.js';
import { anAbortSignal, millis, type OptionTable, option, optional } from '../core/options.js';
import { DeadlineError } from './pool-errors.js';

/** How long a caller waits for a whole pool. What the pool has begun goes on when the caller has left. */
export interface DeadlineOptions {
  /** Ends the wait when it aborts; the promise rejects with its reason. @default none */
  readonly signal?: AbortSignal | undefined;
  /** How long to wait, in milliseconds; then the promise rejects with `TENURE_POOL_DEADLINE`. @default Infinity */
  readonly timeoutMillis?: number | undefined;
}

/** The resolved options. */
export interface Deadline {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMillis: number;
}

/** Each option's check and default. */
export const DEADLINE_OPTIONS: OptionTable<Deadline> = {
  signal: optional(anAbortSignal),
  timeoutMillis: option(millis, Number.POSITIVE_INFINITY),
};

/**
 * Follows `promise` until the deadline. `where` names the method for the error, and `figures` says what the pool does then; `onLeave` is
 * called if the caller leaves.
 */
export function withDeadline<T>(
  promise: Promise<T>,
  { signal, timeoutMillis }: Deadline,
  { clock, name }: { readonly clock: Clock; readonly name: string },
  where: string,
  figures: () => string,
  onLeave?: () => void,
): Promise<T> {
  return followWithin(
    promise,
    { clock, signal, timeoutMillis },
    () => new DeadlineError(name, where, timeoutMillis, figures()),
    onLeave,
  );
}
