/**
 * One caller who waits for a peer. Peers neither know of signals nor take a timeout for one caller, so the wait is ended
 * here; what the peer delivers afterwards has no taker and goes straight back.
 */
import type { Clock, TimerHandle } from '../../core/clock.js';
import type { PeerWaits } from './peer-waits.js';

/** What ends a wait from outside. */
export interface PeerWaitLimits {
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
  readonly timeoutMillis: number;
  /** The error of one whose time is up. */
  expired(): Error;
  /** Tells the caller that there will be nothing. */
  reject(reason: unknown): void;
}

/** One caller's wait. */
export class PeerWait {
  readonly #limits: PeerWaitLimits;
  readonly #others: PeerWaits;
  readonly #timer: TimerHandle | undefined;

  constructor(limits: PeerWaitLimits, others: PeerWaits) {
    const { clock, timeoutMillis } = limits;
    this.#limits = limits;
    this.#others = others;
    others.add(this);
    this.#timer =
      timeoutMillis === Number.POSITIVE_INFINITY
        ? undefined
        : clock.setTimer(() => this.giveUp(limits.expired()), timeoutMillis);
  }

  get signal(): AbortSignal | undefined {
    return this.#limits.signal;
  }

  /** Ends the wait; false if it was over. */
  end(): boolean {
    if (!this.#others.delete(this)) return false;
    if (this.#timer !== undefined) this.#limits.clock.clearTimer(this.#timer);
    return true;
  }

  /** Ends the wait with nothing. */
  giveUp(reason: unknown): void {
    if (this.end()) this.#limits.reject(reason);
  }
}
