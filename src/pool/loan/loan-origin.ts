/** Captures where and for whom a loan was asked for, before any wait. */
import type { EntryPoint, Origin } from '../../core/probe.js';
import type { SiteSample } from '../../core/site-sample.js';
import type { LoanWatch } from './loan-watch.js';

/** Where and for whom a loan was asked for. */
export interface LoanOrigin<T> {
  /** The watch that was attached when the loan was asked for. */
  readonly watch: LoanWatch<T> | null;
  /** What the observer captured. */
  readonly origin: Origin | undefined;
  /** The caller's stack, if it is in the sample. */
  readonly stack: string | undefined;
}

/** Captures the origins of one pool's loans, for the pool's errors and for its observer. */
export class LoanOrigins<T> {
  /**
   * Whether the next caller's origin is captured: the pool is watched, or the sample is not full. A plain field, because V8 does not
   * inline a getter.
   */
  isCapturing: boolean;
  readonly #sites: SiteSample;
  #watch: LoanWatch<T> | null = null;
  /** How many loans there were at the last tick. */
  #loansBefore = 0;
  /**
   * What {@link capture} has given last without a stack. An observer gives the loans of one caller the same origin, and they share
   * this, too.
   */
  #last: LoanOrigin<T> = { watch: null, origin: undefined, stack: undefined };

  constructor(sites: SiteSample) {
    this.#sites = sites;
    this.isCapturing = sites.isOpen;
  }

  /**
   * Captures the origin of a call of `entry`: its stack, if it is in the sample, and the observer's scope. `undefined` if neither is
   * needed.
   */
  capture(entry: EntryPoint): LoanOrigin<T> | undefined {
    const stack = this.#sites.take(entry);
    const watch = this.#watch;
    const origin = watch?.observer.originToReport(entry, stack);
    if (stack !== undefined) {
      this.#update();
      return { watch, origin, stack };
    }
    if (origin === undefined) return undefined;
    const last = this.#last;
    if (last.origin === origin) return last;
    this.#last = { watch, origin, stack };
    return this.#last;
  }

  /** The watch that is told of resources and loans, if there is one. */
  get watch(): LoanWatch<T> | null {
    return this.#watch;
  }

  set watch(watch: LoanWatch<T> | null) {
    this.#watch = watch;
    this.#last = { watch: null, origin: undefined, stack: undefined };
    this.#update();
  }

  /** Begins a new sample if the present one has lasted for about a second. `loans` is how many there have been since the start. */
  tick(loans: number, now: number): void {
    this.#sites.tick(loans - this.#loansBefore, now);
    this.#loansBefore = loans;
    this.#update();
  }

  #update(): void {
    this.isCapturing = this.#watch !== null || this.#sites.isOpen;
  }
}
