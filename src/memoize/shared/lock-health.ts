/**
 * Which locks give no answers. A lock is not probed: after its rest the next load asks it. If other locks were answered while a
 * request waited, its lock rests alone. Otherwise all rest.
 */
import { makeRoom } from './make-room.js';

/** The most locks that rest alone. */
const MAX_ALONE = 1_000;

/** The locks of one store's caches. */
export class LockHealth {
  readonly #alone = new Map<string, number>();
  #allRestUntil = Number.NEGATIVE_INFINITY;
  /** How many requests were answered. */
  answers = 0;

  /** Whether a load may ask for a lock now. */
  mayAsk(name: string, now: number): boolean {
    return now >= this.#allRestUntil && now >= (this.#alone.get(name) ?? now);
  }

  /** Notes a request without an answer. `answersBefore` is the value of {@link answers} when it began. */
  missed(name: string, answersBefore: number, restsUntil: number): void {
    if (this.answers === answersBefore) {
      this.#allRestUntil = restsUntil;
      return;
    }
    this.#alone.delete(name);
    makeRoom(this.#alone, MAX_ALONE);
    this.#alone.set(name, restsUntil);
  }

  answered(name: string): void {
    this.answers++;
    this.#alone.delete(name);
  }
}
