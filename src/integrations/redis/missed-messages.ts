/**
 * Notices messages that were sent and have not arrived. Each sender numbers its messages, and its heartbeats have the number of the last one:
 *
 * ```
 *   sent      1   2   3   beat 3   4   beat 4
 *   arrived   1   3       beat 3   4   beat 4 ──▶ message 2 is lost
 * ```
 *
 * Servers of a cluster may deliver messages in another order. So a message is late at the first heartbeat after it, and lost at the second.
 */
import { makeRoom } from '../../memoize/shared/make-room.js';

/** The most senders that are remembered. */
const MAX_SENDERS = 10_000;

interface Sender {
  /** All messages up to this one have arrived. */
  upTo: number;
  /** The messages after a late one. */
  readonly early: Set<number>;
  /** How many messages it had sent before its last heartbeat. */
  beforeBeat: number;
}

/** The messages of all senders on one connection. */
export class MissedMessages {
  readonly #senders = new Map<string, Sender>();

  /** Notes what has arrived. True if an earlier message of the sender is lost. */
  note(from: string, number: number, isBeat: boolean): boolean {
    const sender = this.#senders.get(from);
    if (sender === undefined) {
      makeRoom(this.#senders, MAX_SENDERS);
      this.#senders.set(from, { upTo: number, early: new Set(), beforeBeat: number });
      return false;
    }
    if (!isBeat) {
      if (number > sender.upTo) sender.early.add(number);
      while (sender.early.delete(sender.upTo + 1)) sender.upTo++;
      return false;
    }
    const isLost = sender.upTo < sender.beforeBeat;
    sender.beforeBeat = number;
    if (isLost) this.#senders.delete(from);
    return isLost;
  }

  /** Begins anew, for another connection. */
  forget(): void {
    this.#senders.clear();
  }
}
