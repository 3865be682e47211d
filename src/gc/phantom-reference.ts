/**
 * Phantom references, as in Java, report that a node is gone for good. A weak reference dies when its target begins to
 * die, and a finalizer may still resurrect the target. A phantom reference is enqueued when the node has been freed. It
 * never leads to the node, so it cannot resurrect it.
 *
 * A phantom reference is not a node. It holds nothing, no figure counts it, and no collection visits it.
 */

/** The part of {@link ReferenceQueue} that a phantom reference uses. */
interface PhantomQueue<T> {
  push(reference: PhantomReference<T>): void;
}

/**
 * Reference that never leads to its target. The heap puts it in a queue, once, when the target has been freed.
 * {@link Heap.phantom} makes it.
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
  /** Value that identifies the target after it is freed. */
  readonly tag: T;
  #queue: PhantomQueue<T> | undefined;
  #isEnqueued = false;

  /** @internal */
  constructor(queue: PhantomQueue<T>, tag: T) {
    this.#queue = queue;
    this.tag = tag;
  }

  /** True once the target has been freed and the reference was enqueued. It stays true after a `poll`. */
  get isEnqueued(): boolean {
    return this.#isEnqueued;
  }

  /** Gives the reference up, so that it is never enqueued. Has no effect once it was enqueued. */
  clear(): void {
    this.#queue = undefined;
  }

  /** @internal Enqueues the reference. Returns false if it was given up. */
  enqueue(): boolean {
    const queue = this.#queue;
    if (queue === undefined) return false;
    this.#queue = undefined;
    this.#isEnqueued = true;
    queue.push(this);
    return true;
  }
}

/** The part of a reference that does not depend on the type of its tag. */
interface Enqueueable {
  enqueue(): boolean;
}

/** Phantom references of one heap, by the index of their target. */
export class PhantomReferences {
  readonly #references: Map<number, Enqueueable[]> = new Map();

  add(index: number, reference: Enqueueable): void {
    const others = this.#references.get(index);
    if (others === undefined) this.#references.set(index, [reference]);
    else others.push(reference);
  }

  /** Enqueues the references to a node that has been freed, oldest first. Returns their number. */
  enqueue(index: number): number {
    const references = this.#references.get(index);
    if (references === undefined) return 0;
    this.#references.delete(index);
    return references.filter((reference) => reference.enqueue()).length;
  }
}
