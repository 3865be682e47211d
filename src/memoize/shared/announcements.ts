/**
 * The invalidations that other processes have announced and the store may not have yet. A result from the store counts only if the
 * announced token has been read from there. So no process serves an old result while the store refuses the invalidation.
 *
 * An announcement ends after a minute. Its sender repeats it until the store has confirmed it.
 */
import type { Clock } from '../../core/clock.js';
import type { Announced } from './bus-messages.js';

/** How long an announcement counts, in milliseconds. */
const LIFE_MILLIS = 60_000;
/** The most announcements. With more, nothing in the store counts for {@link LIFE_MILLIS}. */
const MAX_ANNOUNCED = 100_000;

/** The announcements that one process has received. */
export class Announcements {
  readonly #clock: Clock;
  /** By kind and name, in the order of their arrival. */
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>();
  #distrustUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ kind, what, token }: Announced): void {
    const now = this.#clock.now();
    const id = `${kind} ${what}`;
    this.#tokens.delete(id);
    for (const [oldest, { until }] of this.#tokens) {
      if (now < until) break;
      this.#tokens.delete(oldest);
    }
    if (this.#tokens.size >= MAX_ANNOUNCED) {
      this.#tokens.clear();
      this.#distrustUntil = now + LIFE_MILLIS;
    }
    this.#tokens.set(id, { token, until: now + LIFE_MILLIS });
  }

  /** Whether a token that was read from the store is not the one that was announced. */
  contradict(kind: Announced['kind'], what: string, token: string): boolean {
    if (this.#clock.now() < this.#distrustUntil) return true;
    if (this.#tokens.size === 0) return false;
    const id = `${kind} ${what}`;
    const announced = this.#tokens.get(id);
    if (announced === undefined) return false;
    if (announced.token !== token && this.#clock.now() < announced.until) return true;
    this.#tokens.delete(id);
    return false;
  }
}
