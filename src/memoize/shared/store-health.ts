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
/** How many slots lie between two probes: the golden section of the ring, so probes spread evenly. */
const PROBE_STEP = 10_125;

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
  /** Whether a probe is underway. */
  isProbed = false;
  /** Whether all silent slots are being probed, after one of them has answered. */
  isRecovering = false;
  #probeFrom = 0;
  /** When the next probe may begin, in milliseconds. */
  noProbeBefore = Number.NEGATIVE_INFINITY;

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
   * because each of many requests that end together comes with those of one health check. Answers from before a trouble do not count.
   */
  judge(answered: readonly number[], silent: readonly string[], restsUntil: number): void {
    if (!this.isTroubled) this.#answering.clear();
    for (const slot of answered) if (!this.#silent.has(slot)) this.#noteAnswer(slot);
    for (const name of silent) this.missed(name, restsUntil);
  }

  /** Takes all slots to be silent, until some of these names are answered. */
  suspectAll(names: readonly string[], restsUntil: number): void {
    this.#answering.clear();
    for (const name of names) this.missed(name, restsUntil);
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

  /**
   * A name to be probed: its slot gave no answer, and its rest is over. Goes round the ring in large steps, so a shard that answers again
   * is soon found beside one that does not. O(silent slots).
   */
  nextToProbe(now: number): string | undefined {
    let [nearest, name]: [number, string | undefined] = [SLOTS, undefined];
    for (const [slot, silent] of this.#silent) {
      const distance = (slot - this.#probeFrom + SLOTS) % SLOTS;
      if (now >= silent.restsUntil && distance < nearest) [nearest, name] = [distance, silent.name];
    }
    if (name !== undefined) this.#probeFrom = (this.#probeFrom + PROBE_STEP) % SLOTS;
    return name;
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
