/**
 * Full collections of the simulated heap. A busy service gets them by CPython's rule, when enough nodes have grown old. A quiet
 * service would never get one, so the sweep begins one after some time. Either runs in steps, with the program between them. On a user's
 * own clock it is one step.
 *
 * Objects are counted at the end of a collection, and the count has the time of the end. The next collection is due by its beginning.
 */
import type { TimerHandle } from '../core/clock.js';
import { nextTurn } from '../core/host-timers.js';
import type { BaseHeap } from '../gc/base-heap.js';
import type { RunningClock } from './running-clock.js';

export class FullCollections {
  readonly #heap: BaseHeap;
  readonly #clock: RunningClock;
  readonly #everyMillis: number;
  /** When the last one began: with its end, sweeps that come in step with it would begin each one too late. */
  #lastAt: number;
  #timer: TimerHandle | undefined;

  /** `collected` is called within the heap at the end of each full collection. It must not change the heap. */
  constructor(heap: BaseHeap, clock: RunningClock, everyMillis: number, collected: () => void) {
    this.#heap = heap;
    this.#clock = clock;
    this.#everyMillis = everyMillis;
    this.#lastAt = clock.now();
    heap.gc.callbacks.push((phase, { generation }) => {
      if (generation !== 2) return;
      if (phase === 'start') this.#lastAt = clock.now();
      else collected();
    });
  }

  /** Begins a full collection if there has been none for long. */
  collectIfDue(): void {
    if (this.#timer === undefined && this.#clock.now() - this.#lastAt >= this.#everyMillis) {
      this.#run();
    }
  }

  /** Completes a full collection, with turns of the event loop between its steps. */
  async collect(): Promise<void> {
    this.#stop();
    while (this.#step() === 'more') await nextTurn();
  }

  /** Stops the timer. */
  close(): void {
    this.#stop();
  }

  #run(): void {
    this.#timer = undefined;
    if (this.#step() === 'done') return;
    this.#timer = this.#clock.setTimer(() => this.#run(), 0, { background: true });
  }

  #step(): 'done' | 'more' {
    return this.#heap.step({ millis: this.#clock.stepMillis });
  }

  #stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
