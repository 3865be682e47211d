/**
 * Marking: which nodes can be reached from the roots? Marks are a column of their own, a byte a node, so that a million
 * of them fit into a processor's cache, where the order in which a graph is followed, which is no order at all, does not
 * matter as much. O(nodes and edges reached).
 */
import type { HeapState } from '../heap-state.js';
import { markSerially } from './mark-in-parallel.js';
import { pushRoots } from './trace-roots.js';

/** Marks nodes on behalf of a tracing collector. */
export interface Marker {
  /** Marks what the roots reach: an entry a place, 0 if the node there was not reached. Valid until the next time. */
  mark(): Uint8Array;
  /** Ends whatever it keeps running. */
  dispose(): void;
}

/** Marks in the one thread there is. */
export class SerialMarker implements Marker {
  readonly #state: HeapState;
  #marks: Uint8Array = new Uint8Array(0);
  /** Room for every node: each is put on it at most once. */
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
