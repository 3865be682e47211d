/** The queue that phantom references enter when their targets are freed. */
import { Deque } from '../core/deque.js';
import type { OptionCheck } from '../core/options.js';
import type { PhantomReference } from './phantom-reference.js';

/**
 * Queue of {@link PhantomReference}s. The heap fills it, and its owner empties it when it wants to. So no code of the
 * owner runs during a deallocation. `T` is the type of the tags.
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

  /** Number of references in the queue. */
  get length(): number {
    return this.#references.length;
  }

  /** Removes and returns the reference whose target was freed first, or returns `undefined`. */
  poll(): PhantomReference<T> | undefined {
    return this.#references.shift();
  }

  /**
   * Iterates over the references in the order in which their targets were freed, and keeps them. Do not free nodes
   * during the iteration.
   */
  [Symbol.iterator](): IterableIterator<PhantomReference<T>> {
    return this.#references[Symbol.iterator]();
  }

  /** @internal */
  push(reference: PhantomReference<T>): void {
    this.#references.push(reference);
  }
}

/** Accepts a reference queue. */
export const aReferenceQueue: OptionCheck = (value) =>
  value instanceof ReferenceQueue ? undefined : 'a ReferenceQueue';
