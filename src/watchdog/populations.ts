/**
 * Populations: the live objects of one class, counted at each full collection of the simulated heap. A class is a kind of one
 * component: the entries of a cache, the pools of one name, the scopes of one route. A population that only rises is a leak of its
 * own kind, in which no single object is lost.
 *
 * A full collection has removed what the model knows to be dead. V8's collector tells later which weakly held objects are dead.
 * So a count of those is known only when V8 has collected since. Then earlier counts are corrected: what has died since may have
 * been dead already.
 */
import type { BaseHeap } from '../gc/base-heap.js';
import { type CallOrigin, NO_ORIGIN } from './call-origin.js';
import type { Loan, LoanSource, Members } from './loan.js';
import { looseLoan } from './loose-loan.js';

/** How many counts are kept of a population. */
export const MOST_WINDOWS = 24;

/** The shortest time between two counts, in milliseconds. */
const WINDOW_MILLIS = 30_000;

/** What was counted at one full collection. */
interface Window {
  readonly at: number;
  readonly live: number;
  readonly freed: number;
}

/** What is known of a population. */
export interface PopulationOptions {
  /** The kind of the objects in the simulated heap. */
  readonly kind: string;
  /** Their site in the simulated heap. */
  readonly site: string;
  /** Whether V8 decides when they die. */
  readonly isWeak: boolean;
  /** The component that a report names. */
  readonly component: LoanSource;
}

/** One population. */
export class Population implements Members {
  readonly kind: string;
  readonly site: string;
  readonly isWeak: boolean;
  readonly component: LoanSource;
  /** What stands for the population in the ledger. */
  readonly loan: Loan;
  readonly #heap: BaseHeap;
  /** Their class in the simulated heap. */
  readonly classId: number;
  #windows: Window[] = [];

  constructor(heap: BaseHeap, { kind, site, isWeak, component }: PopulationOptions, now: number) {
    this.#heap = heap;
    this.kind = kind;
    this.site = site;
    this.isWeak = isWeak;
    this.component = component;
    this.classId = heap.classOf(kind, site);
    this.loan = looseLoan(component, now);
    this.loan.population = this;
  }

  /** Takes note of the caller that has made a member. */
  madeBy(origin: CallOrigin): void {
    this.loan.origin = { ...NO_ORIGIN, stack: origin.stack };
  }

  /** How many members live. O(1). */
  get live(): number {
    const [young, middle, old] = this.#counts().live;
    return young + middle + old;
  }

  /** How many members were born. O(1). */
  get born(): number {
    return this.#counts().born;
  }

  /** How long the counts reach back, in milliseconds. */
  get spanMillis(): number {
    const { length } = this.#windows;
    return length < 2
      ? 0
      : (this.#windows[length - 1] as Window).at - (this.#windows[0] as Window).at;
  }

  /** Counts the members, at the end of a full collection. O(1). */
  count(now: number): void {
    const last = this.#windows.at(-1);
    if (last !== undefined && now - last.at < WINDOW_MILLIS) return;
    const { live } = this;
    this.#windows.push({ at: now, live, freed: this.#freed() });
    if (this.#windows.length > MOST_WINDOWS) this.#windows.shift();
  }

  /**
   * Gives the counts, the oldest first. Those of weakly held objects end with the count of now, and leave out what may have been
   * dead.
   */
  counts(): number[] {
    if (!this.isWeak) return this.#windows.map(({ live }) => live);
    const freedNow = this.#freed();
    const corrected = this.#windows.map(({ live, freed }) =>
      Math.max(0, live - (freedNow - freed)),
    );
    return [...corrected, this.live];
  }

  #freed(): number {
    const [young, middle, old] = this.#counts().freed;
    return young + middle + old;
  }

  #counts() {
    return this.#heap.countsOf(this.classId) ?? NO_COUNTS;
  }
}

const NO_COUNTS = { live: [0, 0, 0], born: 0, freed: [0, 0, 0] } as const;

/** The populations of one watchdog. */
export class Populations implements Iterable<Population> {
  readonly #heap: BaseHeap;
  readonly #now: () => number;
  readonly #byClass = new Map<number, Population>();

  constructor(heap: BaseHeap, now: () => number) {
    this.#heap = heap;
    this.#now = now;
  }

  [Symbol.iterator](): Iterator<Population> {
    return this.#byClass.values();
  }

  /** Gives the population of a class. The component that was seen last stands for it. O(1). */
  of(options: PopulationOptions): Population {
    const classId = this.#heap.classOf(options.kind, options.site);
    let population = this.#byClass.get(classId);
    if (population === undefined) {
      population = new Population(this.#heap, options, this.#now());
      this.#byClass.set(classId, population);
    }
    return population;
  }

  /** Counts each population. O(populations). */
  count(): void {
    const now = this.#now();
    for (const population of this.#byClass.values()) population.count(now);
  }
}
