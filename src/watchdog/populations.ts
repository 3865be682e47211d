/**
 * Populations: the live objects of one class, counted at each full collection of the simulated heap. A class is a kind of one
 * component: the entries of a cache, the pools of one name, the scopes of one route. A population that only rises is a leak of its
 * own kind, in which no single object is lost.
 *
 * A full collection has removed what the model knows to be dead. V8's collector tells later which weakly held objects are dead, so a
 * count of those is uncertain at first:
 *
 * ```
 *   full collection       V8 tells of the dead
 *     count ── uncertain ────┼── few have died since the count: it is kept
 *                            ├── many have: they may have been dead already, so the count is dropped
 *                            └── what is left is counted anew
 * ```
 */
import type { ComponentStats } from '../core/probe.js';
import type { BaseHeap } from '../gc/base-heap.js';
import type { ClassCounts } from '../gc/memory/census.js';
import { type CallOrigin, NO_ORIGIN } from './call-origin.js';
import { countsOf, total } from './class-counts.js';
import { type Count, CountSeries, MINUTES, SCALES, type Scale } from './count-series.js';
import { HighWater } from './high-water.js';
import { ledgerRecord } from './ledger-record.js';
import type { Loan, LoanSource, Members } from './loan.js';

/** The age from which on a scope counts: it runs for long, in milliseconds. */
export const OLD_MILLIS = 300_000;

/** The share of weakly held objects that may have died since a count that is kept. */
const FEW_DEATHS = 0.05;

/** What is known of a population. */
export interface PopulationOptions {
  /** The kind of the objects in the simulated heap. */
  readonly kind: string;
  /** Their site in the simulated heap. */
  readonly site: string;
  /** Whether V8 decides when they die. */
  readonly isWeak: boolean;
  /**
   * Whether only those count that are {@link OLD_MILLIS} old. Short ones are as many as the traffic of the moment has it, and those of a
   * leak grow old.
   *
   * @default false
   */
  readonly countsOld?: boolean;
  /** A component of these objects. The first one is that which a report names. */
  readonly component: LoanSource;
}

/** One population. */
export class Population implements Members {
  readonly kind: string;
  readonly site: string;
  readonly isWeak: boolean;
  /** The age from which on members count, in milliseconds. */
  readonly ageMillis: number;
  readonly component: LoanSource;
  /** What stands for the population in the ledger. */
  readonly loan: Loan;
  readonly #heap: BaseHeap;
  /** The components that have members. */
  readonly owners: Set<LoanSource> = new Set();
  #latest: LoanSource;
  /** Their class in the simulated heap. */
  readonly classId: number;
  readonly #incomplete: ReadonlyMap<string, number>;
  readonly #highWater = new HighWater();
  #oldLive = 0;
  #oldFreed = 0;
  readonly #series = new Map(SCALES.map((scale) => [scale, new CountSeries(scale)]));
  readonly #minutes = this.#series.get(MINUTES) as CountSeries;
  /** The counts of weakly held objects since V8 has told of the dead. */
  #uncertain: Count[] = [];
  /** How many members have ended that the heap still has: they count as dead. */
  leaving = 0;
  /** The scale of time on which their number rises, if it does. */
  risesBy: Scale = MINUTES;

  /** `incomplete` has the sites of components whose members are not all reported. */
  constructor(
    heap: BaseHeap,
    { kind, site, isWeak, countsOld = false, component }: PopulationOptions,
    now: number,
    incomplete: ReadonlyMap<string, number>,
  ) {
    this.#heap = heap;
    this.#incomplete = incomplete;
    this.kind = kind;
    this.site = site;
    this.isWeak = isWeak;
    this.ageMillis = countsOld ? OLD_MILLIS : 0;
    this.component = component;
    this.#latest = component;
    this.classId = heap.classOf(kind, site);
    this.loan = ledgerRecord(component, now);
    this.loan.population = this;
  }

  /** Takes note of the caller that has made a member. */
  madeBy(origin: CallOrigin): void {
    this.loan.origin = { ...NO_ORIGIN, stack: origin.stack };
  }

  /** A component has been seen that is one of the members, or has some. O(1). */
  seen(component: LoanSource): void {
    this.#latest = component;
  }

  /** Gives the figures of the component that was seen last. */
  stats(): ComponentStats | undefined {
    return this.#latest.stats();
  }

  /** Whether a component has members that it has not reported yet: their number rises and says nothing. O(1). */
  get isIncomplete(): boolean {
    return this.#incomplete.has(this.site);
  }

  /** How many members live. O(1). */
  get live(): number {
    return total(this.#counts().live) - this.leaving;
  }

  /** How many members were born. O(1). */
  get born(): number {
    return this.#counts().born;
  }

  /** A member is as old as those that count. O(1). */
  grewOld(): void {
    this.#oldLive++;
  }

  /** One of the old members has gone. O(1). */
  oldEnded(): void {
    this.#oldLive--;
    this.#oldFreed++;
  }

  /** Counts the members, at the end of a full collection. Without effect while members are not reported. O(1). */
  count(now: number): void {
    if (this.isIncomplete) return;
    const last = (this.isWeak ? this.#uncertain : this.#minutes.counts).at(-1);
    if (last !== undefined && now - last.at < MINUTES.everyMillis) return;
    if (this.isWeak) this.#addUncertain(this.#countNow(now));
    else this.#keep(this.#countNow(now));
  }

  /** V8 has told of all dead objects: decides about the uncertain counts, and counts anew. */
  deathsTold(now: number): void {
    if (!this.isWeak || this.isIncomplete) return;
    const current = this.#countNow(now);
    for (const count of this.#uncertain) {
      const isKept = current.freed - count.freed <= FEW_DEATHS * count.live;
      if (isKept && now - count.at >= MINUTES.everyMillis) this.#keep(count);
    }
    this.#uncertain = [];
    const beforeLast = this.#minutes.counts.at(-2);
    if (beforeLast !== undefined && now - beforeLast.at < MINUTES.everyMillis) {
      this.#minutes.removeLast();
    }
    this.#keep(current);
  }

  /** The counts on a scale of time, the oldest first. Uncertain ones are left out. */
  countedBy(scale: Scale): readonly Count[] {
    return (this.#series.get(scale) as CountSeries).counts;
  }

  /** These counts, with the uncertain ones. */
  withUncertain(scale: Scale): readonly Count[] {
    return [...this.countedBy(scale), ...this.#uncertain];
  }

  /** Whether their number has fallen from an earlier peak, and has not passed it since. O(1). */
  get isBelowPeak(): boolean {
    return this.#highWater.isBelow;
  }

  /** The live members on the scale on which they rise, the oldest first. */
  counts(): number[] {
    return this.countedBy(this.risesBy).map(({ live }) => live);
  }

  get countsEveryMillis(): number {
    return this.risesBy.everyMillis;
  }

  #addUncertain(count: Count): void {
    this.#uncertain.push(count);
    if (this.#uncertain.length > MINUTES.kept) this.#uncertain.shift();
  }

  #keep(count: Count): void {
    for (const series of this.#series.values()) series.add(count);
    this.#highWater.note(count.live, count.at);
  }

  #countNow(now: number): Count {
    if (this.ageMillis > 0) return { at: now, live: this.#oldLive, freed: this.#oldFreed };
    return { at: now, live: this.live, freed: this.#freed() };
  }

  #freed(): number {
    return total(this.#counts().freed) + this.leaving;
  }

  #counts(): ClassCounts {
    return countsOf(this.#heap, this.classId);
  }
}

/** The populations of one watchdog. */
export class Populations implements Iterable<Population> {
  readonly #heap: BaseHeap;
  readonly #now: () => number;
  readonly #byClass = new Map<number, Population>();
  /** How many components of a site have members that they have not reported yet. */
  readonly #incomplete = new Map<string, number>();

  constructor(heap: BaseHeap, now: () => number) {
    this.#heap = heap;
    this.#now = now;
  }

  [Symbol.iterator](): Iterator<Population> {
    return this.#byClass.values();
  }

  /** Gives the population of a class. O(1). */
  of(options: PopulationOptions): Population {
    const classId = this.#heap.classOf(options.kind, options.site);
    let population = this.#byClass.get(classId);
    if (population === undefined) {
      population = new Population(this.#heap, options, this.#now(), this.#incomplete);
      this.#byClass.set(classId, population);
    }
    population.seen(options.component);
    return population;
  }

  /** A component of this site begins to report the members that it has already. */
  reportBegins(site: string): void {
    this.#incomplete.set(site, (this.#incomplete.get(site) ?? 0) + 1);
  }

  /** It has reported all of them. */
  reportEnds(site: string): void {
    const left = (this.#incomplete.get(site) ?? 0) - 1;
    if (left > 0) this.#incomplete.set(site, left);
    else this.#incomplete.delete(site);
  }

  /** Counts each population. O(populations). */
  count(): void {
    const now = this.#now();
    for (const population of this.#byClass.values()) population.count(now);
  }

  /** V8 has told of all dead objects. O(populations). */
  deathsTold(): void {
    const now = this.#now();
    for (const population of this.#byClass.values()) population.deathsTold(now);
  }
}
