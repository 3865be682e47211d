/**
 * Has the components that are watched anew report the nodes that they have already. A full cache has a million of them, and a node
 * takes a microsecond. So they are reported in steps, with turns of the event loop between them. The simulated heap collects in turns
 * of its own:
 *
 * ```
 *   watch ──▶ step ──timer──▶ collect ──timer──▶ step ──timer──▶ … ──▶ all are reported: their number may be judged
 *                └── entries come and go: the component reports them itself
 * ```
 *
 * The component that came last is served first. The parts of a keyed pool are thus complete before its next parts begin, and a
 * small cache does not wait for a large one.
 */
import type { TimerHandle } from '../core/clock.js';
import type { ActivityClock } from './activity-clock.js';
import type { RunningClock } from './running-clock.js';

/** How many nodes a step reports at most. */
const MAX_IN_STEP = 1_024;

/** How many nodes the first step reports, however slow the machine is: so many that a small component is complete. */
const AT_ONCE = 128;

/** How many nodes are reported between two readings of the clock. */
const BATCH = 32;

/** A component that is watched anew. */
export interface NewlyWatched {
  /** Reports at most `most` of the nodes that it had before. True while there are more. */
  reportPresent(most: number): boolean;
  /** Called when all are reported, or the watch has ended. */
  presentReported(): void;
}

export class PresentNodes {
  readonly #clock: RunningClock;
  readonly #activity: Pick<ActivityClock, 'allocatePresent' | 'collectPresent'>;
  /** The components with further nodes. The last one is served first. */
  readonly #waiting: NewlyWatched[] = [];
  #isStepping = false;
  #timer: TimerHandle | undefined;

  constructor(
    clock: RunningClock,
    activity: Pick<ActivityClock, 'allocatePresent' | 'collectPresent'>,
  ) {
    this.#clock = clock;
    this.#activity = activity;
  }

  /** Has a component report its nodes: the first of them now, unless a step is running. */
  add(component: NewlyWatched): void {
    this.#waiting.push(component);
    if (!this.#isStepping) this.#step(AT_ONCE);
  }

  /** Stops the timer. */
  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#waiting.length = 0;
  }

  /** Reports `atOnce` nodes, and more while there is time. */
  #step(atOnce: number): void {
    this.#isStepping = true;
    try {
      this.#activity.allocatePresent(() => this.#reportSome(atOnce));
    } finally {
      this.#isStepping = false;
    }
    this.#continueLater();
  }

  #reportSome(atOnce: number): void {
    const end = performance.now() + this.#clock.stepMillis;
    for (let done = 0; done < MAX_IN_STEP; done += BATCH) {
      if (done >= atOnce && performance.now() >= end) return;
      const component = this.#waiting.at(-1);
      if (component === undefined) return;
      const place = this.#waiting.length - 1;
      if (component.reportPresent(BATCH)) continue;
      this.#waiting.splice(place, 1); // Its parts may stand behind it by now.
      component.presentReported();
    }
  }

  #continueLater(): void {
    if (this.#waiting.length === 0 || this.#timer !== undefined) return;
    const run = (): void => {
      this.#timer = undefined;
      if (this.#activity.collectPresent()) this.#continueLater();
      else this.#step(0);
    };
    this.#timer = this.#clock.setTimer(run, 0, { background: true });
  }
}
