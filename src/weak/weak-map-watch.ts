/// <reference lib="esnext.disposable" preserve="true" />
/**
 * What a weak map tells the observer that watches it: each entry is a node from the time it is set until its value is
 * collected, deleted or replaced.
 */
import type { ComponentStats, NodeId, Observation, Observer } from '../core/probe.js';

/** What of an entry a watch needs. */
interface WatchedEntry {
  node: NodeId | undefined;
  readonly ref: WeakRef<WeakKey>;
}

/** What a watch sees of its map. */
export interface WatchedWeakMap {
  readonly name: string;
  readonly entries: Iterable<WatchedEntry>;
  stats(): ComponentStats;
  /** The watch has ended. */
  unwatched(): void;
}

/** One observer's watch over one weak map. */
export class WeakMapWatch implements Observation {
  readonly kind = 'weak-map';
  readonly name: string;
  readonly #observer: Observer;
  readonly #map: WatchedWeakMap;
  #ended = false;

  constructor(map: WatchedWeakMap, observer: Observer) {
    this.name = map.name;
    this.#map = map;
    this.#observer = observer;
    for (const entry of map.entries) {
      if (entry.ref.deref() !== undefined) this.born(entry);
    }
  }

  stats(): ComponentStats {
    return this.#map.stats();
  }

  born(entry: WatchedEntry): void {
    entry.node = this.#observer.allocated('weak-target', this.#observer.root);
  }

  gone(entry: WatchedEntry): void {
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
