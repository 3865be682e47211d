/**
 * Which locks give no answers. They are judged by hash slots, as the parts of a store are: a lock is beside its result in a Redis
 * Cluster, but its client may have lost a shard that the client of the store still has. If other locks were answered while a request
 * waited, its slot rests. Otherwise all rest.
 *
 * A lock is not probed, because that would take it. After a rest one load asks for its lock, and the others go on without theirs until
 * that load has an answer.
 */
import { hashSlotOf } from './hash-slot.js';
import { StoreHealth } from './store-health.js';

/** How many of the last locks that were answered are remembered; a power of 2. */
const RECENT = 32;

/** The locks of one store's caches. */
export class LockHealth {
  readonly #health = new StoreHealth();
  /** The locks that were answered last. */
  readonly #answered: string[] = [];
  /** How many requests were answered. */
  answers = 0;

  /** Whether a load may ask for a lock now. The first one after a rest may; the others rest on, until `restsUntil` at the latest. */
  mayAsk(name: string, now: number, restsUntil: number): boolean {
    const health = this.#health;
    const rest = health.restOf(name);
    if (rest === undefined) return true;
    if (now < rest || now < health.noProbeBefore) return false;
    health.noProbeBefore = restsUntil;
    return true;
  }

  /** Notes a request without an answer. `answersBefore` is the value of {@link answers} when it began. */
  missed(name: string, answersBefore: number, restsUntil: number): void {
    const others = Math.min(this.answers - answersBefore, RECENT);
    if (others === 0) {
      this.#health.suspectAll([name], restsUntil);
      return;
    }
    const answered = Array.from({ length: others }, (_, i) => {
      const other = this.#answered[(this.answers - 1 - i) % RECENT] as string;
      return hashSlotOf(other);
    });
    this.#health.judge(answered, [name], restsUntil);
  }

  answered(name: string): void {
    this.#answered[this.answers++ % RECENT] = name;
    if (this.#health.answered(name)) this.#health.noProbeBefore = Number.NEGATIVE_INFINITY;
  }
}
