/**
 * Rule *tenured*: a loan that stays out while its neighbours come and go. A suspect is old by four measures. Each alone would
 * give false alarms:
 *
 * | measure | a loan is old if | alone, it would suspect |
 * |---|---|---|
 * | promotions | it is in the oldest generation of the simulated heap | each loan that is out for a minute |
 * | neighbours | many of them were lent, died young and came back since | every slow job of a busy service |
 * | activity | the heap has collected young generations since | every slow job of a quiet service |
 * | the clock | it is far older than its neighbours usually get | every loan in a burst of traffic |
 *
 * The neighbours of a loan are the loans of its site: of its line and the name of its scope. Other loans of the component say
 * little about it:
 *
 * | the loan | is compared with |
 * |---|---|
 * | has neighbours that came back since | them |
 * | is alone at its site, in a scope that runs | the scope: it is a suspect once the scope, and the connection of a request, has been idle for minutes |
 * | is alone, outside of scopes, and keeps other callers waiting | all loans of its component, once some thousand requests have come and gone |
 *
 * One of the first loans of a scope may be a cursor, beside which the scope takes others. So those are no neighbours of it. They are,
 * once 20 loans of the scope have come back: then it takes them in a loop.
 *
 * A loan is no suspect before it is twice as old as the oldest of its neighbours that have ever come back: a nightly job takes as long each
 * night.
 *
 * A touch counts like the begin of the loan. The next touch may take twice as long as the longest time between two of them.
 *
 * A lease on a shared value, a buffer and a stack keep no other caller waiting. Without neighbours that came back they are no suspects: a
 * process, or the scope of a connection, may hold them as long as it runs. A hundred buffers or stacks of one line are: the line takes
 * more and more.
 *
 * A loan that was handed over is no neighbour of those that their callers keep. Its neighbours are the loans of its line that were
 * handed over to a scope of the same name, or to the process. Without such neighbours, one of the process is no suspect.
 *
 * A loan that an entry, a value or a resource took while it was made is kept as long as that lives, and is no suspect. It is one when the
 * disposal of an entry or a value has taken minutes.
 *
 * While nothing at all comes back, the loans around it are as slow as it is, and it is no suspect.
 */
import { millis, numberAtLeast, option } from '../../core/options.js';
import type { Certainty } from '../certainty.js';
import type { HoldTimes } from '../hold-times.js';
import type { Loan } from '../loan.js';
import type { Readings } from '../readings.js';
import { holdAdvice, releaseAdvice } from './release-advice.js';
import type { Rule, RuleDefinition } from './rule.js';

/** Options of the rule *tenured*: when a loan is old. */
export interface TenuredOptions {
  /**
   * The age below which no loan is suspected, in milliseconds.
   *
   * @default 30_000
   */
  readonly minAgeMillis?: number;
  /**
   * The age below which no loan is suspected while fewer than 20 of its neighbours have come back, in milliseconds. Nothing is known
   * then about how long such loans take.
   *
   * @default 60_000
   */
  readonly minAgeUnknownMillis?: number;
  /**
   * How long the scope of a loan without neighbours has to be idle, in milliseconds: no loan is taken in it, no scope is opened in it, and
   * the connection of its request carries no byte.
   *
   * @default 240_000
   */
  readonly idleScopeMillis?: number;
  /**
   * How many times as old a loan has to be as the 99th percentile of the loans that it is compared with.
   *
   * @default 10
   */
  readonly factor?: number;
}

/** The generation of nodes that have survived two collections. */
const OLDEST_GENERATION = 2;

/** How many collections of young generations a loan without neighbours has to survive. */
const YOUNG_COLLECTIONS = 2;

/** How many neighbours have to come back since. */
const NEIGHBOURS = 20;

/** How many times as old a loan has to be as the oldest of its neighbours that have ever come back. */
const LONGEST_FACTOR = 2;

/** From this number on, the loans of one line are many, although they keep no caller waiting. */
const MANY = 100;

/** The thresholds of one watchdog. */
class TenuredRule implements Rule<'tenured'> {
  readonly name = 'tenured';
  readonly #options: Required<TenuredOptions>;
  readonly #readings: Readings;

  constructor(options: Required<TenuredOptions>, readings: Readings) {
    this.#options = options;
    this.#readings = readings;
  }

  judge(loan: Loan, now: number): Certainty | undefined {
    if (this.#readings.generationOf(loan) !== OLDEST_GENERATION) return undefined;
    const isOld = this.#readings.isKept(loan)
      ? this.#isLeftBehind(loan, now)
      : this.#isOld(loan, now);
    if (!isOld) return undefined;
    return loan.component.shortage.isExhausted ? 'probable' : 'suspect';
  }

  /** Whether the disposal of what keeps the loan takes as long as a scope may be idle. */
  #isLeftBehind({ origin: { owner } }: Loan, now: number): boolean {
    const since = owner?.endingSince ?? now;
    return now - since >= this.#options.idleScopeMillis;
  }

  #isOld(loan: Loan, now: number): boolean {
    const { site, component, origin, lastTouch } = loan;
    const touchedAt = lastTouch?.at ?? loan.lentAt; // A holder that has touched it lately is at work.
    const ageMillis = now - touchedAt;
    const longestMillis = Math.max(
      this.#readings.longestOf(loan),
      lastTouch?.longestGapMillis ?? 0,
    );
    if (ageMillis < LONGEST_FACTOR * longestMillis) return false;
    const neighbours = this.#readings.neighboursSince(loan) - this.#readings.nestedSince(loan);
    if (site !== undefined && neighbours >= NEIGHBOURS) {
      return ageMillis >= this.#oldMillis(site.holdTimes);
    }
    if (this.#readings.returnsSince(loan) === 0) return false;
    if (this.#readings.youngCollectionsSince(loan) < YOUNG_COLLECTIONS) return false;
    if (component.lendsShared) return false; // It keeps no other caller waiting, and no neighbour says how long such a lease lasts.
    if (loan.isOfProcess) return false; // Its caller has said that the process holds it.
    const running = origin.scope?.ended === false ? origin.scope : undefined;
    const isInScope = running !== undefined;
    if (component.isUnlimited && (isInScope || this.#readings.outAtSite(loan) < MANY)) return false;
    if (isInScope) {
      running.lookAtConnection(now);
      return now - Math.max(running.activeAt, touchedAt) >= this.#options.idleScopeMillis;
    }
    return ageMillis >= this.#oldMillis(component.holdTimes);
  }

  #oldMillis(holdTimes: HoldTimes): number {
    const { minAgeMillis, minAgeUnknownMillis, factor } = this.#options;
    const unusualMillis = holdTimes.unusualMillis(factor);
    return unusualMillis === undefined
      ? minAgeUnknownMillis
      : Math.max(minAgeMillis, unusualMillis);
  }
}

/** The rule *tenured*. */
export const tenured: RuleDefinition<'tenured', TenuredOptions> = {
  options: {
    minAgeMillis: option(millis, 30_000),
    minAgeUnknownMillis: option(millis, 60_000),
    idleScopeMillis: option(millis, 240_000),
    factor: option(numberAtLeast(1), 10),
  },
  evidence: 'promoted while loans around it died young',
  whatHappened: () => 'still out long after the loans around it came back',
  fix: (loan) => `${releaseAdvice(loan)}${holdAdvice(loan)}`,
  create: (options, readings) => new TenuredRule(options, readings),
};
