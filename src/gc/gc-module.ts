/** Python's `gc` module for a simulated heap: all its functions, in camel case, with the same results. */
import { checkArgument, integer } from '../core/options.js';
import type { Collector } from './collector.js';
import type { Deallocator } from './deallocation/deallocator.js';
import type { CollectionCallback, HeapState } from './heap-state.js';
import type { GenerationStats } from './heap-stats.js';
import type { Generation } from './memory/generation-lists.js';
import { GENERATION_0, OLDEST, PERMANENT, UNTRACKED } from './memory/generation-lists.js';
import type { Handle } from './memory/handle.js';
import { FLAG_FINALIZED } from './memory/node-store.js';

/** Nodes in `gc.garbage`. The list holds each of them until it is cleared. */
export interface Garbage extends Iterable<Handle> {
  /** Number of nodes in the list. */
  readonly length: number;
  /** Empties the list, then ends its references, last to first. */
  clear(): void;
}

/**
 * Controls and views of the collector, as in Python's `gc` module.
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
  /**
   * Callbacks that run at the start and the stop of each collection, in order. As in CPython, the list is live: a callback that is
   * appended meanwhile runs, too, and after a callback that removes itself the next one is skipped.
   */
  readonly callbacks: CollectionCallback[];
  /** Nodes that could not be freed, and with `DEBUG_SAVEALL` all nodes found unreachable. */
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

  /** Allows allocations to run the collector. */
  enable(): void {
    this.#state.enabled = true;
  }

  /** Stops allocations from running the collector. `collect` still runs it. */
  disable(): void {
    this.#state.enabled = false;
  }

  /** Returns true if allocations may run the collector. */
  isEnabled(): boolean {
    return this.#state.enabled;
  }

  /**
   * Collects a generation and all younger ones; by default all. Returns the number of nodes that were found
   * unreachable. During a collection, does nothing and returns 0.
   *
   * Collectors other than `cpython` have no generations and always collect everything. The `incremental` collector
   * first ends the current collection, and adds what that one found. O(nodes and edges of the generations).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a generation other than 0, 1, 2.
   */
  collect(generation: Generation = 2): number {
    checkArgument('gc.collect', 'generation', generation, integer(0, 2));
    this.#state.throwIfClosed();
    return this.#collector.collect(generation);
  }

  /**
   * Returns one count per generation since its last collection. The first counts allocations less frees. Each other one
   * counts collections of the next younger generation.
   */
  getCount(): [number, number, number] {
    return [...this.#state.counts];
  }

  /** Returns the counts above which an allocation collects. */
  getThreshold(): [number, number, number] {
    return [...this.#state.thresholds];
  }

  /** Sets the thresholds. A threshold that is left out stays. A first threshold of 0 turns automatic collection off. */
  setThreshold(first: number, second?: number, third?: number): void {
    const { thresholds } = this.#state;
    const wanted = [first, second ?? thresholds[1], third ?? thresholds[2]] as const;
    for (const [i, threshold] of wanted.entries()) {
      checkArgument('gc.setThreshold', `threshold${i}`, threshold, integer(0));
    }
    [thresholds[0], thresholds[1], thresholds[2]] = wanted;
  }

  /** Returns statistics of the collections of each generation. */
  getStats(): [GenerationStats, GenerationStats, GenerationStats] {
    return [...this.#state.counters.generations];
  }

  /** Returns the nodes of one generation, or of all three, in the collector's order. O(n). */
  getObjects(generation?: Generation): Handle[] {
    if (generation !== undefined) {
      checkArgument('gc.getObjects', 'generation', generation, integer(0, 2));
    }
    const nodes: Handle[] = [];
    this.#visit(generation, (index) => nodes.push(this.#state.handles.of(index)));
    return nodes;
  }

  /** Returns the nodes with an edge to one of the targets, each once, without frozen nodes. O(nodes and edges). */
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

  /** Returns the targets of the edges of these nodes, last edge first, with duplicates. */
  getReferents(...sources: Handle[]): Handle[] {
    const { edges } = this.#state.store;
    const indices = sources.map((source) => this.#state.handles.resolve(source));
    return this.#state.handles.all(indices.flatMap((index) => edges.targets(index).reverse()));
  }

  /**
   * Returns true if the node is in a generation, including the permanent one. Only nodes that are being freed are not.
   */
  isTracked(node: Handle): boolean {
    return this.#state.store.lists.listOf[this.#state.handles.resolve(node)] !== UNTRACKED;
  }

  /** Returns true if the finalizer of the node has run. */
  isFinalized(node: Handle): boolean {
    return this.#state.store.hasFlag(this.#state.handles.resolve(node), FLAG_FINALIZED);
  }

  /**
   * Moves all tracked nodes to the permanent generation, which is never collected. Gives up the current incremental
   * collection. O(nodes).
   */
  freeze(): void {
    this.#state.throwIfClosed();
    this.#collector.abandon();
    const { store, counts } = this.#state;
    for (let list = GENERATION_0; list <= OLDEST; list++) store.lists.merge(list, PERMANENT);
    counts.fill(0);
  }

  /** Moves the permanent generation to generation 2. Gives up the current incremental collection. O(nodes). */
  unfreeze(): void {
    this.#state.throwIfClosed();
    this.#collector.abandon();
    this.#state.store.lists.merge(PERMANENT, OLDEST);
  }

  /** Returns the number of frozen nodes. */
  getFreezeCount(): number {
    return this.#state.store.lists.length(PERMANENT);
  }

  /**
   * Sets the debug flags. `DEBUG_SAVEALL` changes what happens to nodes. The others print to the option `onDebug` of
   * the heap.
   */
  setDebug(flags: number): void {
    checkArgument('gc.setDebug', 'flags', flags, integer(0));
    this.#state.debug = flags;
  }

  /** Returns the debug flags. */
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
