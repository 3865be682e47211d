import type { NodeId } from '../core/probe.js';

/** What a map keeps of one value: its weak reference, and what is needed to forget it. */
export class WeakEntry<K, V extends WeakKey> {
  readonly key: K;
  readonly ref: WeakRef<V>;
  /** Its node in the heap of the observer; `undefined` while nobody watches. */
  node: NodeId | undefined = undefined;

  constructor(key: K, value: V) {
    this.key = key;
    this.ref = new WeakRef(value);
  }
}
