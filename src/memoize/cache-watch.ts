/**
 * Reports a cache's entries to its observer: each stored entry is a node until it leaves. The watch keeps the nodes by key. An
 * entry has no field for a node, because most caches are never watched.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { GuardedObserver } from '../core/guarded-observer.js';
import type { ComponentStats, NodeId, Observation, Observer } from '../core/probe.js';
import type { CacheInfo } from './cache-info.js';
import type { KeyRef } from './keys/key-trie.js';

/** The cache, as its watch sees it. */
export interface WatchedCache {
  readonly name: string;
  refs(): Iterable<KeyRef>;
  info(): CacheInfo;
  /** Told that the watch has ended. */
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
    this.#observer = new GuardedObserver(observer, `the cache '${cache.name}'`);
    for (const ref of cache.refs()) this.entryAdded(ref);
  }

  stats(): ComponentStats {
    const { shared: _, ...figures } = this.#cache.info();
    return figures;
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
