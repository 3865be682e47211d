/**
 * The tags that were invalidated while loads ran. All loads share one list, so it does not grow with their number. An entry is the
 * number of the last invalidation of its tag. A load knows how many invalidations there were before the first that concerns it.
 */

/** The most tags that are remembered. With more, each tag counts as invalidated for the loads that run. */
const MAX_TAGS = 10_000;

export class InvalidatedTags {
  readonly #last = new Map<string, number>();
  #count = 0;
  /** Up to this number, each tag counts as invalidated. */
  #allUntil = 0;

  /** How many invalidations there were. */
  get count(): number {
    return this.#count;
  }

  /** Adds an invalidation. O(1). */
  add(tag: string): void {
    if (this.#last.size >= MAX_TAGS && !this.#last.has(tag)) {
      this.#allUntil = this.#count;
      this.#last.clear();
    }
    this.#last.set(tag, ++this.#count);
  }

  /** Whether a tag was invalidated after the first `since` invalidations. O(1). */
  has(tag: string, since: number): boolean {
    return since < this.#allUntil || (this.#last.get(tag) ?? 0) > since;
  }

  /** Forgets all tags, because no load needs them. */
  clear(): void {
    this.#last.clear();
  }
}
