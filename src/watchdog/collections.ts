/**
 * The full collections of both heaps, and the objects that should die in them.
 *
 * ```
 *   check with forceGc ──▶ V8 collects ──▶ turns, until V8 has told of all deaths ──▶ the simulated heap collects
 * ```
 */
import { nextTurn } from '../core/host-timers.js';
import type { BaseHeap } from '../gc/base-heap.js';
import { NO_ORIGIN } from './call-origin.js';
import { Expectations } from './expectations.js';
import { FullCollections } from './full-collections.js';
import type { Loan } from './loan.js';
import type { OpenScope } from './open-scope.js';
import { PlainSource } from './plain-source.js';
import { SURVIVED_COLLECTIONS } from './rules/retained.js';
import type { RunningClock } from './running-clock.js';
import { V8Collections } from './v8-collections.js';

/** The kind of objects that are expected to die. */
const EXPECTED = 'expected';

/** For how many turns of the event loop no death may be told until all were. */
const QUIET_TURNS = 3;

/** For how many turns deaths are waited for at most. */
const MAX_TURNS = 2_000;

/** What collections tell. */
export interface CollectionsListener {
  /** Called within the simulated heap at the end of each of its full collections. It must not change the heap. */
  heapCollected(): void;
  /** V8 has run a full collection. */
  v8Collected(): void;
  /** An object has died that was expected to. `loan` stands for it in the ledger. */
  died(loan: Loan): void;
}

export class Collections {
  /** The full collections of the simulated heap. */
  readonly full: FullCollections;
  /** V8's full collections. */
  readonly v8: V8Collections;
  /** The objects that are expected to die. */
  readonly expectations: Expectations;
  readonly #heap: BaseHeap;
  readonly #clock: RunningClock;

  /** `everyMillis` is the longest time between two full collections of `heap`. `asksV8` says whether V8 is asked at all. */
  constructor(
    heap: BaseHeap,
    clock: RunningClock,
    everyMillis: number,
    asksV8: boolean,
    listener: CollectionsListener,
  ) {
    this.#heap = heap;
    this.#clock = clock;
    this.full = new FullCollections(heap, clock, everyMillis, () => listener.heapCollected());
    this.v8 = new V8Collections(
      () => clock.now(),
      asksV8,
      () => {
        this.expectations.survived(1);
        listener.v8Collected();
      },
    );
    this.expectations = new Expectations(heap, (loan) => listener.died(loan));
  }

  /** Waits for the death of an object. `site` names it, `stack` is the caller that expects it, in `scope`. */
  expect(target: WeakKey, site: string, stack: string, scope: OpenScope | undefined): void {
    const now = this.#clock.now();
    const loan = new PlainSource(EXPECTED, site).loan(now);
    loan.origin = { ...NO_ORIGIN, stack, scope };
    this.expectations.add(target, EXPECTED, site, loan, now);
  }

  /**
   * A check has had V8 collect. Waits until V8 has told of all deaths, then has the simulated heap collect. `settle` is called before
   * that.
   */
  async followV8(settle: () => void): Promise<void> {
    for (let quiet = 0, freed = -1, turn = 0; quiet < QUIET_TURNS && turn < MAX_TURNS; turn++) {
      const { allocated, live } = this.#heap.stats();
      quiet = allocated - live === freed ? quiet + 1 : 0;
      freed = allocated - live;
      await nextTurn();
    }
    this.v8.noteOne();
    this.expectations.survived(SURVIVED_COLLECTIONS);
    settle();
    await this.full.collect();
  }

  /** Looks no more. */
  close(): void {
    this.full.close();
    this.v8.close();
    this.expectations.close();
  }
}
