/**
 * Counts the nodes of a heap by class and generation. A class is a kind together with a site: the line or the name of what made
 * the node. Each count is updated when a node is born, moves or dies, so reading them visits no node.
 *
 * ```
 *   born ──▶ generation 0 ──promoted──▶ generation 1 ──promoted──▶ generation 2
 *                 └─ freed                   └─ freed                   └─ freed
 * ```
 *
 * Generations are named by the lists of the heap. A node that a collection sets aside still counts in its last generation.
 */
import { GENERATION_0, type MoveRecorder, OLDEST } from './generation-lists.js';

/** Counters of one class: the entries of a class begin at four times its number, one for each generation. */
const STRIDE = 4;

/** Counts of the nodes of one class. The three-part counts are by generation, youngest first. */
export interface ClassCounts {
  /** Nodes that live now. */
  readonly live: readonly [number, number, number];
  /** Nodes that were born, all in generation 0. */
  readonly born: number;
  /** Nodes that died. */
  readonly freed: readonly [number, number, number];
  /** Nodes that left the generation for an older one. The last count is always 0. */
  readonly promoted: readonly [number, number, number];
}

export class Census implements MoveRecorder {
  /** The class and the generation of each node: where its counters are. */
  places: Int32Array;
  readonly #born: number[] = [];
  readonly #live: number[] = [];
  readonly #freed: number[] = [];
  readonly #promoted: number[] = [];

  constructor(capacity: number) {
    this.places = new Int32Array(capacity);
  }

  /** Number of classes that have had a node. */
  get classes(): number {
    return this.#born.length;
  }

  /** Counts a new node. */
  recordBirth(index: number, classId: number): void {
    this.#makeRoom(classId);
    const place = STRIDE * classId;
    this.places[index] = place;
    this.#born[classId] = (this.#born[classId] as number) + 1;
    this.#add(this.#live, place, 1);
  }

  /** Counts a node that died. */
  recordDeath(index: number): void {
    const place = this.places[index] as number;
    this.#add(this.#live, place, -1);
    this.#add(this.#freed, place, 1);
  }

  /** Counts something that lived so shortly that it never got a node. */
  recordShortLife(classId: number): void {
    this.#makeRoom(classId);
    this.#born[classId] = (this.#born[classId] as number) + 1;
    this.#add(this.#freed, STRIDE * classId, 1);
  }

  /** Counts that a node is in a list now. Lists other than those of the generations do not count. */
  recordMove(index: number, list: number): void {
    if (list < GENERATION_0 || list > OLDEST) return;
    const from = this.places[index] as number;
    const to = (from & -STRIDE) + list - GENERATION_0;
    if (to === from) return;
    this.places[index] = to;
    this.#add(this.#live, from, -1);
    this.#add(this.#live, to, 1);
    if (to > from) this.#add(this.#promoted, from, 1);
  }

  /** Moves a live node to another class, as if it had been born there. */
  reclassify(index: number, classId: number): void {
    this.#makeRoom(classId);
    const from = this.places[index] as number;
    const to = STRIDE * classId + (from & (STRIDE - 1));
    this.places[index] = to;
    this.#add(this.#live, from, -1);
    this.#add(this.#live, to, 1);
    this.#add(this.#born, Math.floor(from / STRIDE), -1);
    this.#add(this.#born, classId, 1);
  }

  /** Returns the counts of a class. O(1). */
  countsOf(classId: number): ClassCounts {
    return {
      live: this.#three(this.#live, classId),
      born: this.#born[classId] ?? 0,
      freed: this.#three(this.#freed, classId),
      promoted: this.#three(this.#promoted, classId),
    };
  }

  #three(counts: readonly number[], classId: number): [number, number, number] {
    const at = STRIDE * classId;
    return [counts[at] ?? 0, counts[at + 1] ?? 0, counts[at + 2] ?? 0];
  }

  #add(counts: number[], at: number, change: number): void {
    counts[at] = (counts[at] as number) + change;
  }

  #makeRoom(classId: number): void {
    while (this.#born.length <= classId) {
      this.#born.push(0);
      for (const counts of [this.#live, this.#freed, this.#promoted]) counts.push(0, 0, 0, 0);
    }
  }
}
