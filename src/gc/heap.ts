/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A simulated heap: nodes, edges between them, and CPython's memory management over both. What Python does on its own when a
 * variable is bound or unbound is done by hand here: `hold` and `drop`.
 */
import { type Clock, systemClock } from '../core/clock.js';
import { InvalidArgumentError, nameErrorClass, TenureError } from '../core/errors.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aFunction,
  aName,
  checkArgument,
  checkOptions,
  integer,
  type OptionCheck,
  objectWith,
  oneOf,
} from '../core/options.js';
import { CPythonCollector, type Generation } from './cpython-collector.js';
import { Deallocator } from './deallocator.js';
import { GcModule } from './gc-module.js';
import { type Handle, indexOfHandle, makeHandle, StaleHandleError } from './handle.js';
import { type CollectionTrigger, HeapState, type UnraisableWhere } from './heap-state.js';
import type { HeapStats } from './heap-stats.js';
import { assertHeapInvariants } from './invariants.js';
import {
  FINALIZABLE,
  FLAG_CALLABLE,
  FLAG_LIVE,
  GENERATION_0,
  KIND_MASK,
  LEGACY,
  OLDEST,
  PERMANENT,
  PLAIN,
  WEAK,
} from './node-store.js';
import { edgesOf, shortestPathFromRoot } from './reachability.js';
import { WeakReferences } from './weak-references.js';

/** How a {@link Heap} is set up. */
export interface HeapOptions {
  /**
   * Which collector finds unreachable nodes.
   *
   * @defaultValue 'cpython'
   */
  readonly collector?: CollectorName;
  /**
   * The counts above which an allocation collects generation 0, 1 and 2.
   *
   * @defaultValue [700, 10, 10]
   */
  readonly thresholds?: readonly [number, number, number];
  /**
   * When an allocation collects: before the new node is tracked, as CPython up to 3.11, or after, as 3.12.
   *
   * @defaultValue 'allocation'
   */
  readonly trigger?: CollectionTrigger;
  /**
   * The time by which pauses are measured.
   *
   * @defaultValue the platform's
   */
  readonly clock?: Pick<Clock, 'now'>;
  /**
   * Is given what a finalizer or a callback throws: CPython's "unraisable" hook.
   *
   * @defaultValue prints it
   */
  readonly onUnraisable?: (error: unknown, where: UnraisableWhere) => void;
}

/** Which collector finds unreachable nodes. */
export type CollectorName = 'cpython';

/** Is called with a node that is about to die. It may resurrect it, by linking to it or holding it. */
export type NodeFinalizer = (self: Handle, heap: Heap) => void;

/** Is called with a weak reference whose target has died. */
export type WeakCallback = (weak: Handle, heap: Heap) => void;

/** What a node is allocated with. */
export interface NodeOptions {
  /**
   * What it stands for, in statistics.
   *
   * @defaultValue 'node'
   */
  readonly kind?: string;
  /** Called once, before the node dies; it may bring the node back. */
  readonly finalizer?: NodeFinalizer;
  /**
   * Whether the finalizer is of the kind before PEP 442: called at each death by reference count, and never in a cycle, which
   * it makes uncollectable.
   *
   * @defaultValue false
   */
  readonly legacy?: boolean;
}

/** A reference from outside the heap, until it is disposed of. */
export interface Root extends Disposable {
  /** The node that it holds. */
  readonly node: Handle;
}

/** The generation that a node is in; `untracked` while it dies. */
export type NodeGeneration = Generation | 'permanent' | 'untracked';

/** The heap has been disposed of. Code `TENURE_HEAP_DISPOSED`. */
export class HeapDisposedError extends TenureError {
  /** Its message says what to do. */
  constructor() {
    super('This heap was disposed of. Make a new one.', { code: 'TENURE_HEAP_DISPOSED' });
  }

  static {
    nameErrorClass(HeapDisposedError, 'HeapDisposedError');
  }
}

/**
 * A heap of nodes with CPython 3.11's reference counts, weak references, finalizers, generations and cycle collector.
 *
 * A node is freed the moment its reference count drops to 0; nodes that hold each other in a cycle wait for the collector.
 * All operations take O(1) unless they say otherwise, and every handle is checked: a stale one throws
 * {@link StaleHandleError} (`TENURE_STALE_HANDLE`).
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
export class Heap implements Disposable {
  /** The collector's controls, as Python's `gc` module. */
  readonly gc: GcModule;
  readonly #state: HeapState;
  readonly #weak: WeakReferences;
  readonly #deallocator: Deallocator;
  readonly #collector: CPythonCollector;
  readonly #kindIds = new Map<string, number>();
  readonly #kindNames: string[] = [];

  /**
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   */
  constructor(options: HeapOptions = {}) {
    checkOptions<HeapOptions>('new Heap', options, {
      collector: oneOf('cpython'),
      thresholds: threeCounts,
      trigger: oneOf('allocation', 'safepoint'),
      clock: objectWith('now'),
      onUnraisable: aFunction,
    });
    this.#state = new HeapState(
      this as never,
      options.clock ?? systemClock,
      options.thresholds ?? [700, 10, 10],
      options.trigger ?? 'allocation',
      options.onUnraisable ?? printUnraisable,
    );
    this.#kindId('node');
    this.#weak = new WeakReferences(this.#state);
    this.#deallocator = new Deallocator(this.#state, this.#weak);
    this.#collector = new CPythonCollector(this.#state, this.#deallocator, this.#weak);
    this.gc = new GcModule(this.#state, this.#collector, this.#deallocator, (handle) =>
      this.#resolve(handle),
    );
  }

  // ── Nodes ──

  /** A new node, with a reference count of 1: the caller's own hold, to be given up with {@link Heap.drop}. May collect. */
  alloc(options?: NodeOptions): Handle {
    if (options === undefined) return this.#state.handle(this.#allocate(PLAIN, NAMELESS));
    const { finalizer, legacy = false } = options;
    const nodeKind = legacy ? LEGACY : finalizer === undefined ? PLAIN : FINALIZABLE;
    const name = options.kind === undefined ? NAMELESS : this.#kindId(options.kind);
    if (finalizer === undefined) return this.#state.handle(this.#allocate(nodeKind, name));
    const index = this.#allocate(nodeKind | FLAG_CALLABLE, name);
    this.#state.finalizers[index] = finalizer;
    return this.#state.handle(index);
  }

  /** Adds a reference from outside the heap. */
  hold(node: Handle): void {
    this.#deallocator.hold(this.#resolve(node));
  }

  /** Ends a reference from outside the heap; the node dies if it was the last. */
  drop(node: Handle): void {
    this.#deallocator.drop(this.#resolve(node));
  }

  /** Holds a node until what is returned is disposed of; once. */
  addRoot(node: Handle): Root {
    this.hold(node);
    let held = true;
    return {
      node,
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        if (!this.#state.disposed) this.drop(node);
      },
    };
  }

  /** Whether the handle names a node that is alive. Never throws. */
  isAlive(node: Handle): boolean {
    return this.#find(node) !== undefined;
  }

  /** How many references a node has: edges, holds, and weak references not. */
  refcount(node: Handle): number {
    return this.#state.store.refcount[this.#resolve(node)] as number;
  }

  /** What a node stands for. */
  kind(node: Handle): string {
    return this.#kindNames[this.#state.store.kindName[this.#resolve(node)] as number] as string;
  }

  /** The generation that a node is in. */
  generation(node: Handle): NodeGeneration {
    const list = this.#state.store.list[this.#resolve(node)] as number;
    if (list === PERMANENT) return 'permanent';
    return list >= GENERATION_0 && list <= OLDEST
      ? ((list - GENERATION_0) as Generation)
      : 'untracked';
  }

  // ── Edges ──

  /** Adds an edge behind the others and returns its place. Amortised O(1). */
  link(source: Handle, target: Handle): number {
    const from = this.#resolveNode(source);
    const to = this.#resolve(target);
    const { store } = this.#state;
    this.#deallocator.reference(to);
    store.pushEdge(from, to);
    return (store.edgeCount[from] as number) - 1;
  }

  /** Makes an edge lead elsewhere; its old target dies if that was the last reference. */
  set(source: Handle, place: number, target: Handle): void {
    const from = this.#resolveNode(source);
    const to = this.#resolve(target);
    const { store } = this.#state;
    this.#checkPlace(from, place);
    this.#deallocator.reference(to);
    const old = store.edgeAt(from, place);
    store.setEdge(from, place, to);
    this.#deallocator.unreference(old);
  }

  /** Removes an edge, closing the gap; its target dies if that was the last reference. The last edge in O(1), others O(edges). */
  unlink(source: Handle, place: number): void {
    const from = this.#resolveNode(source);
    const { store } = this.#state;
    this.#checkPlace(from, place);
    const old = store.edgeAt(from, place);
    store.removeEdge(from, place);
    this.#deallocator.unreference(old);
  }

  /** Removes all edges at once, then ends their references, last to first. */
  clear(source: Handle): void {
    this.#deallocator.clearEdges(this.#resolveNode(source));
  }

  /** Where an edge leads. */
  edgeAt(source: Handle, place: number): Handle {
    const from = this.#resolveNode(source);
    this.#checkPlace(from, place);
    return this.#state.handle(this.#state.store.edgeAt(from, place));
  }

  /** How many edges a node has. */
  edgeCount(source: Handle): number {
    const from = this.#resolve(source);
    return this.#weak.isWeak(from) ? 0 : (this.#state.store.edgeCount[from] as number);
  }

  /** Where a node's edges lead, in order. O(edges). */
  edges(source: Handle): Handle[] {
    const targets = edgesOf(this.#state.store, this.#resolve(source));
    return [...targets].map((index) => this.#state.handle(index));
  }

  // ── Weak references ──

  /**
   * A weak reference to a node: a node itself, which the caller holds. Without a callback, references to one target are
   * shared. The callback is called once, when the target has died, unless the reference has died before. May collect.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if the target is a weak reference.
   */
  weakref(target: Handle, callback?: WeakCallback): Handle {
    const to = this.#resolveNode(target);
    if (callback === undefined) {
      const shared = this.#weak.shareable(to);
      if (shared !== 0) {
        this.#deallocator.hold(shared);
        return this.#state.handle(shared);
      }
    } else {
      checkArgument('heap.weakref', 'callback', callback, aFunction);
    }
    return this.#newWeak(to, callback);
  }

  /** @internal A weak reference of its own, as a subclass of Python's `weakref.ref` makes. */
  unsharedWeakref(target: Handle, callback?: WeakCallback): Handle {
    return this.#newWeak(this.#resolveNode(target), callback);
  }

  /** The target of a weak reference, held by nobody for it; `null` once it is dead or dying. */
  deref(weak: Handle): Handle | null {
    const index = this.#resolve(weak);
    if (!this.#weak.isWeak(index)) {
      throw new InvalidArgumentError('heap.deref: the node is not a weak reference.');
    }
    const target = this.#weak.target(index);
    return target === 0 ? null : this.#state.handle(target);
  }

  /** Whether a node is a weak reference. */
  isWeak(node: Handle): boolean {
    return this.#weak.isWeak(this.#resolve(node));
  }

  /** The weak references to a node, newest first. O(references). */
  weakrefs(target: Handle): Handle[] {
    const index = this.#resolve(target);
    if (this.#weak.isWeak(index)) return [];
    return this.#weak.of(index).map((weak) => this.#state.handle(weak));
  }

  // ── Views ──

  /**
   * The shortest path that keeps a node alive: from one that is held from outside the heap, along edges, to the node.
   * Empty if it is only waiting to be collected. O(nodes and edges).
   */
  pathFromRoot(node: Handle): Handle[] {
    return shortestPathFromRoot(this.#state.store, this.#resolve(node)).map((index) =>
      this.#state.handle(index),
    );
  }

  /** The heap's figures at this moment. O(kinds). */
  get stats(): HeapStats {
    const { counters, store, garbage, longLivedTotal, longLivedPending } = this.#state;
    const liveByKind = new Map<string, number>();
    for (const [id, count] of counters.liveByKind.entries()) {
      if (count > 0) liveByKind.set(this.#kindNames[id] as string, count);
    }
    return {
      allocated: counters.allocated,
      freedByRefcount: counters.freed - counters.freedByCycle,
      freedByCycle: counters.freedByCycle,
      live: counters.live,
      peakLive: store.peak,
      liveByKind,
      liveByGeneration: [
        store.listLength[GENERATION_0] as number,
        store.listLength[GENERATION_0 + 1] as number,
        store.listLength[OLDEST] as number,
      ],
      promoted: [...counters.promoted],
      survivalRate: [...counters.survivalRate],
      longLived: { total: longLivedTotal, pending: longLivedPending },
      uncollectable: counters.uncollectable,
      garbageLength: garbage.length,
      finalizersRun: counters.finalizersRun,
      resurrections: counters.resurrections,
      weakCallbacks: counters.weakCallbacks,
      unraisable: counters.unraisable,
      pauses: {
        count: counters.pauses,
        totalMillis: counters.pauseMillis,
        maxMillis: counters.longestPauseMillis,
      },
      lastTrigger: counters.lastTrigger,
    };
  }

  /**
   * Throws an `Error` that says what is wrong if the heap contradicts itself: counts that do not add up, lists that do not
   * close, edges to the dead. For tests; O(nodes and edges).
   */
  assertInvariants(): void {
    assertHeapInvariants(this.#state);
  }

  /** Ends the heap: its handles are stale, its finalizers and callbacks are not called. */
  [Symbol.dispose](): void {
    this.#state.disposed = true;
    this.#state.callbacks.length = 0;
  }

  #allocate(flags: number, name: number): number {
    const state = this.#state;
    if (state.disposed) throw new HeapDisposedError();
    const { store, counters, counts } = state;
    const index = store.take(flags, name);
    state.holds++;
    counters.allocated++;
    counters.liveByKind[name] = (counters.liveByKind[name] as number) + 1;
    const due = ++counts[0] > state.thresholds[0] && this.#mayCollect();
    if (due && state.trigger === 'allocation') this.#collector.collectIfDue();
    store.append(GENERATION_0, index);
    if (due && state.trigger === 'safepoint') this.#collector.collectIfDue();
    return index;
  }

  #mayCollect(): boolean {
    const { enabled, thresholds, collecting } = this.#state;
    return enabled && thresholds[0] !== 0 && !collecting;
  }

  #newWeak(target: number, callback: WeakCallback | undefined): Handle {
    this.#deallocator.hold(target);
    const weak = this.#allocate(WEAK, this.#kindId('weakref'));
    this.#weak.attach(weak, target, callback);
    this.#deallocator.drop(target);
    return this.#state.handle(weak);
  }

  #kindId(name: string): number {
    let id = this.#kindIds.get(name);
    if (id === undefined) {
      checkArgument('heap.alloc', 'kind', name, aName);
      id = this.#kindNames.length;
      if (id > MOST_KINDS) {
        throw new InvalidArgumentError(
          `heap.alloc: more than ${MOST_KINDS} kinds. A kind is a class of nodes, not a name for one.`,
        );
      }
      this.#kindIds.set(name, id);
      this.#kindNames.push(name);
      this.#state.counters.liveByKind.push(0);
    }
    return id;
  }

  #find(node: Handle): number | undefined {
    const { store, disposed } = this.#state;
    const index = indexOfHandle(node);
    const isHere =
      index < store.end &&
      ((store.flags[index] as number) & FLAG_LIVE) !== 0 &&
      makeHandle(index, store.reuse[index] as number) === node &&
      !disposed;
    return isHere ? index : undefined;
  }

  #resolve(node: Handle): number {
    const index = this.#find(node);
    if (index !== undefined) return index;
    throw this.#state.disposed ? new HeapDisposedError() : new StaleHandleError(node);
  }

  /** The index of a node that can have edges. */
  #resolveNode(node: Handle): number {
    const index = this.#resolve(node);
    if (((this.#state.store.flags[index] as number) & KIND_MASK) === WEAK) {
      throw new InvalidArgumentError('heap: a weak reference has no edges and no weak references.');
    }
    return index;
  }

  #checkPlace(index: number, place: number): void {
    const count = this.#state.store.edgeCount[index] as number;
    if (Number.isInteger(place) && place >= 0 && place < count) return;
    throw new InvalidArgumentError(
      `heap: the node has ${count} edges, so \`place\` must be an integer from 0 below that, got ${String(place)}.`,
    );
  }
}

/** The number of the kind `node`. */
const NAMELESS = 0;

/** As many as their ids have room for. */
const MOST_KINDS = 65_535;

const threeCounts: OptionCheck = (value) =>
  Array.isArray(value) &&
  value.length === 3 &&
  value.every((count) => integer(0)(count) === undefined)
    ? undefined
    : 'three integers ≥ 0';

function printUnraisable(error: unknown, where: UnraisableWhere): void {
  reportIgnoredError(`a ${where} of a simulated heap`, error);
}
