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
export {
  PhantomReference,
  ReferenceQueue,
  type TagArgument,
  type TakeOptions,
} from '../core/reference-queue.js';
export type {
  BaseHeap,
  NodeFinalizer,
  NodeOptions,
  WeakCallback,
} from './base-heap.js';
export type { CollectorName, NodeColour, StepBudget } from './collector.js';
export {
  DEBUG_COLLECTABLE,
  DEBUG_LEAK,
  DEBUG_SAVEALL,
  DEBUG_STATS,
  DEBUG_UNCOLLECTABLE,
} from './debug-flags.js';
export {
  exportHeap,
  type HeapExportFormat,
  type HeapExportOptions,
  type HeapExportSource,
} from './export/export-heap.js';
export type { PictureColourBy } from './export/node-fill.js';
export { type Garbage, GcModule } from './gc-module.js';
export { Heap } from './heap.js';
export {
  HeapBusyError,
  HeapDisposedError,
  HeapFullError,
  NotHeldError,
  StaleHandleError,
} from './heap-errors.js';
export type { HeapOptions } from './heap-options.js';
export type { Root } from './heap-root.js';
export type { HeapScope } from './heap-scope.js';
export type {
  CollectionCallback,
  CollectionInfo,
  CollectionTrigger,
  UnraisableWhere,
} from './heap-state.js';
export type {
  CollectorStats,
  GenerationStats,
  HeapStats,
  LastTrigger,
  SerialReason,
} from './heap-stats.js';
export type {
  AllocEvent,
  CollectionPhase,
  EdgeEvent,
  HeapEvent,
  NodeEvent,
  PhaseEvent,
  PromoteEvent,
  ShadeEvent,
  WeakCallbackEvent,
  WeakClearEvent,
} from './heap-trace.js';
export type { ClassCounts } from './memory/census.js';
export type { Generation } from './memory/generation-lists.js';
export type { Handle } from './memory/handle.js';
export type { NodeGeneration } from './memory/node-generation.js';
export type {
  HeapObservation,
  HeapOp,
  HeapProgram,
  HeapProgramEvent,
} from './program/heap-program.js';
export { runHeapProgram } from './program/run-heap-program.js';
export type { CensusEntry } from './views/census-view.js';
export type { RetainedSize } from './views/dominators.js';
export type { HeapSnapshot, SnapshotNode } from './views/heap-snapshot.js';
