/**
 * The public forms of argument lists and tags: the text itself, or its digest. Remembers the text of each digest that stands for
 * something in this process, because a message on the bus has only the digest.
 */
import { sha256 } from './sha256.js';

/**
 * The longest text that is written as it is. A longer one is always replaced by its digest: memcached takes names of 250 bytes, and a table
 * of @keyv/postgres or @keyv/mysql 255 characters, with the namespace and the name of the cache.
 */
const MAX_PLAIN_LENGTH = 128;
/** How many digests are remembered before those that are out of use are dropped. */
const FIRST_PRUNING = 1_000;

/** The digests of one cache. */
export class DigestIndex {
  readonly #hashesAll: boolean;
  readonly #inUse: () => Iterable<string>;
  #texts = new Map<string, string>();
  #pruneAt = FIRST_PRUNING;

  /** `inUse` gives the texts that stand for something in this process. */
  constructor(hashesAll: boolean, inUse: () => Iterable<string>) {
    this.#hashesAll = hashesAll;
    this.#inUse = inUse;
  }

  /** The public form of a text. */
  publicForm(text: string): string {
    if (!this.#isHashed(text)) return text;
    if (this.#texts.size >= this.#pruneAt) this.#prune();
    const digest = digestOf(text);
    this.#texts.set(digest, text);
    return digest;
  }

  /** The text of a public form; `undefined` for a digest that stands for nothing here. */
  textOf(form: string): string | undefined {
    return this.#texts.get(form) ?? (form.startsWith('#') ? undefined : form);
  }

  #isHashed(text: string): boolean {
    return this.#hashesAll || text.length > MAX_PLAIN_LENGTH || text.startsWith('#');
  }

  #prune(): void {
    const texts = new Map<string, string>();
    for (const text of this.#inUse()) if (this.#isHashed(text)) texts.set(digestOf(text), text);
    this.#texts = texts;
    this.#pruneAt = FIRST_PRUNING + 2 * texts.size;
  }
}

function digestOf(text: string): string {
  return `#${sha256(text)}`;
}
