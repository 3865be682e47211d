/**
 * Which parts of the store refuse invalidations, and how many first attempts such a part is sent. A part is a range of hash slots, so
 * the parts of one shard are neighbours. A part refuses after some refused first attempts in a row. One that was not asked is taken to
 * refuse if its nearest known parts below and above do.
 *
 * ```
 *   part     0 ─────────────────────────────────────────────── 127
 *   known    takes    takes     refuses      refuses      takes
 *   others       takes     takes       refuses       takes
 * ```
 *
 * A key may be refused for a reason of its own. So a part that refuses is still sent some new invalidations in each round, and more
 * after each one that it takes. Retries do not count as refusals: they tell only that their own key is still refused.
 */
import { PARTS } from './hash-slot.js';

/** How many refused first attempts in a row show that a part refuses. */
const REFUSALS = 3;
/** How many more show it after one that was taken: the part may belong to two shards, one of which refuses. */
const MORE_REFUSALS = 10;
/** How many first attempts all parts that refuse are sent in each round. */
const ATTEMPTS = 16;
/** How many more they are sent after one that was taken. */
const MORE_ATTEMPTS = 8;
/** The most that are allowed at a time. */
const MAX_ATTEMPTS = 512;

/** The parts of one store, as one cache knows them: `2 * PARTS`, for keys and then for tags. */
export class RefusingParts {
  /** How many first attempts were refused in a row; after one that was taken, from `-MORE_REFUSALS` on. */
  readonly #refusals = new Int32Array(2 * PARTS);
  /** Whether any first attempt was refused since {@link forget}. */
  #isTroubled = false;
  #allowed = ATTEMPTS;

  /** Whether an invalidation may be attempted for the first time. `partOf` gives its part. */
  mayTry(partOf: () => number): boolean {
    if (!this.#isTroubled || !this.#refuses(partOf())) return true;
    if (this.#allowed === 0) return false;
    this.#allowed--;
    return true;
  }

  /** Whether the store takes invalidations of a part, as far as is known: what is refused there is refused for its own reason. */
  takes(part: number): boolean {
    return this.#nearest(part, 1) < 0 && this.#nearest(part, PARTS - 1) < 0;
  }

  /** Notes that a part has refused a first attempt. */
  refused(part: number): void {
    this.#isTroubled = true;
    this.#refusals[part] = this.#refusalsOf(part) + 1;
  }

  /** Notes that a part has taken an invalidation. */
  taken(partOf: () => number): void {
    if (!this.#isTroubled) return;
    const part = partOf();
    if (this.#refuses(part)) this.#allowed = Math.min(this.#allowed + MORE_ATTEMPTS, MAX_ATTEMPTS);
    this.#refusals[part] = -MORE_REFUSALS;
  }

  /** Allows the first attempts of another round. */
  beginRound(): void {
    this.#allowed = Math.max(this.#allowed, ATTEMPTS);
  }

  /** Forgets all: nothing is pending. */
  forget(): void {
    if (!this.#isTroubled) return;
    this.#isTroubled = false;
    this.#refusals.fill(0);
    this.#allowed = ATTEMPTS;
  }

  #refuses(part: number): boolean {
    return this.#nearest(part, 1) > 0 && this.#nearest(part, PARTS - 1) > 0;
  }

  /** The refusals of the nearest known part, from a part on, round the ring in steps of one up or down; 0 if none is known. */
  #nearest(part: number, step: number): number {
    const first = part - (part % PARTS);
    for (let way = 0, at = part; way < PARTS; way++, at = first + ((at - first + step) % PARTS)) {
      const refusals = this.#refusalsOf(at);
      if (refusals < 0 || refusals >= REFUSALS) return refusals;
    }
    return 0;
  }

  #refusalsOf(part: number): number {
    return this.#refusals[part] as number;
  }
}
