/** Where and for whom a loan was asked for, taken when it was, before any wait. */
import type { EntryPoint, Origin } from '../../core/probe.js';
import type { CallSites } from '../pool-options.js';
import { SiteSample } from './call-sites.js';
import type { LoanWatch } from './loan-watch.js';

/** Where and for whom a loan was asked for. */
export interface LoanOrigin<T> {
  /** The watch that was on then. */
  readonly watch: LoanWatch<T> | null;
  /** What the watch took. */
  readonly origin: Origin | undefined;
  /** The caller's stack, if it is in the sample. */
  readonly stack: string | undefined;
}

/** Takes the origins of a pool's loans, for itself and for whoever watches the pool. */
export class LoanOrigins<T> {
  /**
   * Whether the next caller's is wanted: the pool is watched, or the line is in the sample. Ask before naming the method
   * that was called, which alone costs a fifth of a loan. It is no getter, since V8 leaves those of a hot path out of it.
   */
  isCapturing: boolean;
  readonly #sites: SiteSample;
  #watch: LoanWatch<T> | null = null;

  constructor(callSites: CallSites) {
    this.#sites = new SiteSample(callSites);
    this.isCapturing = this.#sites.isOpen;
  }

  /** The caller's line, if it is in the sample, and scope. */
  capture(entry: EntryPoint): LoanOrigin<T> {
    const stack = this.#sites.take(entry);
    this.#update();
    return { watch: this.#watch, origin: this.#watch?.origin(entry), stack };
  }

  /** Who is told of births, loans and deaths. */
  get watch(): LoanWatch<T> | null {
    return this.#watch;
  }

  set watch(watch: LoanWatch<T> | null) {
    this.#watch = watch;
    this.#update();
  }

  /** Some time has passed. */
  tick(): void {
    this.#sites.tick();
    this.#update();
  }

  #update(): void {
    this.isCapturing = this.#watch !== null || this.#sites.isOpen;
  }
}
