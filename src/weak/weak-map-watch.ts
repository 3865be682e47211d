/**
 * Reports the entries of a weak map or set to the observer that watches it. An entry is a node from the time it is added until
 * its object is collected, deleted or replaced.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { ComponentStats, NodeId, Observer } from '../core/probe.js';
import { SharedWatch } from '../core/shared-watch.js';
import { nextWatchSerial } from '../core/watch-serial.js';

/** An entry as its watch sees it. */
interface WatchedEntry {
  /** Its node; of no meaning unless the present watch has given it. */
  node: NodeId | undefined;
  /** The serial of the watch that has given the node. */
  watchSerial: number;
  readonly ref: WeakRef<WeakKey>;
}

/** A map or set as its watch sees it. */
export interface WatchedWeakMap {
  readonly kind: 'weak-map' | 'weak-set';
  readonly name: string;
  /** The entries. They may be added and removed during the iteration, as in a Map. */
  readonly entries: Iterable<WatchedEntry>;
  stats(): ComponentStats;
  /** Called when the watch has ended. */
  unwatched(): void;
}

/** The watch over one weak map or set. */
export class WeakMapWatch extends SharedWatch {
  readonly kind: 'weak-map' | 'weak-set';
  readonly name: string;
  readonly #map: WatchedWeakMap;
  readonly #serial = nextWatchSerial();

  constructor(map: WatchedWeakMap, observer: Observer) {
    super(observer, `the ${map.kind} '${map.name}'`);
    this.kind = map.kind;
    this.name = map.name;
    this.#map = map;
  }

  stats(): ComponentStats {
    return this.#map.stats();
  }

  protected override *present(observer: Observer): Generator<undefined> {
    for (const entry of this.#map.entries) {
      if (entry.ref.deref() !== undefined) {
        this.#set(entry, this.observer.present(observer, this.#nodeOf(entry), 'weak-target'));
      }
      yield;
    }
  }

  /** Reports that an entry was added, by a caller of the map's method. */
  added(entry: WatchedEntry): void {
    const origin = this.observer.origin(WeakMapWatch.prototype.added);
    this.#set(entry, this.observer.allocated('weak-target', this.observer.root, origin));
  }

  /** Reports that an entry was removed, unless it was never reported. */
  removed(entry: WatchedEntry): void {
    const node = this.#take(entry);
    if (node !== undefined) this.observer.freed(node);
  }

  /** Reports that entries were removed together. */
  removedTogether(entries: readonly WatchedEntry[]): void {
    this.observer.freedMany('weak-target', this.#takeEach(entries), entries.length);
  }

  *#takeEach(entries: readonly WatchedEntry[]): Generator<NodeId, undefined> {
    for (const entry of entries) {
      const node = this.#take(entry);
      if (node !== undefined) yield node;
    }
    return undefined;
  }

  #nodeOf(entry: WatchedEntry): NodeId | undefined {
    return entry.watchSerial === this.#serial ? entry.node : undefined;
  }

  #set(entry: WatchedEntry, node: NodeId): void {
    entry.watchSerial = this.#serial;
    entry.node = node;
  }

  #take(entry: WatchedEntry): NodeId | undefined {
    const node = this.#nodeOf(entry);
    entry.node = undefined;
    return node;
  }

  protected override ended(): void {
    this.#map.unwatched();
  }
}
