/** Where and for whom a loan was asked for, taken when it was, before any wait. */
import type { Origin } from '../core/probe.js';
import type { PoolWatch } from './pool-watch.js';

/** Where and for whom a loan was asked for. */
export interface LoanOrigin<T> {
  /** The watch that was on then. */
  readonly watch: PoolWatch<T> | null;
  /** What the watch took. */
  readonly origin: Origin | undefined;
  /** The caller's stack, if it is in the sample. */
  readonly stack: string | undefined;
}
