/**
 * Phantom references, as in Java: they tell that a node is gone for good. A weak reference dies when its target begins to
 * die, and a finalizer may still bring that back. A phantom reference is enqueued when the node has been freed, and nothing
 * can bring it back through the reference, which never leads to it.
 *
 * It is no node. It holds nothing, is counted nowhere, and no collection knows of it.
 */

/** What is left of {@link ReferenceQueue} when references arrive. */
interface PhantomQueue<T> {
  push(reference: PhantomReference<T>): void;
}

/**
 * A reference that never leads to its target, but is put in a queue, once, when that has been freed. Made by
 * {@link Heap.phantom}.
 *
 * @example
 * ```ts
 * import { Heap, ReferenceQueue } from 'tenure/gc';
 *
 * const heap = new Heap();
 * const freed = new ReferenceQueue<string>();
 * const node = heap.alloc({ finalizer: (self) => heap.hold(self) });
 * const reference = heap.phantom(node, freed, 'the phoenix');
 * heap.drop(node); // Its finalizer brings it back, once.
 * reference.isEnqueued; // => false
 * heap.drop(node);
 * reference.isEnqueued; // => true
 * freed.poll() === reference; // => true
 * ```
 */
export class PhantomReference<T = unknown> {
  /** What the target is known by once it is gone. */
  readonly tag: T;
  #queue: PhantomQueue<T> | undefined;
  #isEnqueued = false;

  /** @internal */
  constructor(queue: PhantomQueue<T>, tag: T) {
    this.#queue = queue;
    this.tag = tag;
  }

  /** Whether its target has been freed, and it was put in its queue. Stays so when it is taken out. */
  get isEnqueued(): boolean {
    return this.#isEnqueued;
  }

  /** Gives the reference up: it will not be enqueued. Too late once it has been. */
  clear(): void {
    this.#queue = undefined;
  }

  /** @internal Puts it in its queue; false if it was given up. */
  enqueue(): boolean {
    const queue = this.#queue;
    if (queue === undefined) return false;
    this.#queue = undefined;
    this.#isEnqueued = true;
    queue.push(this);
    return true;
  }
}

/** The part of a reference that does not depend on its tag. */
interface Enqueueable {
  enqueue(): boolean;
}

/** The phantom references of one heap, by the index of their target. */
export class PhantomReferences {
  readonly #references: Map<number, Enqueueable[]> = new Map();

  add(index: number, reference: Enqueueable): void {
    const others = this.#references.get(index);
    if (others === undefined) this.#references.set(index, [reference]);
    else others.push(reference);
  }

  /** Enqueues the references to a node that has been freed, oldest first; returns how many. */
  enqueue(index: number): number {
    const references = this.#references.get(index);
    if (references === undefined) return 0;
    this.#references.delete(index);
    return references.filter((reference) => reference.enqueue()).length;
  }
}
