/**
 * The names of a cache's values in the store, and of its locks. Each begins with the prefix and the name of the cache. Results and locks
 * have its version, too. Tokens and the bus have none, so an invalidation covers the results of all versions. Name and version are
 * escaped, so two caches never have a name in common.
 *
 * A Redis Cluster puts names with one text in braces on one shard. So a result and its lock are beside the token of its key, and the
 * tokens of the cache are beside each other. A shard that is down then costs its own keys only, and a look-up asks few shards.
 *
 * Keyv takes a name that begins with its namespace for one that has the namespace already, but not where it reads several names. So no
 * name begins with it.
 */
import type { SharedStore } from '../shared-store.js';

/** What a name in the store stands for: a result, or the token of a key, a tag, all tags or the cache. */
export type NameKind = 'entry' | 'key' | 'tag' | 'tags' | 'cache';

/** What the names of a cache begin with. */
export interface NameSettings {
  readonly store: SharedStore | undefined;
  readonly prefix: string | undefined;
  readonly version: string | number | undefined;
}

/** The names of one cache. Argument lists and tags are given in their public form. */
export class KeyNames {
  /** The cache, on the bus. */
  readonly cache: string;
  readonly #inStore: string;
  readonly #version: string;
  readonly #namespace: string;

  constructor({ store, prefix, version }: NameSettings, name: string) {
    this.#inStore = `${prefix ?? ''}${escaped(name)}`;
    this.#namespace = namespaceOf(store);
    this.cache = `${prefix ?? this.#namespace}${escaped(name)}`;
    this.#version = version === undefined ? '' : `:${escaped(version)}`;
  }

  /** The name of a value in the store. */
  inStore(kind: NameKind, what: string): string {
    const shard = kind === 'cache' || kind === 'tags' ? this.#inStore : what;
    const version = kind === 'entry' ? this.#version : '';
    const plain = `${this.#inStore}${version}:${kind}:{${shard}}`;
    const isTakenForPrefixed = this.#namespace !== '' && plain.startsWith(this.#namespace);
    return isTakenForPrefixed ? `:${plain}` : plain;
  }

  /** The name of the lock of a key. */
  ofLock(key: string): string {
    return `${this.cache}${this.#version}:lock:{${key}}`;
  }
}

function escaped(text: string | number): string {
  return String(text).replaceAll('%', '%25').replaceAll(':', '%3A');
}

/** The namespace of a Keyv, with its separator. Keyv puts it before the names in the store, but not before those of locks. */
function namespaceOf(store: SharedStore | undefined): string {
  const namespace: unknown = (store as { namespace?: unknown } | undefined)?.namespace;
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}:` : '';
}
