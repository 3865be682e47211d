/**
 * Objects that are expected to die soon. Each is a node of the simulated heap that lives until V8 reports the death of its object.
 * The node ages by the collections of that heap. How many of V8's full collections the object survives is counted beside it.
 */
import type { BaseHeap } from '../gc/base-heap.js';
import type { Handle } from '../gc/memory/handle.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { Loan } from './loan.js';

/** One object that is expected to die. */
export interface Expectation {
  /** What stands for it in the ledger. */
  readonly loan: Loan;
  /** When it was expected first, in milliseconds. */
  readonly since: number;
  /** The generation of its node. */
  readonly generation: NodeGeneration;
  /** How many of V8's full collections it has survived. */
  readonly survived: number;
}

class ExpectedDeath implements Expectation {
  readonly loan: Loan;
  readonly since: number;
  readonly handle: Handle;
  survived = 0;
  readonly #heap: BaseHeap;

  constructor(heap: BaseHeap, handle: Handle, loan: Loan, since: number) {
    this.#heap = heap;
    this.handle = handle;
    this.loan = loan;
    this.since = since;
  }

  get generation(): NodeGeneration {
    return this.#heap.generation(this.handle);
  }
}

/** The expectations of one watchdog. */
export class Expectations implements Iterable<Expectation> {
  readonly #heap: BaseHeap;
  readonly #died: (loan: Loan) => void;
  readonly #deaths: FinalizationRegistry<ExpectedDeath>;
  readonly #expected = new Set<ExpectedDeath>();

  /** `died` is called when an object has died. */
  constructor(heap: BaseHeap, died: (loan: Loan) => void) {
    this.#heap = heap;
    this.#died = died;
    this.#deaths = new FinalizationRegistry((expected) => {
      if (!this.#expected.delete(expected)) return;
      heap.drop(expected.handle);
      this.#died(expected.loan);
    });
  }

  /** How many objects are expected to die and have not. */
  get size(): number {
    return this.#expected.size;
  }

  [Symbol.iterator](): Iterator<Expectation> {
    return this.#expected.values();
  }

  /** Waits for the death of `target`. `loan` stands for it in the ledger, and must not reach it. O(1). */
  add(target: WeakKey, kind: string, site: string, loan: Loan, now: number): void {
    const handle = this.#heap.alloc({ kind, site });
    const expected = new ExpectedDeath(this.#heap, handle, loan, now);
    this.#expected.add(expected);
    this.#deaths.register(target, expected, expected);
  }

  /** V8 has run full collections: the objects that are still there have survived them. */
  survived(collections: number): void {
    for (const expected of this.#expected) expected.survived += collections;
  }

  /** Forgets all. */
  close(): void {
    for (const expected of this.#expected) this.#deaths.unregister(expected);
    this.#expected.clear();
  }
}
