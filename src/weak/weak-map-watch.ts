/**
 * Reports the entries of a weak map or set to the observer that watches it. An entry is a node from the time it is added until
 * its object is collected, deleted or replaced.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { GuardedObserver } from '../core/guarded-observer.js';
import type { ComponentStats, NodeId, Observation, Observer } from '../core/probe.js';

/** An entry as its watch sees it. */
interface WatchedEntry {
  node: NodeId | undefined;
  readonly ref: WeakRef<WeakKey>;
}

/** A map or set as its watch sees it. */
export interface WatchedWeakMap {
  readonly kind: 'weak-map' | 'weak-set';
  readonly name: string;
  readonly entries: Iterable<WatchedEntry>;
  stats(): ComponentStats;
  /** Called when the watch has ended. */
  unwatched(): void;
}

/** One observer's watch over one weak map or set. */
export class WeakMapWatch implements Observation {
  readonly kind: 'weak-map' | 'weak-set';
  readonly name: string;
  readonly #observer: Observer;
  readonly #map: WatchedWeakMap;
  #ended = false;

  constructor(map: WatchedWeakMap, observer: Observer) {
    this.kind = map.kind;
    this.name = map.name;
    this.#map = map;
    this.#observer = new GuardedObserver(observer, `the ${map.kind} '${map.name}'`);
    for (const entry of map.entries) {
      if (entry.ref.deref() !== undefined) this.#present(entry);
    }
  }

  stats(): ComponentStats {
    return this.#map.stats();
  }

  #present(entry: WatchedEntry): void {
    entry.node = this.#observer.allocated('weak-target', this.#observer.root);
  }

  /** Reports that an entry was added, by a caller of the map's method. */
  added(entry: WatchedEntry): void {
    const origin = this.#observer.origin(WeakMapWatch.prototype.added);
    entry.node = this.#observer.allocated('weak-target', this.#observer.root, origin);
  }

  /** Reports that an entry was removed, unless it was never reported. */
  removed(entry: WatchedEntry): void {
    const node = entry.node;
    entry.node = undefined;
    if (node !== undefined) this.#observer.freed(node);
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const entry of this.#map.entries) entry.node = undefined;
    this.#map.unwatched();
  }
}
