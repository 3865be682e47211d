/**
 * Decides when the simulated heap collects, so that a node's age counts the activity that it has survived.
 *
 * CPython collects when allocations *less* frees exceed a threshold. A service in balance frees as much as it allocates, so
 * that difference hardly grows: nothing would be collected, and no node would be promoted. Here each event counts, the
 * birth of a node and the request for a loan alike. A request that fails counts too. Otherwise a pool that has leaked all its resources
 * would stop the clock by which its leaks are found.
 */
import type { GcModule } from '../gc/gc-module.js';

/** One collection in this many includes the middle generation: CPython's second threshold. */
const YOUNG_PER_MIDDLE = 10;

export class ActivityClock {
  readonly #gc: GcModule;
  readonly #youngCollectionEvery: number;
  readonly #beforeCollection: () => void;
  #events = 0;
  #isStopped = false;
  /** The births in {@link allocatePresent} since the last collection for them. */
  #present = 0;
  /** How often a young generation was collected. */
  youngCollections = 0;

  /** Collects after every `youngCollectionEvery` events. `beforeCollection` is called before each collection. */
  constructor(gc: GcModule, youngCollectionEvery: number, beforeCollection: () => void) {
    this.#gc = gc;
    this.#youngCollectionEvery = youngCollectionEvery;
    this.#beforeCollection = beforeCollection;
  }

  /** Counts one event. Amortised O(1). */
  tick(): void {
    if (++this.#events < this.#youngCollectionEvery || this.#isStopped) return;
    this.#events = 0;
    this.#beforeCollection();
    const middle = ++this.youngCollections % YOUNG_PER_MIDDLE === 0;
    this.#gc.collect(middle ? 1 : 0);
  }

  /**
   * Calls `allocate`, whose nodes existed before they were watched: their births are no activity. Call {@link collectPresent} before the
   * next call.
   */
  allocatePresent(allocate: () => void): void {
    const events = this.#events;
    this.#isStopped = true;
    this.#events = this.#present;
    try {
      allocate();
    } finally {
      this.#isStopped = false;
      this.#present = this.#events;
      this.#events = events;
    }
  }

  /** Makes the nodes of {@link allocatePresent} old if they are many, so that no young collection has to visit all. True if it did. */
  collectPresent(): boolean {
    if (this.#present < this.#youngCollectionEvery) return false;
    this.#present = 0;
    this.#beforeCollection();
    this.#gc.collect(1);
    return true;
  }
}
