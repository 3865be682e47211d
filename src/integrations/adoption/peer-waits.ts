/**
 * All who wait for one peer. A signal is often shared by everything that a request starts, and Node warns of a leak at the
 * eleventh listener, so those who share one share a listener.
 */

/** One who waits. */
interface Waiting {
  readonly signal: AbortSignal | undefined;
  giveUp(reason: unknown): void;
}

/** Those who share a signal. */
class Sharers {
  readonly waits = new Set<Waiting>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  handleEvent(): void {
    for (const wait of [...this.waits]) wait.giveUp(this.#signal.reason);
  }
}

/** All who wait for one peer. */
export class PeerWaits {
  readonly #waits = new Set<Waiting>();
  readonly #sharers = new Map<AbortSignal, Sharers>();

  add(wait: Waiting): void {
    this.#waits.add(wait);
    const { signal } = wait;
    if (signal === undefined) return;
    let sharers = this.#sharers.get(signal);
    if (sharers === undefined) {
      sharers = new Sharers(signal);
      this.#sharers.set(signal, sharers);
      signal.addEventListener('abort', sharers);
    }
    sharers.waits.add(wait);
  }

  /** False if it is not among them any more. */
  delete(wait: Waiting): boolean {
    if (!this.#waits.delete(wait)) return false;
    const { signal } = wait;
    const sharers = signal === undefined ? undefined : this.#sharers.get(signal);
    if (signal === undefined || sharers === undefined) return true;
    sharers.waits.delete(wait);
    if (sharers.waits.size > 0) return true;
    this.#sharers.delete(signal);
    signal.removeEventListener('abort', sharers);
    return true;
  }

  /** Nobody will get anything. */
  turnAway(reason: unknown): void {
    for (const wait of [...this.#waits]) wait.giveUp(reason);
  }
}
