/**
 * The heap that programs make, with the collector that they choose. What a heap can do is in `base-heap.ts`: only here do all
 * collectors come together, for those who use them.
 */
import { BaseHeap } from './base-heap.js';
import { makeCollector } from './collectors/make-collector.js';
import type { HeapOptions } from './heap-options.js';

/**
 * A heap of nodes with CPython 3.11's reference counts, weak references, finalizers, generations and cycle collector; or
 * another {@link HeapOptions.collector}.
 *
 * A node is freed the moment its reference count drops to 0; nodes that hold each other in a cycle wait for the collector.
 * All operations take O(1) unless they say otherwise, and every handle is checked: a stale one throws
 * {@link StaleHandleError} (`TENURE_STALE_HANDLE`), any use after disposal {@link HeapDisposedError}
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
