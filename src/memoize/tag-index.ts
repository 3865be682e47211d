/** Finds entries by tag. It holds references to keys, so it does not keep the objects in a key alive. */
import type { KeyRef } from './keys/key-trie.js';

/** Entries by tag and tags by entry. */
export class TagIndex {
  readonly #refs = new Map<string, Set<KeyRef>>();
  readonly #tags = new Map<KeyRef, ReadonlySet<string>>();

  /** Sets the tags of an entry that has none. */
  add(ref: KeyRef, tags: ReadonlySet<string>): void {
    this.#tags.set(ref, tags);
    for (const tag of tags) {
      const refs = this.#refs.get(tag);
      if (refs === undefined) this.#refs.set(tag, new Set([ref]));
      else refs.add(ref);
    }
  }

  /** Removes an entry. */
  remove(ref: KeyRef): void {
    const tags = this.#tags.get(ref);
    if (tags === undefined) return;
    this.#tags.delete(ref);
    for (const tag of tags) {
      const refs = this.#refs.get(tag);
      refs?.delete(ref);
      if (refs?.size === 0) this.#refs.delete(tag);
    }
  }

  /** All tags. */
  tags(): Iterable<string> {
    return this.#refs.keys();
  }

  /** The tags of an entry. */
  tagsOf(ref: KeyRef): ReadonlySet<string> | undefined {
    return this.#tags.get(ref);
  }

  /**
   * Gives the entries that have one of these tags, by which the index finds them no longer: the caller removes all of them. O(1) for one
   * tag.
   */
  take(tags: readonly string[]): Set<KeyRef> | undefined {
    let found: Set<KeyRef> | undefined;
    for (const tag of tags) {
      const refs = this.#refs.get(tag);
      this.#refs.delete(tag);
      if (found === undefined) found = refs;
      else for (const ref of refs ?? []) found.add(ref);
    }
    return found;
  }
}
