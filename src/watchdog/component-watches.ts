/**
 * The components that one watchdog watches, and the sweep. It runs while there is something to look at: a component, a running scope, or
 * an object that is expected to die.
 *
 * ```
 *   sweep, check ──▶ each component looks whether it is exhausted ──▶ rules judge the loans ──▶ rules judge other objects
 * ```
 */
import { applicationFrame, formatPosition } from '../core/call-site.js';
import { type Observation, observe, type Watchable } from '../core/probe.js';
import { runLater } from '../core/slices.js';
import { ComponentWatch } from './component-watch.js';
import type { Loan } from './loan.js';
import type { LoanTracker } from './loan-tracker.js';
import { RepeatingTimer } from './repeating-timer.js';
import type { RunningClock } from './running-clock.js';
import { sumByKey } from './sum-by-key.js';

/** Loans that are out, of one line. */
export interface LineOut {
  /** The position of the line, as `src/orders.ts:88:21`. */
  readonly line: string;
  readonly count: number;
}

export class ComponentWatches {
  readonly #tracker: LoanTracker;
  readonly #sweep: RepeatingTimer;
  readonly #clock: RunningClock;
  readonly #sweepIntervalMillis: number;
  readonly #watches = new Set<ComponentWatch>();
  readonly #continueLooking: () => void = () => this.#lookOn();
  /** The watches at which the sweep that is running has still to look. */
  #toLookAt: Iterator<ComponentWatch, undefined> | undefined = undefined;
  /** Ends the watch of a component that V8 has collected. */
  readonly #deaths: FinalizationRegistry<ComponentWatch>;

  constructor(tracker: LoanTracker, clock: RunningClock, sweepIntervalMillis: number) {
    this.#tracker = tracker;
    this.#clock = clock;
    this.#sweepIntervalMillis = sweepIntervalMillis;
    this.#sweep = new RepeatingTimer(clock, sweepIntervalMillis, () => this.#sweepOnce());
    this.#deaths = new FinalizationRegistry((watch) => this.end(watch));
    tracker.scopes.whenFirstOpens(() => this.beginSweep());
  }

  /** How many components there are. */
  get size(): number {
    return this.#watches.size;
  }

  /** How many loans are out. O(components). */
  get loansOut(): number {
    let loansOut = 0;
    for (const watch of this.#watches) loansOut += watch.loansOut;
    return loansOut;
  }

  /** How many loans of these components have begun that were not reported. O(components). */
  get unreportedLoans(): number {
    let loans = 0;
    for (const watch of this.#watches) loans += watch.unreportedLoans;
    return loans;
  }

  /** Begins to watch a component. `stack` is the caller that has it watched. */
  begin(component: Watchable, stack: string): ComponentWatch {
    const watch = new ComponentWatch(this.#tracker, (ended) => this.end(ended));
    let observation: Observation;
    try {
      observation = component[observe](watch);
      watch.attached(observation);
      watch.joinPopulation(stack);
    } catch (error) {
      watch.close();
      throw error;
    }
    this.#watches.add(watch);
    this.#deaths.register(observation, watch, watch);
    this.beginSweep();
    return watch;
  }

  /** Begins the sweep, if it does not run. It stops by itself when there is nothing to look at. O(1). */
  beginSweep(): void {
    if (!this.#tracker.rules.needsSweep) return;
    this.#sweep.start();
    this.#clock.readEvery(this.#sweepIntervalMillis);
  }

  /** Ends the watch of a component. Without effect if it has ended. */
  end(watch: ComponentWatch): void {
    if (!this.#watches.delete(watch)) return;
    this.#deaths.unregister(watch);
    watch.close();
    if (this.#isIdle) this.#stopSweep();
  }

  /** Ends the watches of all components, and the sweep. */
  endAll(): void {
    for (const watch of [...this.#watches]) this.end(watch);
    this.#stopSweep();
    this.#toLookAt = undefined;
  }

  /** Has the rules judge now. `isForced` says that a check has just had V8 collect. O(loans that are out). */
  judge(isForced: boolean): void {
    for (const watch of this.#withParts()) watch.look();
    this.#tracker.judgeAll();
    this.#tracker.judgeObjects(isForced);
  }

  /** The loans that are out and are not explained, by component: `still out: pool "db" ×2`. Empty if there are none. */
  describeStillOut(): string {
    const now = this.#tracker.now();
    const counts: string[] = [];
    for (const watch of this.#watches) {
      let count = 0;
      for (const loan of watch.loans()) {
        if (!this.#tracker.ledger.has(loan) && !isExplained(loan, now)) count++;
      }
      const direct = watch.stats()?.['takenDirectly'] ?? 0;
      const out = [
        ...(count > 0 ? [`×${count}`] : []),
        ...(watch.untrackedOut > 0 ? [`×${watch.untrackedOut} not tracked`] : []),
        ...(direct > 0 ? [`×${direct} taken directly`] : []),
      ];
      if (out.length > 0)
        counts.push(`${watch.kind} ${JSON.stringify(watch.name)} ${out.join(' and ')}`);
    }
    return counts.length === 0 ? '' : `still out: ${counts.join(', ')}`;
  }

  /**
   * How many loans are out that do not count as lost, by the lines that took them; the most numerous first. Loans without a stack are left
   * out. O(loans that are out).
   */
  linesOut(): LineOut[] {
    const { ledger, stacks } = this.#tracker;
    const lines: LineOut[] = [];
    for (const watch of this.#watches) {
      for (const loan of watch.loans()) {
        const frame = applicationFrame(stacks.parse(loan.origin.stack));
        if (frame !== undefined && !ledger.has(loan))
          lines.push({ line: formatPosition(frame), count: 1 });
      }
    }
    return sumByKey(lines, ({ line }) => line).sort((a, b) => b.count - a.count);
  }

  get #isIdle(): boolean {
    const { scopes, collections } = this.#tracker;
    return this.#watches.size === 0 && scopes.running === 0 && collections.expectations.size === 0;
  }

  #stopSweep(): void {
    this.#sweep.stop();
    this.#clock.readEvery(Number.POSITIVE_INFINITY);
  }

  #sweepOnce(): void {
    if (this.#isIdle) {
      this.#stopSweep();
      return;
    }
    this.#clock.now(); // The clock sees whether the process was stopped.
    this.#tracker.scopes.settleEnded();
    this.#tracker.scopes.settleAll();
    this.#tracker.collections.full.collectIfDue();
    if (this.#toLookAt !== undefined) return; // The last sweep has not ended.
    this.#toLookAt = this.#withParts();
    this.#lookOn();
  }

  /** Looks in slices, and then has the rules judge. */
  #lookOn(): void {
    while (this.#toLookAt !== undefined && this.#clock.hasTimeLeft()) {
      const { value: watch } = this.#toLookAt.next();
      if (watch !== undefined) watch.look();
      else {
        this.#toLookAt = undefined;
        this.#tracker.judgeInSlices();
        this.#tracker.judgeObjects(false);
      }
    }
    if (this.#toLookAt !== undefined) runLater(this.#continueLooking, undefined);
  }

  *#withParts(): Generator<ComponentWatch, undefined> {
    for (const watch of this.#watches) yield* watch.withParts();
  }
}

/**
 * Whether a loan is in use as far as is known: its scope is running, or its holder has said that it takes long. Those that were taken
 * from the pool underneath are counted apart.
 */
function isExplained(loan: Loan, now: number): boolean {
  const { scope, owner, isDirect } = loan.origin;
  if (isDirect === true) return true;
  return loan.expectedUntil > now || owner !== undefined || (scope !== undefined && !scope.ended);
}
