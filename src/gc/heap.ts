/**
 * The heap that programs create, with the collector that they choose. `base-heap.ts` has its operations. Only this file
 * imports all collectors.
 */
import { BaseHeap } from './base-heap.js';
import { makeCollector } from './collectors/make-collector.js';
import type { HeapOptions } from './heap-options.js';

/**
 * Heap of nodes with CPython 3.11's reference counts, weak references, finalizers, generations and cycle collector. The
 * option {@link HeapOptions.collector} chooses another collector.
 *
 * A node is freed the moment its reference count drops to 0. Nodes that hold each other in a cycle wait for the
 * collector. An operation takes O(1) unless its description says otherwise. Each operation checks its handles: a stale
 * one throws {@link StaleHandleError} (`TENURE_STALE_HANDLE`). Any use after disposal throws {@link HeapDisposedError}
 * (`TENURE_HEAP_DISPOSED`).
 *
 * @example
 * ```ts
 * import { Heap } from 'tenure/gc';
 *
 * const heap = new Heap();
 * const list = heap.alloc({ kind: 'list' });
 * heap.link(list, list); // A list that contains itself.
 * heap.refcount(list); // => 2
 * heap.drop(list);
 * heap.isAlive(list); // => true
 * heap.gc.collect(); // => 1
 * heap.isAlive(list); // => false
 * ```
 */
export class Heap extends BaseHeap {
  /**
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   */
  constructor(options: HeapOptions = {}) {
    super(options, makeCollector);
  }
}
