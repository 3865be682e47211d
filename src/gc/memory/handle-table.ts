/** Translates between handles, which callers use, and indices of nodes. Refuses stale handles. */
import { InvalidArgumentError } from '../../core/errors.js';
import { StaleHandleError } from '../heap-errors.js';
import { type Handle, indexOfHandle, makeHandle } from './handle.js';
import { FLAG_LIVE, type NodeStore, WEAK } from './node-store.js';

/** Tells whether the heap can be used now. */
export interface HeapAvailability {
  /** True once the heap is disposed of, and while it runs its trace. */
  readonly closed: boolean;
  /** Throws the error that says why the heap is closed. */
  throwIfClosed(): void;
}

export class HandleTable {
  readonly #store: NodeStore;
  readonly #availability: HeapAvailability;

  constructor(store: NodeStore, availability: HeapAvailability) {
    this.#store = store;
    this.#availability = availability;
  }

  /** Returns the handle of the node at `index`. */
  of(index: number): Handle {
    return makeHandle(index, this.#store.tag[index] as number);
  }

  /** Returns the handles of several nodes, in order. */
  all(indices: readonly number[]): Handle[] {
    return indices.map((index) => this.of(index));
  }

  /** Returns the index of a live node, or 0. */
  find(node: Handle): number {
    if (typeof node !== 'number') return 0;
    const store = this.#store;
    const index = indexOfHandle(node);
    return index < store.end &&
      makeHandle(index, store.tag[index] as number) === node &&
      store.hasFlag(index, FLAG_LIVE) &&
      !this.#availability.closed
      ? index
      : 0;
  }

  /** Returns the index of a live node. Throws if there is none. */
  resolve(node: Handle): number {
    const index = this.find(node);
    if (index !== 0) return index;
    this.#availability.throwIfClosed();
    throw new StaleHandleError(node);
  }

  /** Returns the index of a node that can have edges. Throws for a weak reference. */
  resolveSource(node: Handle): number {
    const index = this.resolve(node);
    if (this.#store.type(index) !== WEAK) return index;
    throw new InvalidArgumentError('heap: a weak reference has no edges and no weak references.');
  }

  /** Returns the target of the edge at `place`. Throws if the node has no such edge. */
  targetAt(source: number, place: number): number {
    const { edges } = this.#store;
    const count = edges.count(source);
    if (Number.isInteger(place) && place >= 0 && place < count) return edges.at(source, place);
    throw new InvalidArgumentError(
      `heap: the node has ${count} edges, so \`place\` must be an integer from 0 below that, got ${String(place)}.`,
    );
  }
}
