/**
 * Which locks give no answers. A lock is not probed: after its rest one load asks it, and the others go on without it until that load
 * has an answer. If other locks were answered while a request waited, its lock rests alone. Otherwise all rest.
 */
import { makeRoom } from './make-room.js';

const NO_REST = Number.NEGATIVE_INFINITY;
/** The most locks that rest alone. */
const MAX_ALONE = 1_000;

/** The locks of one store's caches. */
export class LockHealth {
  readonly #alone = new Map<string, number>();
  #allRestUntil = NO_REST;
  /** How many requests were answered. */
  answers = 0;

  /** Whether a load may ask for a lock now. The first one after a rest may; the others rest on, until `restsUntil` at the latest. */
  mayAsk(name: string, now: number, restsUntil: number): boolean {
    const aloneUntil = this.#alone.get(name);
    if (now < this.#allRestUntil || now < (aloneUntil ?? now)) return false;
    if (this.#allRestUntil !== NO_REST) this.#allRestUntil = restsUntil;
    if (aloneUntil !== undefined) this.#alone.set(name, restsUntil);
    return true;
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
    this.#allRestUntil = NO_REST;
    this.#alone.delete(name);
  }
}
