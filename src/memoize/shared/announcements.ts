/**
 * The invalidations that other processes have announced and the store may not have yet. A result from the store counts only if the
 * announced token has been read from there. So no process serves an old result while the store refuses the invalidation.
 *
 * An announcement ends after a minute. Its sender repeats it until the store has confirmed it. What the store has confirmed is remembered
 * until then, too (`confirmed-invalidations.ts`).
 */
import type { Clock } from '../../core/clock.js';
import type { Announced, Received } from './bus-messages.js';
import { ConfirmedInvalidations } from './confirmed-invalidations.js';
import { makeRoom } from './make-room.js';
import { CLOCK_SKEW_MILLIS, revisionTime } from './revision.js';

/** How long an announcement counts, in milliseconds. */
const LIFE_MILLIS = 60_000;
/** The most names with announcements. With more, nothing in the store counts for {@link LIFE_MILLIS}. */
const MAX_ANNOUNCED = 100_000;
/** The most tokens that are remembered for a name. */
const MAX_TOKENS = 100;

/** What was announced for one name. */
interface Announcement {
  /**
   * The latest one last, with its message; `undefined` for the own one. The store may have any of them as its last one. An earlier token
   * of the same sender does not count: what the store has under it may be older than the later invalidation.
   */
  readonly tokens: Map<string, Received | undefined>;
  /** When the latest one arrived, by the clock of this computer, in milliseconds. */
  readonly arrivedAt: number;
  readonly until: number;
}

/** The announcements that one process has received, and its own invalidations. */
export class Announcements {
  readonly #clock: Clock;
  /** By kind and name, in the order of their arrival. */
  readonly #byId = new Map<string, Announcement>();
  readonly #confirmed = new ConfirmedInvalidations();
  #distrustUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(received: Received): void {
    const { kind, what, token } = received;
    const now = this.#clock.now();
    const id = idOf(kind, what);
    const tokens = this.#byId.get(id)?.tokens ?? new Map<string, Received | undefined>();
    for (const [earlier, other] of tokens) if (isLater(received, other)) tokens.delete(earlier);
    this.#byId.delete(id);
    for (const [oldest, { until }] of this.#byId) {
      if (now < until) break;
      this.#byId.delete(oldest);
    }
    if (this.#byId.size >= MAX_ANNOUNCED) {
      this.#byId.clear();
      this.#distrustUntil = now + LIFE_MILLIS;
    }
    tokens.delete(token);
    makeRoom(tokens, MAX_TOKENS);
    tokens.set(token, received);
    const until = now + LIFE_MILLIS;
    this.#byId.set(id, { tokens, arrivedAt: Date.now(), until });
  }

  /**
   * Notes that the store has confirmed an invalidation by this process. Without a connection to the bus, later ones of other processes
   * are not announced here, so their tokens must count.
   */
  addOwn(invalidation: Announced, isConnected: boolean): void {
    const now = this.#clock.now();
    const id = idOf(invalidation.kind, invalidation.what);
    this.#present(id, now)?.tokens.set(invalidation.token, undefined);
    this.#confirmed.add(id, invalidation, {
      at: now,
      until: isConnected ? now + LIFE_MILLIS : now,
      isOwn: true,
    });
  }

  /** The invalidations by this process that the store may have lost with a connection, which ended at a time. */
  ownBefore(lostAt: number): Announced[] {
    return this.#confirmed.ownSince(lostAt - LIFE_MILLIS);
  }

  /** Whether a token that was read from the store is not one that was announced, or that the store had confirmed. */
  contradict(kind: Announced['kind'], what: string, token: string): boolean {
    const now = this.#clock.now();
    if (now < this.#distrustUntil) return true;
    const id = idOf(kind, what);
    const announced = this.#present(id, now);
    if (announced === undefined) return this.#confirmed.contradict(id, token, now);
    if (!announced.tokens.has(token)) return true;
    if (announced.tokens.size > 1) return false;
    this.#byId.delete(id);
    this.#confirmed.add(
      id,
      { kind, what, token },
      { at: now, until: announced.until, isOwn: false },
    );
    return false;
  }

  /**
   * Whether a result that has the present token may be older than an invalidation: several were announced, and the store may get their
   * tokens in another order. A result whose load began after the last announcement is not older.
   */
  mayPrecede(revision: string, kind: Announced['kind'], what: string): boolean {
    const announced = this.#present(idOf(kind, what), this.#clock.now());
    if (announced === undefined) return false;
    return revisionTime(revision) < announced.arrivedAt + CLOCK_SKEW_MILLIS;
  }

  #present(id: string, now: number): Announcement | undefined {
    const announced = this.#byId.get(id);
    if (announced === undefined || now < announced.until) return announced;
    this.#byId.delete(id);
    return undefined;
  }
}

/** Whether a message was sent after another one by the same process. The bus may deliver them in another order. */
function isLater({ from, order }: Received, other: Received | undefined): boolean {
  return other !== undefined && from === other.from && order > other.order;
}

function idOf(kind: Announced['kind'], what: string): string {
  return `${kind} ${what}`;
}
