/**
 * Reports a cache's entries to its observer: each stored entry is a node until it leaves. The watch keeps the nodes by key, in
 * maps that grow in steps. An entry has no field for a node: most caches are never watched, and most results are stored bare.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { reportListeners, type WatchedListeners } from '../core/listener-watch.js';
import { PendingNode } from '../core/pending-node.js';
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

const ENTRY_KINDS = ['entry', 'weak-entry'] as const;

type EntryKind = (typeof ENTRY_KINDS)[number];

/** What there is for each kind of entries. */
type ByKind<T> = Readonly<Record<EntryKind, T>>;

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

function byKind<T>(make: () => T): ByKind<T> {
  return { entry: make(), 'weak-entry': make() };
}

function noNodes(): SplitMap<KeyRef, NodeId> {
  return new SplitMap(hashOf);
}

/** The watch over one cache. */
export class CacheWatch extends SharedWatch {
  readonly kind = 'cache';
  readonly name: string;
  override readonly entryMillis: number;
  override readonly lendsShared = true;
  readonly #cache: WatchedCache;
  #nodes: ByKind<SplitMap<KeyRef, NodeId>> = byKind(noNodes);
  /** The nodes of the entries that leave during {@link removeTogether}; `undefined` otherwise. */
  #leaving: ByKind<NodeId[]> | undefined = undefined;

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
  newNode(ref: KeyRef, origin: Origin): PendingNode {
    return new PendingNode(this.observer, this.#kindOf(ref), origin);
  }

  /** Reports an entry; `pendingNode` is what was reported of its load, by this watch or one before. */
  entryAdded(ref: KeyRef, pendingNode?: PendingNode): void {
    const node =
      pendingNode?.isReportedTo(this.observer) === true
        ? pendingNode.complete()
        : this.observer.allocated(this.#kindOf(ref), this.observer.root);
    this.#nodesLike(ref).set(ref, node);
  }

  /** Reports that an entry has left. */
  entryRemoved(ref: KeyRef): void {
    const node = this.#nodesLike(ref).take(ref);
    if (node === undefined) return;
    if (this.#leaving === undefined) this.observer.freed(node);
    else this.#leaving[this.#kindOf(ref)].push(node);
  }

  /** Reports that all entries have left. O(1), and O(entries) for an observer that takes them one by one. */
  allEntriesRemoved(): void {
    const nodes = this.#nodes;
    this.#nodes = byKind(noNodes);
    this.#freedMany(nodes, ({ size }) => size);
  }

  /** Calls `remove`, which removes entries, and reports them together. It must call no foreign code. */
  removeTogether<R>(remove: () => R): R {
    const leaving = byKind((): NodeId[] => []);
    this.#leaving = leaving;
    try {
      return remove();
    } finally {
      this.#leaving = undefined;
      this.#freedMany(leaving, ({ length }) => length);
    }
  }

  #freedMany<N extends { values(): Iterable<NodeId> }>(
    nodes: ByKind<N>,
    countOf: (nodes: N) => number,
  ): void {
    for (const kind of ENTRY_KINDS) {
      const count = countOf(nodes[kind]);
      if (count > 0) this.observer.freedMany(kind, nodes[kind].values(), count);
    }
  }

  /** Gives the end of an entry's node, which {@link entryRemoved} no longer reports: at once, or with the disposal that runs. */
  detach(ref: KeyRef): (disposal?: Promise<unknown>) => void {
    const node = this.#nodesLike(ref).take(ref);
    return (disposal) => {
      if (node === undefined) return;
      if (disposal === undefined) {
        this.observer.freed(node);
        return;
      }
      this.observer.ending(node);
      void disposal.then(() => this.observer.freed(node));
    };
  }

  /** Reports a lease on the result of an entry, if that is kept. `capability` alone can end it. */
  lent(ref: KeyRef | undefined, origin: Origin, capability: WeakKey): NodeId {
    const entry = ref === undefined ? undefined : this.#nodesLike(ref).get(ref);
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
  #kindOf(ref: KeyRef): EntryKind {
    return this.#cache.hasWeakValues || ref instanceof KeyPath ? 'weak-entry' : 'entry';
  }

  /** The nodes of entries of the same kind. */
  #nodesLike(ref: KeyRef): SplitMap<KeyRef, NodeId> {
    return this.#nodes[this.#kindOf(ref)];
  }

  protected override *present(observer: Observer): Generator<undefined> {
    reportListeners(this.observer, this.#cache.recorder, observer);
    for (const ref of this.#cache.present()) {
      const known = this.#nodesLike(ref).get(ref);
      const node = this.observer.present(observer, known, this.#kindOf(ref));
      if (known === undefined) this.#nodesLike(ref).set(ref, node);
      yield;
    }
  }

  protected override ended(): void {
    this.#cache.recorder.watch = null;
    this.#cache.unwatched();
  }
}
