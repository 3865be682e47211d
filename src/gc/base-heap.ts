/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A simulated heap: nodes, edges between them, and CPython's memory management over both. What Python does on its own when
 * a variable is bound or unbound is done by hand here: `hold` and `drop`.
 *
 * ```
 *   hold ──▶ node ──edge──▶ node ◀──edge── node ◀── gc.garbage
 *                            ▲
 *                         (weak reference)
 * ```
 *
 * Holds are counted apart from edges, so a node cannot be dropped more often than it was held, and what is held is known
 * without looking at a single edge.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument } from '../core/options.js';
import type { Collector, NodeColour, StepBudget } from './collector.js';
import { UnreachableSet } from './collectors/unreachable-set.js';
import { Deallocator } from './deallocation/deallocator.js';
import { WeakReferences } from './deallocation/weak-references.js';
import { GcModule } from './gc-module.js';
import { NotHeldError } from './heap-errors.js';
import {
  checkHeapOptions,
  checkStepBudget,
  type HeapOptions,
  stateOptionsOf,
} from './heap-options.js';
import { holdAsRoot, type Root } from './heap-root.js';
import { type HeapScope, runInScope } from './heap-scope.js';
import { HeapState } from './heap-state.js';
import type { HeapStats } from './heap-stats.js';
import type { Handle } from './memory/handle.js';
import type { HandleTable } from './memory/handle-table.js';
import { DEFAULT_KIND } from './memory/kind-names.js';
import { generationOf, type NodeGeneration } from './memory/node-generation.js';
import {
  FINALIZABLE,
  FLAG_CALLABLE,
  LEGACY,
  type NodeStore,
  PLAIN,
  WEAK,
} from './memory/node-store.js';
import { NodeAllocator } from './node-allocator.js';
import { checkNodeOptions } from './node-options.js';
import { PhantomReference, PhantomReferences } from './phantom-reference.js';
import { aReferenceQueue, type ReferenceQueue } from './reference-queue.js';
import { dominatorsOf, type RetainedSize, retainedSizeOf } from './views/dominators.js';
import { type HeapSnapshot, takeSnapshot } from './views/heap-snapshot.js';
import { assertHeapInvariants } from './views/invariants.js';
import { shortestPathFromRoot } from './views/reachability.js';
import { viewStats } from './views/stats-view.js';

/** Is called with a node that is about to die. It may resurrect it, by linking to it or holding it. */
export type NodeFinalizer = (self: Handle, heap: BaseHeap) => void;

/** Is called with a weak reference whose target has died. */
export type WeakCallback = (weak: Handle, heap: BaseHeap) => void;

/** @internal Makes the collector that a heap's options ask for. */
export type CollectorMaker = (
  state: HeapState,
  unreachableSet: UnreachableSet,
  options: HeapOptions,
) => Collector;

/** What a node is allocated with. */
export interface NodeOptions {
  /**
   * What it stands for, in statistics.
   *
   * @defaultValue 'node'
   */
  readonly kind?: string;
  /**
   * How much memory it stands for, in bytes, up to 4 GiB.
   *
   * @defaultValue 0
   */
  readonly size?: number;
  /** Called once, before the node dies; it may bring the node back. */
  readonly finalizer?: NodeFinalizer;
  /**
   * Whether the finalizer is of the kind before PEP 442: called at each death by reference count, and never in a cycle,
   * which it makes uncollectable.
   *
   * @defaultValue false
   */
  readonly legacy?: boolean;
}

/**
 * What every {@link Heap} can do. A heap of the watchdog's is one that has CPython's collector alone, so that a program with a
 * watchdog does not carry the others.
 */
export class BaseHeap implements Disposable {
  /** The collector's controls, as Python's `gc` module. */
  readonly gc: GcModule;
  readonly #state: HeapState;
  readonly #store: NodeStore;
  readonly #handles: HandleTable;
  readonly #weak: WeakReferences;
  readonly #allocator: NodeAllocator;
  readonly #deallocator: Deallocator;
  readonly #collector: Collector;

  /** @internal `makeCollector` makes the collector that the options ask for. */
  constructor(options: HeapOptions, makeCollector: CollectorMaker) {
    checkHeapOptions(options);
    this.#state = new HeapState(this, stateOptionsOf(options));
    this.#store = this.#state.store;
    this.#handles = this.#state.handles;
    this.#weak = new WeakReferences(this.#state);
    this.#deallocator = new Deallocator(this.#state, this.#weak);
    const unreachableSet = new UnreachableSet(this.#state, this.#deallocator, this.#weak);
    this.#collector = makeCollector(this.#state, unreachableSet, options);
    this.#allocator = new NodeAllocator(this.#state, this.#collector);
    this.gc = new GcModule(this.#state, this.#collector, this.#deallocator);
  }

  // ── Nodes ──

  /**
   * A new node, with a reference count of 1: the caller's own hold, to be given up with {@link Heap.drop}. May collect.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   * @throws {@link HeapFullError} (`TENURE_HEAP_FULL`) beyond 2^26 nodes.
   */
  alloc(options?: NodeOptions): Handle {
    if (options === undefined)
      return this.#handles.of(this.#allocator.allocate(PLAIN, DEFAULT_KIND, 0));
    checkNodeOptions(options);
    const { kind, size = 0, finalizer, legacy = false } = options;
    const kindId = kind === undefined ? DEFAULT_KIND : this.#state.kinds.id(kind);
    const type = legacy ? LEGACY : finalizer === undefined ? PLAIN : FINALIZABLE;
    if (finalizer === undefined)
      return this.#handles.of(this.#allocator.allocate(type, kindId, size));
    const index = this.#allocator.allocate(type | FLAG_CALLABLE, kindId, size);
    this.#state.callables[index] = finalizer;
    return this.#handles.of(index);
  }

  /** Adds a reference from outside the heap. */
  hold(node: Handle): void {
    const index = this.#handles.resolve(node);
    const { holds } = this.#store;
    holds[index] = (holds[index] as number) + 1;
    this.#deallocator.incref(index);
    this.#state.barrier?.held(index);
  }

  /**
   * Ends a reference from outside the heap; the node dies if it was the last.
   *
   * @throws {@link NotHeldError} (`TENURE_NOT_HELD`) if it is not held from outside.
   */
  drop(node: Handle): void {
    const index = this.#handles.resolve(node);
    const { holds } = this.#store;
    const left = (holds[index] as number) - 1;
    if (left < 0) throw new NotHeldError(node);
    holds[index] = left;
    this.#deallocator.decref(index);
  }

  /** Holds a node until what is returned is disposed of; once. */
  addRoot(node: Handle): Root {
    return holdAsRoot(this, this.#state, node);
  }

  /**
   * Calls `body` with a scope, and drops what the scope holds when the body returns or throws: what Python does with the
   * local variables of a function. The body is synchronous.
   *
   * @example
   * ```ts
   * import { Heap } from 'tenure/gc';
   *
   * const heap = new Heap();
   * const list = heap.alloc();
   * heap.scope((locals) => {
   *   const item = locals.adopt(heap.alloc());
   *   heap.link(list, item);
   *   return heap.refcount(item);
   * }); // => 2
   * heap.edges(list).map((item) => heap.refcount(item)); // => [1]
   * ```
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the body returns a promise.
   */
  scope<T>(body: (locals: HeapScope) => T): T {
    return runInScope(this, this.#state, body);
  }

  /** Whether the handle names a node that is alive. Never throws, but from within the heap's own `trace`. */
  isAlive(node: Handle): boolean {
    if (!this.#state.disposed) this.#state.throwIfClosed();
    return this.#handles.find(node) !== 0;
  }

  /** How many references a node has: edges and holds; weak references do not count. */
  refcount(node: Handle): number {
    return this.#store.refcount[this.#handles.resolve(node)] as number;
  }

  /** What a node stands for. */
  kind(node: Handle): string {
    return this.#state.kinds.name(this.#store.kindId(this.#handles.resolve(node)));
  }

  /** How much memory a node stands for, in bytes. */
  size(node: Handle): number {
    return this.#store.size(this.#handles.resolve(node));
  }

  /** The generation that a node is in. */
  generation(node: Handle): NodeGeneration {
    return generationOf(this.#store, this.#handles.resolve(node));
  }

  // ── Edges ──

  /** Adds an edge behind the others and returns its place. Amortised O(1). */
  link(source: Handle, target: Handle): number {
    const from = this.#handles.resolveSource(source);
    const to = this.#handles.resolve(target);
    this.#deallocator.incref(to);
    const place = this.#store.edges.push(from, to);
    this.#state.barrier?.stored(from, to);
    this.#state.trace?.edge('edge+', from, to);
    return place;
  }

  /** Makes an edge lead elsewhere; its old target dies if that was the last reference. */
  set(source: Handle, place: number, target: Handle): void {
    const from = this.#handles.resolveSource(source);
    const to = this.#handles.resolve(target);
    const old = this.#handles.targetAt(from, place);
    this.#deallocator.incref(to);
    this.#store.edges.replace(from, place, to);
    const { trace, barrier } = this.#state;
    barrier?.stored(from, to);
    if (trace !== null) {
      trace.edge('edge-', from, old);
      trace.edge('edge+', from, to);
    }
    this.#deallocator.decref(old);
  }

  /** Removes an edge, closing the gap; its target dies if that was the last reference. The last edge in O(1), others O(edges). */
  unlink(source: Handle, place: number): void {
    const from = this.#handles.resolveSource(source);
    const old = this.#handles.targetAt(from, place);
    this.#store.edges.remove(from, place);
    this.#state.barrier?.removed(from, place);
    this.#state.trace?.edge('edge-', from, old);
    this.#deallocator.decref(old);
  }

  /** Removes all edges at once, then ends their references, last to first. O(edges). */
  clear(source: Handle): void {
    this.#deallocator.clearEdges(this.#handles.resolveSource(source));
  }

  /** Where an edge leads. */
  edgeAt(source: Handle, place: number): Handle {
    return this.#handles.of(this.#handles.targetAt(this.#handles.resolveSource(source), place));
  }

  /** How many edges a node has. */
  edgeCount(source: Handle): number {
    return this.#store.edges.count(this.#handles.resolve(source));
  }

  /** Where a node's edges lead, in order. O(edges). */
  edges(source: Handle): Handle[] {
    return this.#handles.all(this.#store.edges.targets(this.#handles.resolve(source)));
  }

  // ── Weak references ──

  /**
   * A weak reference to a node: a node itself, which the caller holds. Without a callback, references to one target are
   * shared. The callback is called once, when the target has died, unless the reference has died before. May collect.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the target is a weak reference.
   */
  weakref(target: Handle, callback?: WeakCallback): Handle {
    const to = this.#handles.resolveSource(target);
    if (callback !== undefined) {
      checkArgument('heap.weakref', 'callback', callback, aFunction);
      return this.#newWeak(to, callback, false);
    }
    const shared = this.#weak.shared(to);
    if (shared === 0) return this.#newWeak(to, undefined, true);
    const handle = this.#handles.of(shared);
    this.hold(handle);
    return handle;
  }

  /** @internal A weak reference of its own, as a subclass of Python's `weakref.ref` makes. */
  unsharedWeakref(target: Handle, callback?: WeakCallback): Handle {
    return this.#newWeak(this.#handles.resolveSource(target), callback, false);
  }

  /**
   * The target of a weak reference, not held for the caller; `null` once it is dead or dying.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the node is not a weak reference.
   */
  deref(weak: Handle): Handle | null {
    const index = this.#handles.resolve(weak);
    if (!this.#weak.isWeak(index)) {
      throw new InvalidArgumentError('heap.deref: the node is not a weak reference.');
    }
    const target = this.#weak.target(index);
    return target === 0 ? null : this.#handles.of(target);
  }

  /** Whether a node is a weak reference. */
  isWeak(node: Handle): boolean {
    return this.#weak.isWeak(this.#handles.resolve(node));
  }

  /** The weak references to a node: the shared one first, then the newest first. O(references). */
  weakrefs(target: Handle): Handle[] {
    const index = this.#handles.resolve(target);
    return this.#weak.isWeak(index) ? [] : this.#handles.all(this.#weak.referencesTo(index));
  }

  /**
   * A reference that never leads to the node, and is put in `queue`, with its tag, once the node has been freed: not while a
   * finalizer could bring it back, nor when the heap is disposed of.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `queue` is no {@link ReferenceQueue}.
   */
  phantom<T>(
    target: Handle,
    queue: ReferenceQueue<T>,
    ...[tag]: undefined extends T ? [tag?: T] : [tag: T]
  ): PhantomReference<T> {
    const index = this.#handles.resolve(target);
    checkArgument('heap.phantom', 'queue', queue, aReferenceQueue);
    const reference = new PhantomReference(queue, tag as T);
    this.#state.phantoms ??= new PhantomReferences();
    this.#state.phantoms.add(index, reference);
    return reference;
  }

  // ── Steps ──

  /**
   * Goes on with an `incremental` collection, or begins one: for a program that collects when it has nothing else to do, and for a page
   * that shows how it goes. Returns `more` until it is over. Without a budget, or with another collector, it does all of it.
   * During a collection, from a finalizer say, it does nothing.
   *
   * @example
   * ```ts
   * import { Heap } from 'tenure/gc';
   *
   * const heap = new Heap({ collector: 'incremental' });
   * const [list, item] = [heap.alloc(), heap.alloc()];
   * heap.link(list, item);
   * heap.drop(item);
   * heap.step({ objects: 1 }); // => 'more'
   * heap.colour(list); // => 'grey'
   * heap.colour(item); // => 'white'
   * while (heap.step({ objects: 1 }) === 'more') heap.assertInvariants();
   * heap.colour(list); // => null
   * ```
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed budget.
   */
  step(budget: StepBudget = {}): 'done' | 'more' {
    checkStepBudget('heap.step', budget);
    this.#state.throwIfClosed();
    return this.#collector.step(budget);
  }

  /** How far the incremental collection under way has come with a node; `null` if there is none. */
  colour(node: Handle): NodeColour | null {
    return this.#collector.colour(this.#handles.resolve(node));
  }

  // ── Views ──

  /**
   * The shortest path that keeps a node alive: from one that is held from outside the heap, or by `gc.garbage`, along edges,
   * to the node. Empty if it is only waiting to be collected. O(nodes and edges).
   */
  pathFromRoot(node: Handle): Handle[] {
    return this.#handles.all(shortestPathFromRoot(this.#state, this.#handles.resolve(node)));
  }

  /**
   * The immediate dominator of each node that is kept alive: the nearest other node without which it would die; `null` where
   * no single node keeps it alive. Nodes that only wait to be collected are left out. O(edges · log nodes).
   *
   * @example
   * ```ts
   * import { Heap } from 'tenure/gc';
   *
   * const heap = new Heap();
   * const [cache, entry] = [heap.alloc({ kind: 'cache' }), heap.alloc({ kind: 'entry', size: 64 })];
   * heap.link(cache, entry);
   * heap.dominators().get(entry); // => null
   * heap.drop(entry); // Now only the cache holds it.
   * heap.dominators().get(entry) === cache; // => true
   * heap.retainedSize(cache); // => { nodes: 2, bytes: 64 }
   * ```
   */
  dominators(): Map<Handle, Handle | null> {
    this.#state.throwIfClosed();
    return dominatorsOf(this.#state);
  }

  /** What would die with a node if nothing referred to it: itself and what it dominates. O(edges · log nodes). */
  retainedSize(node: Handle): RetainedSize {
    return retainedSizeOf(this.#state, this.#handles.resolve(node));
  }

  /**
   * The whole heap as plain data, which stays as it is when the heap changes, and which JSON can carry. O(nodes and edges).
   *
   * @example
   * ```ts
   * import { Heap } from 'tenure/gc';
   *
   * const heap = new Heap();
   * heap.weakref(heap.alloc({ kind: 'list' }));
   * const [list, weak] = heap.snapshot().nodes;
   * [list?.kind, list?.refcount, list?.isRoot]; // => ['list', 1, true]
   * weak?.target === list?.handle; // => true
   * ```
   */
  snapshot(): HeapSnapshot {
    this.#state.throwIfClosed();
    return takeSnapshot(this.#state, this.#weak, this.#collector);
  }

  /** The heap's figures at this moment. O(kinds). */
  stats(): HeapStats {
    return viewStats(this.#state, this.#collector.name);
  }

  /**
   * Throws an `Error` that says what is wrong if the heap contradicts itself: counts that do not add up, lists that do not
   * close, edges to the dead. For tests, between operations; O(nodes and edges).
   */
  assertInvariants(): void {
    assertHeapInvariants(this.#state, this.#weak);
  }

  /** Ends the heap: its handles are stale, its finalizers and callbacks are not called, not even by a running collection. */
  [Symbol.dispose](): void {
    this.#collector.dispose();
    this.#state.dispose();
  }

  #newWeak(target: number, callback: WeakCallback | undefined, shared: boolean): Handle {
    this.#deallocator.pin(target);
    const weak = this.#allocator.allocate(WEAK, this.#state.kinds.id('weakref'), 0);
    this.#weak.attach(weak, target, callback, shared);
    this.#deallocator.unpin(target);
    return this.#handles.of(weak);
  }
}
