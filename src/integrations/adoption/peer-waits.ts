/**
 * The callers that wait for a peer. Peers have no signals and no timeout for a single caller, so the adoption ends the waits. A
 * resource that the peer delivers after the end of the wait goes straight back to the peer.
 */
import type { Clock, TimerHandle } from '../../core/clock.js';
import { SignalListeners } from '../../core/signal-listeners.js';

/** What ends a wait besides a resource. */
export interface PeerWaitLimits {
  readonly signal: AbortSignal | undefined;
  /** How long the caller waits, in milliseconds; `Infinity` for no limit. */
  readonly timeoutMillis: number;
  /** The error of a caller whose timeout is over. */
  timeoutError(): Error;
  /** Rejects the caller. */
  reject(reason: unknown): void;
}

/** One caller's wait. */
export interface PeerWait {
  /** Ends the wait because the peer has answered; false if it had ended before. */
  end(): boolean;
}

interface Wait extends PeerWait {
  giveUp(reason: unknown): void;
}

/** All waits for one peer. */
export class PeerWaits {
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();
  readonly #signals = new SignalListeners<Wait>((wait, reason) => wait.giveUp(reason));

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Begins a wait. The signal must not have aborted yet. */
  begin({ signal, timeoutMillis, timeoutError, reject }: PeerWaitLimits): PeerWait {
    let timer: TimerHandle | undefined;
    const wait: Wait = {
      end: () => {
        if (!this.#waits.delete(wait)) return false;
        if (timer !== undefined) this.#clock.clearTimer(timer);
        if (signal !== undefined) this.#signals.remove(signal, wait);
        return true;
      },
      giveUp: (reason) => {
        if (wait.end()) reject(reason);
      },
    };
    this.#waits.add(wait);
    if (signal !== undefined) this.#signals.add(signal, wait);
    if (timeoutMillis !== Number.POSITIVE_INFINITY) {
      timer = this.#clock.setTimer(() => wait.giveUp(timeoutError()), timeoutMillis);
    }
    return wait;
  }

  /** Rejects all callers that wait. */
  rejectAll(reason: unknown): void {
    for (const wait of [...this.#waits]) wait.giveUp(reason);
  }
}
