/** Which entries have which tags. It holds handles, so it keeps no key alive that may die. */
import type { Handle } from './keys/key-trie.js';

/** Entries by tag and tags by entry. */
export class TagIndex {
  readonly #handles = new Map<string, Set<Handle>>();
  readonly #tags = new Map<Handle, ReadonlySet<string>>();

  /** Gives an entry, which has none, its tags. */
  add(handle: Handle, tags: ReadonlySet<string>): void {
    this.#tags.set(handle, tags);
    for (const tag of tags) {
      const handles = this.#handles.get(tag);
      if (handles === undefined) this.#handles.set(tag, new Set([handle]));
      else handles.add(handle);
    }
  }

  /** Forgets an entry. */
  remove(handle: Handle): void {
    const tags = this.#tags.get(handle);
    if (tags === undefined) return;
    this.#tags.delete(handle);
    for (const tag of tags) {
      const handles = this.#handles.get(tag);
      handles?.delete(handle);
      if (handles?.size === 0) this.#handles.delete(tag);
    }
  }

  /** The tags of an entry. */
  tagsOf(handle: Handle): ReadonlySet<string> | undefined {
    return this.#tags.get(handle);
  }

  /** The entries that have one of these tags. */
  tagged(tags: readonly string[]): Set<Handle> {
    const found = new Set<Handle>();
    for (const tag of tags) for (const handle of this.#handles.get(tag) ?? []) found.add(handle);
    return found;
  }
}
