/// <reference lib="esnext.disposable" preserve="true" />
/** What a cache tells the observer that watches it: each stored entry is a node from its birth until it is gone. */
import type { ComponentStats, Observation, Observer } from '../core/probe.js';
import type { CacheInfo } from './cache-info.js';
import type { Tracked } from './entry.js';

/** What a watch sees of its cache. */
export interface WatchedCache {
  readonly name: string;
  tracked(): Iterable<Tracked>;
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
  #ended = false;

  constructor(cache: WatchedCache, observer: Observer) {
    this.name = cache.name;
    this.#cache = cache;
    this.#observer = observer;
    for (const tracked of cache.tracked()) this.born(tracked);
  }

  stats(): ComponentStats {
    return { ...this.#cache.info() };
  }

  born(tracked: Tracked): void {
    tracked.node = this.#observer.allocated('entry', this.#observer.root);
  }

  gone(tracked: Tracked): void {
    const { node } = tracked;
    tracked.node = undefined;
    if (node !== undefined) this.#observer.freed(node);
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cache.unwatched();
  }
}
