/**
 * Reports a cache's entries to its observer: each stored entry is a node until it leaves. The watch keeps the nodes by key, in
 * a map that grows in steps. An entry has no field for a node: most caches are never watched, and most results are stored bare.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { Birth } from '../core/birth.js';
import { reportListeners, type WatchedListeners } from '../core/listener-watch.js';
import type {
  ComponentStats,
  EntryPoint,
  Holder,
  NodeId,
  Observer,
  Origin,
} from '../core/probe.js';
import { SharedWatch } from '../core/shared-watch.js';
import { SplitMap } from '../core/split-map.js';
import type { CacheInfo } from './cache-info.js';
import { hashOf } from './keys/key-hash.js';
import { KeyPath } from './keys/key-level.js';
import type { KeyRef } from './keys/key-trie.js';

/** The cache, as its watch sees it. */
export interface WatchedCache {
  readonly name: string;
  /** Whether entries hold their values weakly. */
  readonly hasWeakValues: boolean;
  /** The longest time that an entry can live, in milliseconds. */
  readonly entryMillis: number;
  /** The listeners of its events. */
  readonly recorder: WatchedListeners;
  /** The key references of all entries, in any order. Entries may be added and removed during the iteration, as in a Map. */
  present(): Iterable<KeyRef>;
  info(): CacheInfo;
  /** Told that the watch has ended. */
  unwatched(): void;
}

/** The watch over one cache. */
export class CacheWatch extends SharedWatch {
  readonly kind = 'cache';
  readonly name: string;
  override readonly entryMillis: number;
  override readonly lendsShared = true;
  readonly #cache: WatchedCache;
  readonly #nodes = new SplitMap<KeyRef, NodeId>(hashOf);

  constructor(cache: WatchedCache, observer: Observer) {
    super(observer, `the cache '${cache.name}'`);
    this.name = cache.name;
    this.entryMillis = cache.entryMillis;
    this.#cache = cache;
  }

  stats(): ComponentStats {
    const { shared: _, ...figures } = this.#cache.info();
    return figures;
  }

  /** Takes the line and the scope of a caller of `entry`. */
  origin(entry: EntryPoint): Origin {
    return this.observer.origin(entry);
  }

  /** Reports that an entry is being loaded for a caller. */
  birth(ref: KeyRef, origin: Origin): Birth {
    return new Birth(this.observer, this.#kindOf(ref), origin);
  }

  /** Reports an entry; `birth` is what was reported of its load, by this watch or one before. */
  entryAdded(ref: KeyRef, birth?: Birth): void {
    const node =
      birth?.isReportedTo(this.observer) === true
        ? birth.born()
        : this.observer.allocated(this.#kindOf(ref), this.observer.root);
    this.#nodes.set(ref, node);
  }

  /** Reports that an entry has left. */
  entryRemoved(ref: KeyRef): void {
    const node = this.#nodes.take(ref);
    if (node !== undefined) this.observer.freed(node);
  }

  /** Gives the end of an entry's node, which {@link entryRemoved} no longer reports. */
  detach(ref: KeyRef): () => void {
    const node = this.#nodes.take(ref);
    return () => {
      if (node !== undefined) this.observer.freed(node);
    };
  }

  /** Reports a lease on the result of an entry, if that is kept. `capability` alone can end it. */
  lent(ref: KeyRef | undefined, origin: Origin, capability: WeakKey): NodeId {
    const entry = ref === undefined ? undefined : this.#nodes.get(ref);
    return this.observer.lent(entry ?? this.observer.root, origin, capability);
  }

  /** Reports the end of a lease. */
  leaseEnded(lease: NodeId): void {
    if (!this.hasEnded) this.observer.freed(lease);
  }

  /** Reports that the holder of a lease means to keep it. */
  expected(lease: NodeId, holdMillis: number): void {
    if (!this.hasEnded) this.observer.expected(lease, holdMillis);
  }

  /** Reports that `to` holds a lease from now on. */
  transferred(lease: NodeId, to: Holder): void {
    if (!this.hasEnded) this.observer.transferred(lease, to);
  }

  /** Reports that the cache keeps nothing any more. */
  componentEnded(): void {
    if (!this.hasEnded) this.observer.freed(this.observer.root);
  }

  /** Entries whose objects die leave by themselves. */
  #kindOf(ref: KeyRef): 'entry' | 'weak-entry' {
    return this.#cache.hasWeakValues || ref instanceof KeyPath ? 'weak-entry' : 'entry';
  }

  protected override *present(observer: Observer): Generator<undefined> {
    reportListeners(this.observer, this.#cache.recorder, observer);
    for (const ref of this.#cache.present()) {
      const known = this.#nodes.get(ref);
      const node = this.observer.present(observer, known, this.#kindOf(ref));
      if (known === undefined) this.#nodes.set(ref, node);
      yield;
    }
  }

  protected override ended(): void {
    this.#cache.recorder.watch = null;
    this.#cache.unwatched();
  }
}
