/** The port to an eviction policy: which entry is evicted when a cache is full. */
import type { BoundedStore, OnRemoved } from './stores/store.js';

/** An eviction policy, as the option `policy` takes it. */
export interface EvictionPolicy {
  /** @hidden A store for at most `max` entries. `onRemoved` is told of each entry that leaves. */
  readonly makeStore: (max: number, onRemoved: OnRemoved) => BoundedStore;
}
