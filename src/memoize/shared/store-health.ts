/**
 * What is known of a store that leaves requests without an answer: which of its hash slots answer, and which do not.
 *
 * A store may lose a part. In a Redis Cluster it loses a shard, which serves ranges of slots. So a slot that was never asked is
 * taken to be silent if its nearest known slots below and above are silent. If they differ, it is asked.
 *
 * ```
 *   slot     0 ──────────────────────────────────────────────── 16383
 *   known    answers  answers  silent  silent  silent  answers
 *   others      answer    asked   silent  silent  asked   answer
 * ```
 */
import { hashSlotOf, SLOTS } from './hash-slot.js';
import { makeRoom } from './make-room.js';

/** The most slots of each kind that are remembered. */
const MAX_SLOTS = 1_024;

/** A slot that gives no answers. */
interface SilentSlot {
  /** A name that belongs to it. */
  readonly name: string;
  /** Until when calls should go on without it, in milliseconds. */
  readonly restsUntil: number;
}

/** The slots of one store. */
export class StoreHealth {
  readonly #silent = new Map<number, SilentSlot>();
  /** Those that have answered while others did not. */
  readonly #answering = new Set<number>();

  /** Whether some slot gives no answers. */
  get isTroubled(): boolean {
    return this.#silent.size > 0;
  }

  /** The share of the known slots that give no answers, from 0 to 1. */
  get silentShare(): number {
    return this.isTroubled ? this.#silent.size / (this.#silent.size + this.#answering.size) : 0;
  }

  /**
   * Until when calls should go on without the slot of a name; `undefined` if it may be asked. O(known slots) while a slot rests, else
   * O(1).
   */
  restOf(name: string): number | undefined {
    if (!this.isTroubled) return undefined;
    const slot = hashSlotOf(name);
    if (this.#answering.has(slot)) return undefined;
    return (this.#silent.get(slot) ?? this.#between(slot))?.restsUntil;
  }

  /**
   * Notes the slots that have answered, and names that have not. A slot that already rests goes on resting until it is probed. Slots,
   * because each of many requests that end together comes with those of one health check.
   */
  judge(answered: readonly number[], silent: readonly string[], restsUntil: number): void {
    for (const slot of answered) if (!this.#silent.has(slot)) this.#noteAnswer(slot);
    for (const name of silent) this.missed(name, restsUntil);
  }

  /** Notes that a name gave no answer. */
  missed(name: string, restsUntil: number): void {
    const slot = hashSlotOf(name);
    this.#answering.delete(slot);
    this.#silent.delete(slot);
    makeRoom(this.#silent, MAX_SLOTS);
    this.#silent.set(slot, { name, restsUntil });
  }

  /** Notes an answer. True if the name was taken to be silent. */
  answered(name: string): boolean {
    if (this.restOf(name) === undefined) return false;
    const slot = hashSlotOf(name);
    this.#silent.delete(slot);
    this.#noteAnswer(slot);
    if (!this.isTroubled) this.#answering.clear();
    return true;
  }

  /** A name whose slot gave no answer, if the rest of that slot is over. */
  rested(now: number): string | undefined {
    const [first] = this.#silent.values(); // The others began their rest later.
    return first !== undefined && now >= first.restsUntil ? first.name : undefined;
  }

  /** One name of each slot that gives no answers. */
  silentNames(): string[] {
    return [...this.#silent.values()].map(({ name }) => name);
  }

  #noteAnswer(slot: number): void {
    this.#answering.delete(slot);
    makeRoom(this.#answering, MAX_SLOTS);
    this.#answering.add(slot);
  }

  /** The silent slot below or above, round the ring, that ends its rest first; `undefined` unless both of them are silent. */
  #between(slot: number): SilentSlot | undefined {
    let [below, above] = [-SLOTS, 2 * SLOTS];
    for (const slots of [this.#silent, this.#answering]) {
      for (const known of slots.keys()) {
        below = Math.max(below, known < slot ? known : known - SLOTS);
        above = Math.min(above, known > slot ? known : known + SLOTS);
      }
    }
    const [lower, upper] = [below, above].map((known) => this.#silent.get((known + SLOTS) % SLOTS));
    if (lower === undefined || upper === undefined) return undefined;
    return lower.restsUntil < upper.restsUntil ? lower : upper;
  }
}
