/// <reference lib="esnext.disposable" preserve="true" />
/**
 * What a cache tells the observer that watches it: each stored entry is a node from its birth until it is gone. Entries
 * have no room for their node, since most caches are never watched; the watch keeps them by ref.
 */
import type { ComponentStats, NodeId, Observation, Observer } from '../core/probe.js';
import type { CacheInfo } from './cache-info.js';
import type { KeyRef } from './keys/key-trie.js';

/** What a watch sees of its cache. */
export interface WatchedCache {
  readonly name: string;
  refs(): Iterable<KeyRef>;
  info(): CacheInfo;
  /** The watch has ended. */
  unwatched(): void;
}

/** One observer's watch over one cache. */
export class CacheWatch implements Observation {
  readonly kind = 'cache';
  readonly name: string;
  readonly #cache: WatchedCache;
  readonly #observer: Observer;
  readonly #nodes = new Map<KeyRef, NodeId>();
  #ended = false;

  constructor(cache: WatchedCache, observer: Observer) {
    this.name = cache.name;
    this.#cache = cache;
    this.#observer = observer;
    for (const ref of cache.refs()) this.entryAdded(ref);
  }

  stats(): ComponentStats {
    return { ...this.#cache.info() };
  }

  entryAdded(ref: KeyRef): void {
    this.#nodes.set(ref, this.#observer.allocated('entry', this.#observer.root));
  }

  entryRemoved(ref: KeyRef): void {
    const node = this.#nodes.get(ref);
    this.#nodes.delete(ref);
    if (node !== undefined) this.#observer.freed(node);
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cache.unwatched();
  }
}
