/**
 * Notices messages that were sent and have not arrived. Each sender numbers its messages, and its heartbeats have the number of the
 * last one:
 *
 * ```
 *   sent      1   2   3   beat 3   4   beat 4
 *   arrived   1   3       beat 3   4   beat 4 ──▶ message 2 is lost
 * ```
 *
 * Servers of a cluster may deliver messages in another order. So a message is late at the first heartbeat after it, and lost at the
 * second. The first messages of a sender that sent some before this process was connected count as lost, too: some of them may have
 * been sent since.
 */
import { makeRoom } from '../../memoize/shared/make-room.js';

/** The most senders that are remembered. */
const MAX_SENDERS = 10_000;

/** The most messages of one sender that are remembered after a late one. With more, the late one counts as lost. */
const MAX_EARLY = 1_000;

interface Sender {
  /** All messages up to this one have arrived, or are known to be lost. */
  upTo: number;
  /** Messages after a late one. */
  readonly early: Set<number>;
  /** How many messages it had sent before its last heartbeat. */
  beforeBeat: number;
}

/** The messages of all senders. */
export class MissedMessages {
  readonly #senders = new Map<string, Sender>();

  /** Notes what has arrived. True if an earlier message of the sender is lost. */
  note(from: string, number: number, isBeat: boolean): boolean {
    const sender = this.#senderOf(from);
    const { early, beforeBeat } = sender;
    let isLost = false;
    if (isBeat) {
      isLost = sender.upTo < beforeBeat;
      if (isLost) sender.upTo = beforeBeat;
      sender.beforeBeat = number;
      for (const each of early) if (each <= sender.upTo) early.delete(each);
    } else if (number > sender.upTo) early.add(number);
    if (early.size > MAX_EARLY) {
      isLost = true;
      sender.upTo = number;
      early.clear();
    }
    while (early.delete(sender.upTo + 1)) sender.upTo++;
    return isLost;
  }

  #senderOf(from: string): Sender {
    let sender = this.#senders.get(from);
    if (sender === undefined) {
      sender = { upTo: 0, early: new Set(), beforeBeat: 0 };
      makeRoom(this.#senders, MAX_SENDERS);
      this.#senders.set(from, sender);
    }
    return sender;
  }
}
