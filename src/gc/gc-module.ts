/** Python's `gc` module over a simulated heap: every function of it, camelCased, with the same results. */
import { checkArgument, integer } from '../core/options.js';
import type { Collector } from './collector.js';
import type { Deallocator } from './deallocation/deallocator.js';
import type { CollectionCallback, HeapState } from './heap-state.js';
import type { GenerationStats } from './heap-stats.js';
import type { Generation } from './memory/generation-lists.js';
import { GENERATION_0, OLDEST, PERMANENT, UNTRACKED } from './memory/generation-lists.js';
import type { Handle } from './memory/handle.js';
import { FLAG_FINALIZED } from './memory/node-store.js';

/** The nodes in `gc.garbage`: each is held by the list until it is cleared. */
export interface Garbage extends Iterable<Handle> {
  /** How many there are. */
  readonly length: number;
  /** Empties the list, then ends its references, last to first. */
  clear(): void;
}

/**
 * The collector's controls and views, as Python's `gc` module has them.
 *
 * @example
 * ```ts
 * import { Heap } from 'tenure/gc';
 *
 * const heap = new Heap();
 * heap.gc.getThreshold(); // => [700, 10, 10]
 * heap.alloc();
 * heap.gc.getCount(); // => [1, 0, 0]
 * heap.gc.collect(0); // => 0
 * heap.gc.getCount(); // => [0, 1, 0]
 * ```
 */
export class GcModule {
  /** Called at the start and the stop of each collection, in order. */
  readonly callbacks: CollectionCallback[];
  /** What could not be freed, and with `DEBUG_SAVEALL` what was not to be. */
  readonly garbage: Garbage;
  readonly #state: HeapState;
  readonly #collector: Collector;

  /** @internal */
  constructor(state: HeapState, collector: Collector, deallocator: Deallocator) {
    this.#state = state;
    this.#collector = collector;
    this.callbacks = state.callbacks;
    this.garbage = garbageOf(state, deallocator);
  }

  /** Lets allocations run the collector. */
  enable(): void {
    this.#state.enabled = true;
  }

  /** Keeps allocations from running the collector; `collect` still does. */
  disable(): void {
    this.#state.enabled = false;
  }

  /** Whether allocations may run the collector. */
  isEnabled(): boolean {
    return this.#state.enabled;
  }

  /**
   * Collects a generation and all younger ones, all of them by default; returns how many nodes were found unreachable.
   * During a collection it does nothing and returns 0. The collectors other than `cpython` know no generations, and always
   * collect everything; `incremental` ends the collection under way first, and counts what it found. O(nodes and edges in those generations).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a generation other than 0, 1, 2.
   */
  collect(generation: Generation = 2): number {
    checkArgument('gc.collect', 'generation', generation, integer(0, 2));
    this.#state.throwIfClosed();
    return this.#collector.collect(generation);
  }

  /** How much has happened since each generation was collected: allocations less frees, then collections of the younger one. */
  getCount(): [number, number, number] {
    return [...this.#state.counts];
  }

  /** The counts above which an allocation collects. */
  getThreshold(): [number, number, number] {
    return [...this.#state.thresholds];
  }

  /** Sets the thresholds; those left out stay. A first one of 0 switches automatic collection off. */
  setThreshold(first: number, second?: number, third?: number): void {
    const { thresholds } = this.#state;
    const wanted = [first, second ?? thresholds[1], third ?? thresholds[2]] as const;
    for (const [i, threshold] of wanted.entries()) {
      checkArgument('gc.setThreshold', `threshold${i}`, threshold, integer(0));
    }
    [thresholds[0], thresholds[1], thresholds[2]] = wanted;
  }

  /** Statistics of the collections of each generation. */
  getStats(): [GenerationStats, GenerationStats, GenerationStats] {
    return [...this.#state.counters.generations];
  }

  /** The nodes of one generation, or of all three, in the collector's order. O(n). */
  getObjects(generation?: Generation): Handle[] {
    if (generation !== undefined) {
      checkArgument('gc.getObjects', 'generation', generation, integer(0, 2));
    }
    const nodes: Handle[] = [];
    this.#visit(generation, (index) => nodes.push(this.#state.handles.of(index)));
    return nodes;
  }

  /** The nodes with an edge to one of these, each once, frozen ones left out. O(nodes and edges). */
  getReferrers(...targets: Handle[]): Handle[] {
    const { edges } = this.#state.store;
    const wanted = new Set(targets.map((target) => this.#state.handles.resolve(target)));
    const referrers: Handle[] = [];
    this.#visit(undefined, (index) => {
      const count = edges.count(index);
      for (let place = 0; place < count; place++) {
        if (!wanted.has(edges.at(index, place))) continue;
        referrers.push(this.#state.handles.of(index));
        return;
      }
    });
    return referrers;
  }

  /** The nodes that these have edges to, last edge first, as often as they do. */
  getReferents(...sources: Handle[]): Handle[] {
    const { edges } = this.#state.store;
    const indices = sources.map((source) => this.#state.handles.resolve(source));
    return this.#state.handles.all(indices.flatMap((index) => edges.targets(index).reverse()));
  }

  /** Whether the node is in a generation, the permanent one included: all are but those that are being freed. */
  isTracked(node: Handle): boolean {
    return this.#state.store.lists.listOf[this.#state.handles.resolve(node)] !== UNTRACKED;
  }

  /** Whether the node's finalizer has run. */
  isFinalized(node: Handle): boolean {
    return this.#state.store.hasFlag(this.#state.handles.resolve(node), FLAG_FINALIZED);
  }

  /**
   * Moves all tracked nodes to a permanent generation, which is never collected. An incremental collection under way is given
   * up. O(nodes).
   */
  freeze(): void {
    this.#state.throwIfClosed();
    this.#collector.abandon();
    const { store, counts } = this.#state;
    for (let list = GENERATION_0; list <= OLDEST; list++) store.lists.merge(list, PERMANENT);
    counts.fill(0);
  }

  /** Moves the permanent generation to generation 2. An incremental collection under way is given up. O(nodes). */
  unfreeze(): void {
    this.#state.throwIfClosed();
    this.#collector.abandon();
    this.#state.store.lists.merge(PERMANENT, OLDEST);
  }

  /** How many nodes are frozen. */
  getFreezeCount(): number {
    return this.#state.store.lists.length(PERMANENT);
  }

  /** Sets the debug flags. `DEBUG_SAVEALL` has an effect on nodes, the others tell the heap's option `onDebug`. */
  setDebug(flags: number): void {
    checkArgument('gc.setDebug', 'flags', flags, integer(0));
    this.#state.debug = flags;
  }

  /** The debug flags. */
  getDebug(): number {
    return this.#state.debug;
  }

  #visit(generation: Generation | undefined, visitor: (index: number) => void): void {
    this.#state.throwIfClosed();
    for (let list = GENERATION_0; list <= OLDEST; list++) {
      if (generation === undefined || list === GENERATION_0 + generation) {
        this.#state.store.lists.visit(list, visitor);
      }
    }
  }
}

function garbageOf(state: HeapState, deallocator: Deallocator): Garbage {
  return {
    get length() {
      return state.garbage.length;
    },
    clear() {
      state.throwIfClosed();
      const nodes = state.garbage.splice(0);
      for (let i = nodes.length - 1; i >= 0; i--) deallocator.release(nodes[i] as number);
    },
    *[Symbol.iterator]() {
      for (const index of state.garbage) yield state.handles.of(index);
    },
  };
}
