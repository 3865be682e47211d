/** Where phantom references arrive when their targets have been freed. */
import { Deque } from '../core/deque.js';
import type { OptionCheck } from '../core/options.js';
import type { PhantomReference } from './phantom-reference.js';

/**
 * A queue of {@link PhantomReference}s, filled by the heap, emptied by its owner at a moment of its own choosing: no code
 * runs in the middle of a deallocation. `T` is what the references are tagged with.
 *
 * @example
 * ```ts
 * import { Heap, ReferenceQueue } from 'tenure/gc';
 *
 * const heap = new Heap();
 * const freed = new ReferenceQueue<string>();
 * const file = heap.alloc({ kind: 'file' });
 * heap.phantom(file, freed, '/tmp/1');
 * freed.poll(); // => undefined
 * heap.drop(file);
 * freed.poll()?.tag; // => '/tmp/1'
 * freed.length; // => 0
 * ```
 */
export class ReferenceQueue<T = unknown> {
  readonly #references: Deque<PhantomReference<T>> = new Deque();

  /** How many references wait. */
  get length(): number {
    return this.#references.length;
  }

  /** Takes the reference out whose target was freed first; `undefined` if there is none. */
  poll(): PhantomReference<T> | undefined {
    return this.#references.shift();
  }

  /** The references that wait, in the order in which their targets were freed; they stay. Nothing may be freed meanwhile. */
  [Symbol.iterator](): IterableIterator<PhantomReference<T>> {
    return this.#references[Symbol.iterator]();
  }

  /** @internal */
  push(reference: PhantomReference<T>): void {
    this.#references.push(reference);
  }
}

/** A reference queue. */
export const aReferenceQueue: OptionCheck = (value) =>
  value instanceof ReferenceQueue ? undefined : 'a ReferenceQueue';
