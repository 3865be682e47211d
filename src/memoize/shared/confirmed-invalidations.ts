/**
 * The invalidations that the store has confirmed. A store may lose what it has confirmed: a replica that takes over lacks the last writes
 * of its primary. The old token is then back, and the old result with it. So for a minute this process believes no other token than the
 * confirmed one. After a lost connection it repeats its own invalidations from the minute before the loss, and from the time since.
 *
 * A token that is missing ends this: the store was emptied or has evicted it, and a load makes a new one.
 */
import type { Announced } from './bus-messages.js';
import { makeRoom } from './make-room.js';

/** The most that are remembered. */
const MAX_REMEMBERED = 10_000;
/** The most of the own ones that are repeated. */
const MAX_REPEATED = 1_000;

/** When an invalidation was confirmed, and until when no other token counts, in milliseconds. */
interface Confirmation {
  readonly at: number;
  readonly until: number;
  readonly isOwn: boolean;
}

interface Confirmed extends Announced, Confirmation {}

/** The confirmed invalidations that one process knows. */
export class ConfirmedInvalidations {
  /** By kind and name, the latest one last. */
  readonly #byId = new Map<string, Confirmed>();

  add(id: string, { kind, what, token }: Announced, confirmation: Confirmation): void {
    this.#byId.delete(id);
    makeRoom(this.#byId, MAX_REMEMBERED);
    this.#byId.set(id, { kind, what, token, ...confirmation });
  }

  /** Whether the store has another token than the one that it had confirmed. */
  contradict(id: string, token: string, now: number): boolean {
    const confirmed = this.#byId.get(id);
    if (confirmed === undefined || confirmed.token === token) return false;
    if (token === '') this.#byId.delete(id);
    return token !== '' && now < confirmed.until;
  }

  /** The latest invalidations by this process since a time, the oldest of them first. */
  ownSince(since: number): Announced[] {
    const own = [...this.#byId.values()].filter(({ isOwn, at }) => isOwn && at >= since);
    return own.slice(-MAX_REPEATED);
  }
}
