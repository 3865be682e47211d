import type { DeathShard } from '../core/death-registry.js';
import { asMapKey } from '../core/map-key.js';
import type { NodeId } from '../core/probe.js';

/** An entry of a WeakValueMap: the key, and a weak reference to the value. */
export class WeakEntry<K, V extends WeakKey> {
  readonly key: K;
  readonly ref: WeakRef<V>;
  /** Where the value is registered. */
  shard: DeathShard<WeakEntry<K, V>> | undefined = undefined;
  /** Its node in the heap of the observer, if one is attached. */
  node: NodeId | undefined = undefined;
  /** The serial of the watch that has given the node. */
  watchSerial = 0;

  constructor(key: K, value: V) {
    this.key = asMapKey(key);
    this.ref = new WeakRef(value);
  }
}
