/**
 * A simulated heap: nodes, edges between them, and CPython's memory management over both. In Python, a reference begins
 * when a variable is bound, and ends when it is unbound. Here the caller does both: `hold` and `drop`.
 *
 * ```
 *   hold ──▶ node ──edge──▶ node ◀──edge── node ◀── gc.garbage
 *                            ▲
 *                         (weak reference)
 * ```
 *
 * The heap counts holds apart from edges. So a caller cannot drop a node more often than it was held. And the heap
 * knows its roots without reading an edge.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument } from '../core/options.js';
import {
  aReferenceQueue,
  PhantomReference,
  type ReferenceQueue,
  type TagArgument,
} from '../core/reference-queue.js';
import type { Collector, NodeColour, StepBudget } from './collector.js';
import type { CollectorMaker } from './collectors/make-collector.js';
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
import type { ClassCounts } from './memory/census.js';
import type { Handle } from './memory/handle.js';
import type { HandleTable } from './memory/handle-table.js';
import { DEFAULT_KIND } from './memory/kind-names.js';
import { generationOf, type NodeGeneration } from './memory/node-generation.js';
import {
  FINALIZABLE,
  FLAG_CALLABLE,
  FLAG_FINALIZED,
  LEGACY,
  type NodeStore,
  PLAIN,
  WEAK,
} from './memory/node-store.js';
import { NodeAllocator } from './node-allocator.js';
import { checkNodeOptions } from './node-options.js';
import { type CensusEntry, viewCensus } from './views/census-view.js';
import { dominatorsOf, type RetainedSize, retainedSizeOf } from './views/dominators.js';
import { type HeapSnapshot, takeSnapshot } from './views/heap-snapshot.js';
import { assertHeapInvariants } from './views/invariants.js';
import { shortestPathFromRoot } from './views/reachability.js';
import { viewStats } from './views/stats-view.js';

/** Receives a node that is about to die. Resurrects it by adding a link to it or holding it. */
export type NodeFinalizer = (self: Handle, heap: BaseHeap) => void;

/** Receives a weak reference whose target has died. */
export type WeakCallback = (weak: Handle, heap: BaseHeap) => void;

/** Options of a node. */
export interface NodeOptions {
  /**
   * Kind of the node, as statistics show it.
   *
   * @default 'node'
   */
  readonly kind?: string;
  /**
   * What made the node, as a line of code or a name. Kind and site are the class of the node in {@link Heap.census}.
   *
   * @default none
   */
  readonly site?: string;
  /**
   * Memory that the node stands for, in bytes, up to 4 GiB.
   *
   * @default 0
   */
  readonly size?: number;
  /** Finalizer of the node. Runs once, before the node dies, and can resurrect it. */
  readonly finalizer?: NodeFinalizer;
  /**
   * True for a finalizer of the kind before PEP 442. Such a finalizer runs at each death by reference count. In a cycle
   * it never runs, and makes the cycle uncollectable.
   *
   * @default false
   */
  readonly legacy?: boolean;
}

/**
 * Operations of every {@link Heap}. The watchdog uses this class with CPython's collector alone. So a program with a
 * watchdog does not bundle the other collectors.
 */
export class BaseHeap implements Disposable {
  /** Controls of the collector, with the functions of Python's `gc` module. */
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
   * Allocates a node with a reference count of 1. The caller holds the node and ends the hold with {@link Heap.drop}.
   * May collect.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   * @throws {@link HeapFullError} (`TENURE_HEAP_FULL`) beyond 2^26 nodes.
   */
  alloc(options?: NodeOptions): Handle {
    if (options === undefined)
      return this.#handles.of(this.#allocator.allocate(PLAIN, DEFAULT_KIND, 0));
    checkNodeOptions(options);
    const { kind, site, size = 0, finalizer, legacy = false } = options;
    const kindId = this.#classId(kind, site);
    const type = legacy ? LEGACY : finalizer === undefined ? PLAIN : FINALIZABLE;
    if (finalizer === undefined)
      return this.#handles.of(this.#allocator.allocate(type, kindId, size));
    const index = this.#allocator.allocate(type | FLAG_CALLABLE, kindId, size);
    this.#state.callables[index] = finalizer;
    return this.#handles.of(index);
  }

  /** @internal Does what {@link alloc} does for a class that `classOf` gave, without a look at its options. */
  allocOf(classId: number): Handle {
    return this.#handles.of(this.#allocator.allocate(PLAIN, classId, 0));
  }

  /** @internal Does what {@link allocOf} does, for a node that the finalizer of {@link finalizeWith} finalizes. */
  allocFinalizedOf(classId: number): Handle {
    return this.#handles.of(this.#allocator.allocate(FINALIZABLE, classId, 0));
  }

  /** @internal Sets the one finalizer of all nodes of {@link allocFinalizedOf}. */
  finalizeWith(finalizer: NodeFinalizer): void {
    this.#state.commonFinalizer = finalizer;
  }

  /** @internal Has the finalizer of a node run again before the node dies: one that it has resurrected has another holder. */
  finalizeAgain(node: Handle): void {
    this.#store.clearFlag(this.#handles.resolve(node), FLAG_FINALIZED);
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
   * Ends a reference from outside the heap. The node dies if that was its last reference.
   *
   * @throws {@link NotHeldError} (`TENURE_NOT_HELD`) if the node is not held from outside.
   */
  drop(node: Handle): void {
    const index = this.#handles.resolve(node);
    const { holds } = this.#store;
    const left = (holds[index] as number) - 1;
    if (left < 0) throw new NotHeldError(node);
    holds[index] = left;
    this.#deallocator.decref(index);
  }

  /** Holds a node until the caller disposes of the returned root. Disposing twice has no effect. */
  addRoot(node: Handle): Root {
    return holdAsRoot(this, this.#state, node);
  }

  /**
   * Calls `body` with a scope. When the body returns or throws, drops what the scope holds. Python does so with the
   * local variables of a function. The body must be synchronous.
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
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the body is no function or returns a promise.
   */
  scope<T>(body: (locals: HeapScope) => T): T {
    checkArgument('heap.scope', 'body', body, aFunction);
    return runInScope(this, this.#state, body);
  }

  /** Returns true if the handle names a live node. Throws only when the heap's own `trace` calls it. */
  isAlive(node: Handle): boolean {
    if (!this.#state.disposed) this.#state.throwIfClosed();
    return this.#handles.find(node) !== 0;
  }

  /** Returns the number of references to a node: edges and holds. Weak references do not count. */
  refcount(node: Handle): number {
    return this.#store.refcount[this.#handles.resolve(node)] as number;
  }

  /** Returns the kind of a node. */
  kind(node: Handle): string {
    return this.#state.kinds.name(this.#store.kindId(this.#handles.resolve(node)));
  }

  /** Returns the site of a node; empty if it was allocated without one. */
  site(node: Handle): string {
    return this.#state.kinds.site(this.#store.kindId(this.#handles.resolve(node)));
  }

  /** @internal Gives a live node another kind and site. The census counts it as if it had been born with them. */
  reclassify(node: Handle, kind: string, site: string): void {
    this.reclassifyAs(node, this.classOf(kind, site));
  }

  /** @internal Does what {@link reclassify} does for a class that `classOf` gave. */
  reclassifyAs(node: Handle, classId: number): void {
    const index = this.#handles.resolve(node);
    const { counters } = this.#state;
    counters.moveKind(this.#store.kindId(index), classId);
    this.#store.setKindId(index, classId);
    this.#store.census?.reclassify(index, classId);
  }

  /** Returns the memory that a node stands for, in bytes. */
  size(node: Handle): number {
    return this.#store.size(this.#handles.resolve(node));
  }

  /** Returns the generation of a node. */
  generation(node: Handle): NodeGeneration {
    return generationOf(this.#store, this.#handles.resolve(node));
  }

  // ── Edges ──

  /** Adds an edge after the others and returns its place. Amortised O(1). */
  link(source: Handle, target: Handle): number {
    const from = this.#handles.resolveSource(source);
    const to = this.#handles.resolve(target);
    this.#deallocator.incref(to);
    const place = this.#store.edges.push(from, to);
    this.#state.barrier?.stored(from, to);
    this.#state.trace?.edge('edge+', from, to);
    return place;
  }

  /** Changes the target of an edge. The old target dies if that was its last reference. */
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

  /**
   * Removes an edge and closes the gap. The target dies if that was its last reference. O(1) for the last edge,
   * O(edges) for others.
   */
  unlink(source: Handle, place: number): void {
    const from = this.#handles.resolveSource(source);
    const old = this.#handles.targetAt(from, place);
    this.#store.edges.remove(from, place);
    this.#state.barrier?.removed(from, place);
    this.#state.trace?.edge('edge-', from, old);
    this.#deallocator.decref(old);
  }

  /** Removes all edges of a node, then ends their references, last to first. O(edges). */
  clear(source: Handle): void {
    this.#deallocator.clearEdges(this.#handles.resolveSource(source));
  }

  /** Returns the target of an edge. */
  edgeAt(source: Handle, place: number): Handle {
    return this.#handles.of(this.#handles.targetAt(this.#handles.resolveSource(source), place));
  }

  /** Returns the number of edges of a node. */
  edgeCount(source: Handle): number {
    return this.#store.edges.count(this.#handles.resolve(source));
  }

  /** Returns the targets of a node's edges, in order. O(edges). */
  edges(source: Handle): Handle[] {
    return this.#handles.all(this.#store.edges.targets(this.#handles.resolve(source)));
  }

  // ── Weak references ──

  /**
   * Returns a weak reference to a node. The reference is a node too, and the caller holds it. References without a
   * callback to one target are shared. The callback runs once, after the target has died, unless the reference died
   * before. May collect.
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

  /** @internal Returns a weak reference that is never shared, as a subclass of Python's `weakref.ref` makes. */
  unsharedWeakref(target: Handle, callback?: WeakCallback): Handle {
    return this.#newWeak(this.#handles.resolveSource(target), callback, false);
  }

  /**
   * Returns the target of a weak reference, or `null` once the target is dead or dying. Does not hold the target.
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

  /** Returns true for a weak reference. */
  isWeak(node: Handle): boolean {
    return this.#weak.isWeak(this.#handles.resolve(node));
  }

  /** Returns the weak references to a node: the shared one first, then the others, newest first. O(references). */
  weakrefs(target: Handle): Handle[] {
    const index = this.#handles.resolve(target);
    return this.#weak.isWeak(index) ? [] : this.#handles.all(this.#weak.referencesTo(index));
  }

  /**
   * Returns a phantom reference, which never leads to the node. The heap puts it in `queue`, with its tag, once the
   * node is freed. It does not do so while a finalizer can still resurrect the node, nor when the heap is disposed of.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `queue` is not a {@link ReferenceQueue}.
   */
  phantom<T>(
    target: Handle,
    queue: ReferenceQueue<T>,
    ...[tag]: TagArgument<T>
  ): PhantomReference<T> {
    const index = this.#handles.resolve(target);
    checkArgument('heap.phantom', 'queue', queue, aReferenceQueue);
    return this.#state.addPhantom(index, PhantomReference.withoutTarget(queue, tag as T));
  }

  // ── Steps ──

  /**
   * Continues an `incremental` collection, or begins one. A program calls it when it is idle, and a page calls it to
   * show the collection. Returns `more` until the collection is over. Without a budget, or with another collector, one
   * call does the whole collection. During a collection, for example in a finalizer, the call has no effect.
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

  /** Returns the colour of a node in the current incremental collection, or `null` if there is none. */
  colour(node: Handle): NodeColour | null {
    return this.#collector.colour(this.#handles.resolve(node));
  }

  // ── Views ──

  /**
   * Returns the shortest path that keeps a node alive. The path begins at a node that is held from outside or is in
   * `gc.garbage`, and follows edges. It is empty for a node that waits to be collected. O(nodes and edges).
   */
  pathFromRoot(node: Handle): Handle[] {
    return this.#handles.all(shortestPathFromRoot(this.#state, this.#handles.resolve(node)));
  }

  /**
   * Returns the immediate dominator of each node that is kept alive: the nearest other node without which it would die.
   * The value is `null` where no single node keeps it alive. Nodes that wait to be collected are left out. O(edges ·
   * log nodes).
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

  /**
   * Returns what would die with a node if all references to it ended: the node and the nodes that it dominates. O(edges
   * · log nodes).
   */
  retainedSize(node: Handle): RetainedSize {
    return retainedSizeOf(this.#state, this.#handles.resolve(node));
  }

  /**
   * Returns the whole heap as plain data. The snapshot does not change with the heap, and JSON can carry it. O(nodes
   * and edges).
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

  /**
   * Returns the counts of nodes by kind, site and generation. A heap without the option `census` has none. O(classes).
   *
   * @example
   * ```ts
   * import { Heap } from 'tenure/gc';
   *
   * const heap = new Heap({ census: true });
   * heap.drop(heap.alloc({ kind: 'loan', site: 'orders.ts:7' }));
   * heap.alloc({ kind: 'loan', site: 'orders.ts:7' });
   * heap.gc.collect(0);
   * const [loans] = heap.census();
   * [loans?.born, loans?.live, loans?.freed]; // => [2, [0, 1, 0], [1, 0, 0]]
   * ```
   */
  census(): CensusEntry[] {
    this.#state.throwIfClosed();
    return viewCensus(this.#state);
  }

  /** @internal Returns the number of the class of a kind at a site. A new pair gets a new number. O(1). */
  classOf(kind: string, site: string): number {
    return this.#state.kinds.idAt(kind, site);
  }

  /** @internal Returns the counts of a class. O(1). */
  countsOf(classId: number): ClassCounts | undefined {
    return this.#store.census?.countsOf(classId);
  }

  /** @internal Counts something that lived so shortly that it got no node. O(1). */
  recordShortLife(classId: number): void {
    this.#store.census?.recordShortLife(classId);
  }

  /** Returns the figures of the heap at this moment. O(kinds). */
  stats(): HeapStats {
    return viewStats(this.#state, this.#collector.name);
  }

  /**
   * Throws an `Error` that names the contradiction if the heap is inconsistent: wrong counts, broken lists, or edges to
   * dead nodes. For tests, between operations. O(nodes and edges).
   */
  assertInvariants(): void {
    assertHeapInvariants(this.#state, this.#weak);
  }

  /**
   * Ends the heap. All handles become stale. Finalizers and callbacks no longer run, not even in a collection that is
   * running.
   */
  [Symbol.dispose](): void {
    this.#collector.dispose();
    this.#state.dispose();
  }

  #classId(kind: string | undefined, site: string | undefined): number {
    const { kinds } = this.#state;
    if (site !== undefined) return kinds.idAt(kind ?? kinds.name(DEFAULT_KIND), site);
    return kind === undefined ? DEFAULT_KIND : kinds.id(kind);
  }

  #newWeak(target: number, callback: WeakCallback | undefined, shared: boolean): Handle {
    this.#deallocator.pin(target);
    const weak = this.#allocator.allocate(WEAK, this.#state.kinds.id('weakref'), 0);
    this.#weak.attach(weak, target, callback, shared);
    this.#deallocator.unpin(target);
    return this.#handles.of(weak);
  }
}
