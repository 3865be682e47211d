/**
 * Marking finds the nodes that the roots reach. Marks are a column of their own, one byte a node. So the marks of a
 * million nodes fit into a processor's cache. That matters because a graph is followed in no particular memory order.
 * O(nodes and edges reached).
 */
import type { HeapState } from '../heap-state.js';
import { markSerially } from './mark-in-parallel.js';
import { pushRoots } from './trace-roots.js';

/** Marks nodes for a tracing collector. */
export interface Marker {
  /**
   * Marks everything that the roots reach. Returns one entry per slot, which is 0 if the node there was not reached.
   * The result is valid until the next call.
   */
  mark(): Uint8Array;
  /** Ends the threads that the marker runs. */
  dispose(): void;
}

/** Marks in the thread of the caller. */
export class SerialMarker implements Marker {
  readonly #state: HeapState;
  #marks: Uint8Array = new Uint8Array(0);
  /** Stack with room for every node. Each node is pushed at most once. */
  #stack: Int32Array = new Int32Array(0);

  constructor(state: HeapState) {
    this.#state = state;
  }

  mark(): Uint8Array {
    const { capacity, end, edges } = this.#state.store;
    if (this.#marks.length < end) {
      this.#marks = new Uint8Array(capacity);
      this.#stack = new Int32Array(capacity);
    } else {
      this.#marks.fill(0);
    }
    const roots = pushRoots(this.#state, this.#marks, this.#stack);
    markSerially(this.#stack, roots, this.#marks, edges);
    this.#state.counters.serialMarks++;
    return this.#marks;
  }

  dispose(): void {}
}
