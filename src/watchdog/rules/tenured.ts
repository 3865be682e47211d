/**
 * Rule *tenured*: a loan that lives on while its neighbours come and go. It has to be old in two ways: by *activity*, it
 * has survived two collections of the simulated heap and reached the oldest generation, which takes some thousand
 * requests and births around it; and by the *clock*, it is far older than loans of its component ever are. A slow job on a
 * quiet service is old by the clock alone, a burst of traffic makes loans old by activity alone; neither is suspected.
 */
import type { HoldTimes } from '../hold-times.js';
import type { LifetimeGraph } from '../lifetime-graph.js';
import type { Loan } from '../loan.js';

/** When a loan is old by the clock. */
export interface TenuredOptions {
  /**
   * No loan younger than this, in milliseconds, is suspected.
   *
   * @defaultValue 30_000
   */
  readonly minAgeMillis?: number;
  /**
   * The same while fewer than 20 loans of the component have been returned, so that nothing is known of how long they
   * take.
   *
   * @defaultValue 60_000
   */
  readonly minAgeUnknownMillis?: number;
  /**
   * A loan must be this many times as old as the 99th percentile of its component's returned loans.
   *
   * @defaultValue 10
   */
  readonly factor?: number;
}

/** Returned loans below which their percentile says nothing. */
const ENOUGH_SAMPLES = 20;

/** The generation that long-lived nodes end up in. */
const OLDEST_GENERATION = 2;

export class TenuredRule {
  readonly #graph: LifetimeGraph;
  readonly #minAge: number;
  readonly #minAgeUnknown: number;
  readonly #factor: number;

  constructor(graph: LifetimeGraph, options: TenuredOptions) {
    this.#graph = graph;
    this.#minAge = options.minAgeMillis ?? 30_000;
    this.#minAgeUnknown = options.minAgeUnknownMillis ?? 60_000;
    this.#factor = options.factor ?? 10;
  }

  suspects(loan: Loan, now: number): boolean {
    return (
      loan.node !== null &&
      now >= loan.expectedUntil &&
      now - loan.lentAt >= this.#threshold(loan.component.holdTimes) &&
      this.#graph.heap.generation(loan.node.handle) === OLDEST_GENERATION
    );
  }

  #threshold(holdTimes: HoldTimes): number {
    return holdTimes.count < ENOUGH_SAMPLES
      ? this.#minAgeUnknown
      : Math.max(this.#minAge, this.#factor * holdTimes.percentile(0.99));
  }
}
