/**
 * The invalidations that other processes have announced and the store may not have yet. A result from the store counts only if the
 * announced token has been read from there. So no process serves an old result while the store refuses the invalidation.
 *
 * An announcement ends after a minute. Its sender repeats it until the store has confirmed it. What the store has confirmed is remembered
 * until then, too (`confirmed-invalidations.ts`).
 */
import type { Clock } from '../../core/clock.js';
import type { Announced } from './bus-messages.js';
import { ConfirmedInvalidations } from './confirmed-invalidations.js';

/** How long an announcement counts, in milliseconds. */
const LIFE_MILLIS = 60_000;
/** The most announcements. With more, nothing in the store counts for {@link LIFE_MILLIS}. */
const MAX_ANNOUNCED = 100_000;

/** The announcements that one process has received, and its own invalidations. */
export class Announcements {
  readonly #clock: Clock;
  /** By kind and name, in the order of their arrival. */
  readonly #tokens = new Map<string, { readonly token: string; readonly until: number }>();
  readonly #confirmed = new ConfirmedInvalidations();
  #distrustUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ kind, what, token }: Announced): void {
    const now = this.#clock.now();
    const id = idOf(kind, what);
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

  /**
   * Notes that the store has confirmed an invalidation by this process. Without a connection to the bus, later ones of other processes
   * are not announced here, so their tokens must count.
   */
  addOwn(invalidation: Announced, isConnected: boolean): void {
    const now = this.#clock.now();
    this.#confirmed.add(idOf(invalidation.kind, invalidation.what), invalidation, {
      at: now,
      until: isConnected ? now + LIFE_MILLIS : now,
      isOwn: true,
    });
  }

  /** The invalidations by this process that the store may have lost with a connection, which ended at a time. */
  ownBefore(lostAt: number): Announced[] {
    return this.#confirmed.ownSince(lostAt - LIFE_MILLIS);
  }

  /** Whether a token that was read from the store is not the one that was announced, or that the store had confirmed. */
  contradict(kind: Announced['kind'], what: string, token: string): boolean {
    const now = this.#clock.now();
    if (now < this.#distrustUntil) return true;
    const id = idOf(kind, what);
    const announced = this.#tokens.get(id);
    if (announced === undefined) return this.#confirmed.contradict(id, token, now);
    if (announced.token !== token && now < announced.until) return true;
    this.#tokens.delete(id);
    if (announced.token === token) {
      const { until } = announced;
      this.#confirmed.add(id, { kind, what, token }, { at: now, until, isOwn: false });
    }
    return false;
  }
}

function idOf(kind: Announced['kind'], what: string): string {
  return `${kind} ${what}`;
}
