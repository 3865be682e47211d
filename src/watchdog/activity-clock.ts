/**
 * The simulated heap's time. A service in balance frees as much as it allocates, so CPython's trigger, which counts
 * allocations *less* frees, would hardly ever collect and nothing would grow old. Here the young generations are collected
 * after so many events, births and requests alike: age is counted in what went by. A request that fails because everything is
 * lost counts too, or a pool that has leaked dry would stop the clock by which its leaks are found.
 */
import type { GcModule } from '../gc/gc-module.js';

/** Collections of the youngest generation for each one of the middle generation, as CPython's second threshold. */
const YOUNG_PER_MIDDLE = 10;

export class ActivityClock {
  readonly #gc: GcModule;
  readonly #nursery: number;
  readonly #beforeCollection: () => void;
  #events = 0;
  #youngCollections = 0;

  /** Collects after every `nursery` events, and calls `beforeCollection` first. */
  constructor(gc: GcModule, nursery: number, beforeCollection: () => void) {
    this.#gc = gc;
    this.#nursery = nursery;
    this.#beforeCollection = beforeCollection;
  }

  tick(): void {
    if (++this.#events < this.#nursery) return;
    this.#events = 0;
    this.#beforeCollection();
    const middle = ++this.#youngCollections % YOUNG_PER_MIDDLE === 0;
    this.#gc.collect(middle ? 1 : 0);
  }
}
