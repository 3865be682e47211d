/**
 * The requests whose callers have left while the peer has not answered them. Peers cannot take a request back. So a later caller takes over
 * the oldest one instead of asking anew: the peer has no more requests than there were callers at one time, also while it hangs.
 */
import { type Linked, LinkedList } from '../../core/linked-list.js';

/** A request to a peer. */
export interface LeftRequest<R> extends Linked<R> {
  /** With which priority the peer was asked; `undefined` for the peer's default. */
  readonly priority: number | undefined;
}

/** The requests to one peer whose callers have left. */
export class LeftRequests<R extends LeftRequest<R>> {
  /** The oldest first, by priority. A list is in it while it has requests. */
  readonly #byPriority = new Map<number | undefined, LinkedList<R>>();
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Adds a request, which is in no list. O(1). */
  add(request: R): void {
    const known = this.#byPriority.get(request.priority);
    const list = known ?? new LinkedList<R>();
    if (known === undefined) this.#byPriority.set(request.priority, list);
    list.append(request);
    this.#count++;
  }

  /** Removes and gives the one that was left first, of those with a priority; `undefined` if there is none. O(1). */
  take(priority: number | undefined): R | undefined {
    const request = this.#byPriority.get(priority)?.first ?? undefined;
    if (request !== undefined) this.remove(request);
    return request;
  }

  /** Removes a request. O(1). */
  remove(request: R): void {
    const list = this.#byPriority.get(request.priority);
    list?.remove(request);
    if (list?.length === 0) this.#byPriority.delete(request.priority);
    this.#count--;
  }
}
