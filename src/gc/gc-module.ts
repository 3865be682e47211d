/** Python's `gc` module over a simulated heap: every function of it, camelCased, with the same results. */
import { checkArgument, integer } from '../core/options.js';
import type { CPythonCollector, Generation } from './cpython-collector.js';
import type { Deallocator } from './deallocator.js';
import type { Handle } from './handle.js';
import type { CollectionInfo, HeapState } from './heap-state.js';
import type { GenerationStats } from './heap-stats.js';
import {
  FLAG_FINALIZED,
  GENERATION_0,
  KIND_MASK,
  OLDEST,
  PERMANENT,
  UNTRACKED,
  WEAK,
} from './node-store.js';

/** Is called when a collection starts and when it stops. */
export type CollectionCallback = (phase: 'start' | 'stop', info: CollectionInfo) => void;

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
  readonly #collector: CPythonCollector;
  readonly #resolve: (handle: Handle) => number;

  /** @internal */
  constructor(
    state: HeapState,
    collector: CPythonCollector,
    deallocator: Deallocator,
    resolve: (handle: Handle) => number,
  ) {
    this.#state = state;
    this.#collector = collector;
    this.#resolve = resolve;
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
   * During a collection it does nothing and returns 0. O(nodes and edges in those generations).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a generation other than 0, 1, 2.
   */
  collect(generation: Generation = 2): number {
    checkArgument('gc.collect', 'generation', generation, integer(0, 2));
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
    for (const [i, threshold] of [first, second, third].entries()) {
      if (threshold === undefined) continue;
      checkArgument('gc.setThreshold', `threshold${i}`, threshold, integer(0));
      thresholds[i] = threshold;
    }
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
    const lists =
      generation === undefined
        ? [GENERATION_0, GENERATION_0 + 1, OLDEST]
        : [GENERATION_0 + generation];
    const nodes: Handle[] = [];
    for (const list of lists) this.#visit(list, (index) => nodes.push(this.#state.handle(index)));
    return nodes;
  }

  /** The nodes with an edge to one of these, each once. O(nodes and edges). */
  getReferrers(...targets: Handle[]): Handle[] {
    const { store } = this.#state;
    const wanted = new Set(targets.map((target) => this.#resolve(target)));
    const referrers: Handle[] = [];
    for (let list = GENERATION_0; list <= OLDEST; list++) {
      this.#visit(list, (index) => {
        if (((store.flags[index] as number) & KIND_MASK) === WEAK) return;
        for (let place = 0; place < (store.edgeCount[index] as number); place++) {
          if (!wanted.has(store.edgeAt(index, place))) continue;
          referrers.push(this.#state.handle(index));
          return;
        }
      });
    }
    return referrers;
  }

  /** The nodes that these have edges to, last edge first, as often as they do. */
  getReferents(...sources: Handle[]): Handle[] {
    const { store } = this.#state;
    const referents: Handle[] = [];
    for (const source of sources) {
      const index = this.#resolve(source);
      if (((store.flags[index] as number) & KIND_MASK) === WEAK) continue;
      for (let place = (store.edgeCount[index] as number) - 1; place >= 0; place--) {
        referents.push(this.#state.handle(store.edgeAt(index, place)));
      }
    }
    return referents;
  }

  /** Whether the node is in a generation, frozen ones included. */
  isTracked(node: Handle): boolean {
    return this.#state.store.list[this.#resolve(node)] !== UNTRACKED;
  }

  /** Whether the node's finalizer has run. */
  isFinalized(node: Handle): boolean {
    return ((this.#state.store.flags[this.#resolve(node)] as number) & FLAG_FINALIZED) !== 0;
  }

  /** Moves all tracked nodes to a permanent generation, which is never collected. */
  freeze(): void {
    const { store, counts } = this.#state;
    for (let list = GENERATION_0; list <= OLDEST; list++) {
      store.merge(list, PERMANENT);
      counts[list - GENERATION_0] = 0;
    }
  }

  /** Moves the permanent generation to generation 2. */
  unfreeze(): void {
    this.#state.store.merge(PERMANENT, OLDEST);
  }

  /** How many nodes are frozen. */
  getFreezeCount(): number {
    return this.#state.store.listLength[PERMANENT] as number;
  }

  /** Sets the debug flags; `DEBUG_SAVEALL` is the one with an effect on nodes. */
  setDebug(flags: number): void {
    checkArgument('gc.setDebug', 'flags', flags, integer(0));
    this.#state.debug = flags;
  }

  /** The debug flags. */
  getDebug(): number {
    return this.#state.debug;
  }

  #visit(list: number, visit: (index: number) => void): void {
    const { next } = this.#state.store;
    for (let i = next[list] as number; i !== list; i = next[i] as number) visit(i);
  }
}

function garbageOf(state: HeapState, deallocator: Deallocator): Garbage {
  return {
    get length() {
      return state.garbage.length;
    },
    clear() {
      const nodes = state.garbage.splice(0);
      for (let i = nodes.length - 1; i >= 0; i--) deallocator.drop(nodes[i] as number);
    },
    *[Symbol.iterator]() {
      for (const index of state.garbage) yield state.handle(index);
    },
  };
}
