/**
 * State that all parts of one simulated heap share: its memory, the state of the collector, the counters and the hooks.
 */
import type { Clock } from '../core/clock.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import type { PhantomReference } from '../core/reference-queue.js';
import type { WriteBarrier } from './collector.js';
import { HeapBusyError, HeapDisposedError } from './heap-errors.js';
import { HeapCounters } from './heap-stats.js';
import { type HeapEvent, HeapTrace } from './heap-trace.js';
import type { Handle } from './memory/handle.js';
import { HandleTable, type HeapAvailability } from './memory/handle-table.js';
import { KindNames } from './memory/kind-names.js';
import { NodeStore } from './memory/node-store.js';
import { PhantomReferences } from './phantom-references.js';

/** Origin of an error that has no caller to go to. */
export type UnraisableWhere =
  | 'finalizer'
  | 'weakref callback'
  | 'gc callback'
  | 'trace'
  | 'debug output';

/**
 * Moment at which an allocation runs the collector: before the new node is tracked (CPython ≤ 3.11), or after (3.12).
 */
export type CollectionTrigger = 'allocation' | 'safepoint';

/** What a callback in `gc.callbacks` receives, as in CPython. */
export interface CollectionInfo {
  /** Generation that is collected. */
  readonly generation: number;
  /** Number of nodes that were collected; 0 at the start. */
  readonly collected: number;
  /** Number of nodes that could not be collected; 0 at the start. */
  readonly uncollectable: number;
}

/** Runs when a collection starts and when it stops. */
export type CollectionCallback = (phase: 'start' | 'stop', info: CollectionInfo) => void;

/**
 * A finalizer, or the callback of a weak reference. The type of its heap is `never`: this file is a layer below the
 * heap and only passes it on.
 */
export type NodeCallable = (node: Handle, heap: never) => void;

export type UnraisableHook = (error: unknown, where: UnraisableWhere) => void;

export type DebugHook = (line: string) => void;

export interface HeapStateOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly thresholds: readonly [number, number, number];
  readonly trigger: CollectionTrigger;
  readonly onUnraisable: UnraisableHook;
  readonly onDebug: DebugHook;
  /** True if other threads read the nodes. */
  readonly shared: boolean;
  readonly trace?: ((event: HeapEvent) => void) | undefined;
  /** True if the heap counts its nodes by class. */
  readonly census?: boolean;
}

export class HeapState implements HeapAvailability {
  readonly store: NodeStore;
  readonly handles: HandleTable;
  readonly kinds: KindNames = new KindNames();
  readonly counters: HeapCounters = new HeapCounters();
  readonly clock: Pick<Clock, 'now'>;
  readonly trigger: CollectionTrigger;

  /** CPython's `generations[i].count` and `.threshold`. */
  readonly counts: [number, number, number] = [0, 0, 0];
  readonly thresholds: [number, number, number];
  enabled = true;
  collecting = false;
  debug = 0;
  longLivedTotal = 0;
  longLivedPending = 0;
  readonly garbage: number[] = [];
  readonly callbacks: CollectionCallback[] = [];

  /** Finalizers and callbacks, by index of the node. */
  readonly callables: (NodeCallable | undefined)[] = [];
  /** Finalizer of the nodes with a finalizer that `callables` does not have. One for all takes no memory of a node. */
  commonFinalizer: NodeCallable | undefined = undefined;
  /** Number of references that the heap itself owns: from `garbage`, and to nodes that it works on. */
  ownReferences = 0;
  /** Nodes that the heap works on while user code may run. A node can occur several times. */
  readonly pinned: number[] = [];
  /** Receives the changes of the mutator during a collection that needs them, else `null`. */
  barrier: WriteBarrier | null = null;
  disposed = false;
  /** True if the heap refuses to be used: it is disposed of, or it runs its trace. */
  closed = false;
  /** Event stream, or `null` if the heap has no trace. */
  readonly trace: HeapTrace | null;
  /** Phantom references, or `null` until the first one. */
  phantoms: PhantomReferences | null = null;
  readonly #heap: unknown;
  readonly #onUnraisable: UnraisableHook;
  readonly #onDebug: DebugHook;

  /** Finalizers and callbacks receive `heap`. */
  constructor(heap: unknown, options: HeapStateOptions) {
    this.#heap = heap;
    this.store = new NodeStore(options.shared, options.census === true);
    this.handles = new HandleTable(this.store, this);
    this.clock = options.clock;
    this.thresholds = [...options.thresholds];
    this.trigger = options.trigger;
    this.#onUnraisable = options.onUnraisable;
    this.#onDebug = options.onDebug;
    const { trace } = options;
    this.trace =
      trace === undefined
        ? null
        : new HeapTrace(this.store.lists, this.handles, (event) => this.#emit(trace, event));
  }

  /** Whether as many nodes have reached the oldest generation since the last full collection as a quarter of its survivors. */
  hasManyPending(): boolean {
    return this.longLivedPending >= Math.floor(this.longLivedTotal / 4);
  }

  throwIfClosed(): void {
    if (!this.closed) return;
    if (this.disposed) throw new HeapDisposedError();
    throw new HeapBusyError();
  }

  /** Adds a phantom reference to the node at `index`. Returns the reference. */
  addPhantom<T>(index: number, reference: PhantomReference<T>): PhantomReference<T> {
    this.phantoms ??= new PhantomReferences();
    this.phantoms.add(index, reference);
    return reference;
  }

  /** Calls a finalizer or a callback, unless the heap was disposed of. The unraisable hook receives what it throws. */
  call(callable: NodeCallable, index: number, where: UnraisableWhere): void {
    if (this.disposed) return;
    try {
      callable(this.handles.of(index), this.#heap as never);
    } catch (error) {
      this.#unraisable(error, where);
    }
  }

  /** Calls the callbacks in `gc.callbacks`, in order. Walks the live list by position, as CPython does. */
  runCallbacks(phase: 'start' | 'stop', info: CollectionInfo): void {
    for (const callback of this.callbacks) {
      if (this.disposed) return;
      try {
        callback(phase, info);
      } catch (error) {
        this.#unraisable(error, 'gc callback');
      }
    }
  }

  /** Prints a line of debug output. */
  print(line: string): void {
    try {
      this.#onDebug(line);
    } catch (error) {
      this.#unraisable(error, 'debug output');
    }
  }

  dispose(): void {
    this.disposed = true;
    this.closed = true;
    this.phantoms = null;
    this.barrier = null;
    this.callbacks.length = 0;
    this.callables.length = 0;
    this.commonFinalizer = undefined;
  }

  #emit(trace: (event: HeapEvent) => void, event: HeapEvent): void {
    if (this.disposed) return;
    this.closed = true;
    try {
      trace(event);
    } catch (error) {
      this.#unraisable(error, 'trace');
    } finally {
      this.closed = this.disposed;
    }
  }

  /**
   * Passes an error to the unraisable hook. An error must not escape into an unfinished collection, so this method
   * catches what the hook throws.
   */
  #unraisable(error: unknown, where: UnraisableWhere): void {
    this.counters.unraisable++;
    try {
      this.#onUnraisable(error, where);
    } catch (hookError) {
      reportIgnoredError(`a ${where} of a simulated heap`, error);
      reportIgnoredError('the onUnraisable hook of a simulated heap', hookError);
    }
  }
}
