/** What the rooms of one simulated heap share: its memory, the collector's state, the counters, and who is called. */
import type { Clock } from '../core/clock.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import type { WriteBarrier } from './collector.js';
import { HeapBusyError, HeapDisposedError } from './heap-errors.js';
import { HeapCounters } from './heap-stats.js';
import { type HeapEvent, HeapTrace } from './heap-trace.js';
import type { Handle } from './memory/handle.js';
import { HandleTable, type HeapAvailability } from './memory/handle-table.js';
import { KindNames } from './memory/kind-names.js';
import { NodeStore } from './memory/node-store.js';
import type { PhantomReferences } from './phantom-reference.js';

/** Where an error came from that nobody can be given. */
export type UnraisableWhere =
  | 'finalizer'
  | 'weakref callback'
  | 'gc callback'
  | 'trace'
  | 'debug output';

/** When allocations run the collector: before the new node is tracked (CPython ≤ 3.11), or after (3.12). */
export type CollectionTrigger = 'allocation' | 'safepoint';

/** What a collection tells the callbacks in `gc.callbacks`, as CPython does. */
export interface CollectionInfo {
  /** The generation that is collected. */
  readonly generation: number;
  /** How many nodes were collected; 0 at the start. */
  readonly collected: number;
  /** How many nodes could not be collected; 0 at the start. */
  readonly uncollectable: number;
}

/** Is called when a collection starts and when it stops. */
export type CollectionCallback = (phase: 'start' | 'stop', info: CollectionInfo) => void;

/** A finalizer, or a weak reference's callback. These rooms lie below the heap that it is given, and only pass it on. */
export type NodeCallable = (node: Handle, heap: never) => void;

export type UnraisableHook = (error: unknown, where: UnraisableWhere) => void;

export type DebugHook = (line: string) => void;

export interface HeapStateOptions {
  readonly clock: Pick<Clock, 'now'>;
  readonly thresholds: readonly [number, number, number];
  readonly trigger: CollectionTrigger;
  readonly onUnraisable: UnraisableHook;
  readonly onDebug: DebugHook;
  /** Whether threads are to see the nodes. */
  readonly shared: boolean;
  readonly trace?: ((event: HeapEvent) => void) | undefined;
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

  /** By index of the node. */
  readonly callables: (NodeCallable | undefined)[] = [];
  /** References by the heap itself: from `garbage`, and to nodes that are being worked on. */
  ownReferences = 0;
  /** Nodes that the heap itself works on while code of the user's may run; the same one several times if need be. */
  readonly pinned: number[] = [];
  /** Told of what the mutator does; `null` unless a collection needs to know. */
  barrier: WriteBarrier | null = null;
  disposed = false;
  /** Whether it refuses to be used: it is disposed of, or in the middle of telling its trace. */
  closed = false;
  /** `null` unless it is traced. */
  readonly trace: HeapTrace | null;
  /** `null` until there is a phantom reference. */
  phantoms: PhantomReferences | null = null;
  readonly #heap: unknown;
  readonly #onUnraisable: UnraisableHook;
  readonly #onDebug: DebugHook;

  /** `heap` is what finalizers and callbacks are given. */
  constructor(heap: unknown, options: HeapStateOptions) {
    this.#heap = heap;
    this.store = new NodeStore(options.shared);
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

  throwIfClosed(): void {
    if (!this.closed) return;
    if (this.disposed) throw new HeapDisposedError();
    throw new HeapBusyError();
  }

  /** Calls a finalizer or a callback, unless the heap was disposed of. What it throws has no caller to go to. */
  call(callable: NodeCallable, index: number, where: UnraisableWhere): void {
    if (this.disposed) return;
    try {
      callable(this.handles.of(index), this.#heap as never);
    } catch (error) {
      this.#unraisable(error, where);
    }
  }

  /** Tells `gc.callbacks`, in order, of a collection. */
  runCallbacks(phase: 'start' | 'stop', info: CollectionInfo): void {
    for (const callback of [...this.callbacks]) {
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

  /** An error must not escape into a half-done collection, so not even the hook's own does. */
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
