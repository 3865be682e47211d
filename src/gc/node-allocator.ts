/** Allocates nodes, and runs the collector when enough were allocated. */
import type { Collector } from './collector.js';
import type { HeapState } from './heap-state.js';
import { GENERATION_0 } from './memory/generation-lists.js';

export class NodeAllocator {
  readonly #state: HeapState;
  readonly #collector: Collector;

  constructor(state: HeapState, collector: Collector) {
    this.#state = state;
    this.#collector = collector;
  }

  /**
   * Returns the index of a new node in generation 0, which the caller holds. The option `trigger` says whether a
   * collection runs before the node is tracked or after.
   */
  allocate(typeAndFlags: number, kindId: number, size: number): number {
    const state = this.#state;
    state.throwIfClosed();
    const { store } = state;
    const index = store.allocateSlot(typeAndFlags, kindId);
    if (size > 0) store.setSize(index, size);
    state.counters.recordAllocation(kindId, size);
    store.census?.recordBirth(index, kindId);
    state.trace?.alloc(index, state.kinds.name(kindId), size);
    state.barrier?.allocated(index);
    const due = ++state.counts[0] > state.thresholds[0] && this.#mayCollect();
    if (due && state.trigger === 'allocation') this.#collector.collectIfDue();
    store.lists.append(GENERATION_0, index);
    if (due && state.trigger === 'safepoint') this.#collector.collectIfDue();
    return index;
  }

  #mayCollect(): boolean {
    const { enabled, thresholds, collecting } = this.#state;
    return enabled && thresholds[0] !== 0 && !collecting;
  }
}
