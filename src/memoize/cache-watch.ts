/// <reference lib="esnext.disposable" preserve="true" />
/**
 * What a cache tells the observer that watches it: each stored entry is a node from its birth until it is gone. Entries
 * have no room for their node, since most caches are never watched; the watch keeps them by handle.
 */
import type { ComponentStats, NodeId, Observation, Observer } from '../core/probe.js';
import type { CacheInfo } from './cache-info.js';
import type { Handle } from './keys/key-trie.js';

/** What a watch sees of its cache. */
export interface WatchedCache {
  readonly name: string;
  handles(): Iterable<Handle>;
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
  readonly #nodes = new Map<Handle, NodeId>();
  #ended = false;

  constructor(cache: WatchedCache, observer: Observer) {
    this.name = cache.name;
    this.#cache = cache;
    this.#observer = observer;
    for (const handle of cache.handles()) this.born(handle);
  }

  stats(): ComponentStats {
    return { ...this.#cache.info() };
  }

  born(handle: Handle): void {
    this.#nodes.set(handle, this.#observer.allocated('entry', this.#observer.root));
  }

  gone(handle: Handle): void {
    const node = this.#nodes.get(handle);
    this.#nodes.delete(handle);
    if (node !== undefined) this.#observer.freed(node);
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cache.unwatched();
  }
}
