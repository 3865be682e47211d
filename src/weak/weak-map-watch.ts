/**
 * Reports the entries of a weak map or set to the observer that watches it. An entry is a node from the time it is added until
 * its object is collected, deleted or replaced.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { ComponentStats, NodeId, Observer } from '../core/probe.js';
import { SharedWatch } from '../core/shared-watch.js';

/** An entry as its watch sees it. */
interface WatchedEntry {
  node: NodeId | undefined;
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
        entry.node = this.observer.present(observer, entry.node, 'weak-target');
      }
      yield;
    }
  }

  /** Reports that an entry was added, by a caller of the map's method. */
  added(entry: WatchedEntry): void {
    const origin = this.observer.origin(WeakMapWatch.prototype.added);
    entry.node = this.observer.allocated('weak-target', this.observer.root, origin);
  }

  /** Reports that an entry was removed, unless it was never reported. */
  removed(entry: WatchedEntry): void {
    const node = entry.node;
    entry.node = undefined;
    if (node !== undefined) this.observer.freed(node);
  }

  protected override ended(): void {
    for (const entry of this.#map.entries) entry.node = undefined;
    this.#map.unwatched();
  }
}
