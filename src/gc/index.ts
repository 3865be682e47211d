/**
 * A simulated heap with CPython's memory management: reference counts, weak references, finalizers, generations and the
 * cycle collector, exactly as CPython 3.11 does it.
 *
 * @example
 * ```ts
 * import { Heap } from 'tenure/gc';
 *
 * const heap = new Heap();
 * const parent = heap.alloc({ kind: 'parent' });
 * const child = heap.alloc({ kind: 'child' });
 * heap.link(parent, child);
 * heap.link(child, parent);
 * heap.drop(child);
 * heap.pathFromRoot(child).map((node) => heap.kind(node)); // => ['parent', 'child']
 * heap.drop(parent);
 * heap.gc.collect(); // => 2
 * ```
 *
 * @module
 */
export type { Clock, TimerHandle } from '../core/clock.js';
export { InvalidArgumentError, TenureError, type TenureErrorOptions } from '../core/errors.js';
export type { Generation } from './cpython-collector.js';
export {
  DEBUG_COLLECTABLE,
  DEBUG_LEAK,
  DEBUG_SAVEALL,
  DEBUG_STATS,
  DEBUG_UNCOLLECTABLE,
} from './debug-flags.js';
export { type CollectionCallback, type Garbage, GcModule } from './gc-module.js';
export { type Handle, StaleHandleError } from './handle.js';
export {
  type CollectorName,
  Heap,
  HeapDisposedError,
  type HeapOptions,
  type NodeFinalizer,
  type NodeGeneration,
  type NodeOptions,
  type Root,
  type WeakCallback,
} from './heap.js';
export {
  type HeapObservation,
  type HeapOp,
  type HeapProgram,
  type HeapProgramEvent,
  runHeapProgram,
} from './heap-program.js';
export type {
  CollectionInfo,
  CollectionTrigger,
  UnraisableWhere,
} from './heap-state.js';
export type { GenerationStats, HeapStats, LastTrigger } from './heap-stats.js';
