/** Phantom references of one heap, by the index of their target. */

/** The part of a reference that does not depend on the type of its tag. */
interface Enqueueable {
  enqueue(): boolean;
}

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
