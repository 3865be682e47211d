/**
 * The loans that the rules have found to be lost, grouped by rule, component, line and certainty. A loan counts in one group at
 * most, so one mistake is never counted as several:
 *
 * | what happens to a counted loan | the ledger |
 * |---|---|
 * | a rule further up the list of rules finds it | moves it to a group of that rule |
 * | a rule further down the list finds it | makes the loan as sure as that rule is |
 * | its rule judges it again | makes the loan as sure as the rule is now, or removes it; a certain loan stays certain |
 * | it comes back | removes it, and emits `retracted` if its loss was told |
 * | its component takes it back by force | counts it on: the holder did not release it |
 *
 * A loan that is certain is told of at once, any other after the grace. V8 proves losses one after the other in one task: those of one
 * leak are told by one event at its end.
 */
import { applicationFrame, type Frame, formatPosition } from '../core/call-site.js';
import type { Clock } from '../core/clock.js';
import { ConditionWaits } from '../core/condition-waits.js';
import type { EventListeners } from '../core/event-listeners.js';
import { SETTLED } from '../core/settled.js';
import { type Certainty, isSurer, surerOf } from './certainty.js';
import { Grace } from './grace.js';
import { JoinedLeaks } from './joined-leaks.js';
import { LeakGroup, type LostLoan, placeOf } from './leak-group.js';
import { LeakGroups } from './leak-groups.js';
import { isMinified, type LeakReport } from './leak-report.js';
import { signatureOf } from './leak-signature.js';
import type { Loan } from './loan.js';
import { ParsedStacks } from './parsed-stacks.js';
import { type LeakRule, precedes, RULES } from './rules/rules.js';
import type { WatchdogSettings } from './watchdog-options.js';

/** The events of a ledger, each with a report of the leak that has changed. */
export interface LedgerEvents {
  /** A leak was found, its count has doubled, or the watchdog has become surer of it. */
  readonly leak: LeakReport;
  /** A loan whose loss was told came back. */
  readonly retracted: LeakReport;
}

/** The leaks of one watchdog. */
export class LeakLedger {
  readonly #groups = new LeakGroups();
  readonly #lostLoans = new Map<Loan, LostLoan>();
  readonly #grace: Grace;
  readonly #stacks = new ParsedStacks();
  /** The leaks to announce when V8 has named the leases that it has collected. */
  readonly #toAnnounce = new Set<LeakGroup>();
  readonly #maxGroups: number;
  readonly #suppressed: ReadonlySet<string>;
  readonly #clock: Clock;
  readonly #listeners: EventListeners<LedgerEvents>;
  /** Checks that wait until no loan counts as lost. */
  readonly #waits: ConditionWaits;
  #reclaimed = 0;
  #retracted = 0;
  #unreported = 0;
  #closed = false;

  /**
   * Reports at most `maxRecords` leaks: those that were found or have grown last. Leaks with a signature in `suppress` are not
   * reported either. The loans of both are counted.
   */
  constructor(
    {
      maxRecords,
      graceMillis,
      suppress,
    }: Pick<WatchdogSettings, 'graceMillis' | 'maxRecords' | 'suppress'>,
    clock: Clock,
    listeners: EventListeners<LedgerEvents>,
  ) {
    this.#maxGroups = maxRecords;
    this.#suppressed = new Set(suppress);
    this.#clock = clock;
    this.#listeners = listeners;
    this.#grace = new Grace(graceMillis, clock, (due) => this.#tellOfAll(due));
    this.#waits = new ConditionWaits(clock);
  }

  /** How many loans count as lost, without those of suppressed leaks. O(leaks) if some are suppressed. */
  get lost(): number {
    const suppressed = this.#countSuppressed((group) => RULES[group.rule].misuse === undefined);
    return this.#lostLoans.size + this.#reclaimed - suppressed;
  }

  /** How many loans are lost, or were ended twice, in suppressed leaks. O(leaks) if some are suppressed. */
  get suppressed(): number {
    return this.#countSuppressed(() => true);
  }

  /** How many loans count as lost and are in no report, because there are too many leaks. */
  get unreported(): number {
    return this.#unreported;
  }

  /** How many loans came back after their loss was told. */
  get retracted(): number {
    return this.#retracted;
  }

  /**
   * Resolves when no loan that `isMeant` accepts counts as lost, those of suppressed leaks left out; when `graceMillis` are over; or when
   * the ledger is closed.
   */
  async untilNoneLost(graceMillis: number, isMeant: (loan: Loan) => boolean): Promise<void> {
    await this.#waits.until(() => this.#closed || this.#isNoneLost(isMeant), graceMillis);
  }

  #isNoneLost(isMeant: (loan: Loan) => boolean): boolean {
    if (this.#suppressed.size > 0) this.#group();
    const leaks = this.#joined();
    for (const { loan, group } of this.#lostLoans.values()) {
      if (isMeant(loan) && (group === null || !leaks.isSuppressed(group))) return false;
    }
    return true;
  }

  /** Ends all waits. The reports stay. */
  close(): void {
    this.#closed = true;
    this.#announceAll();
    this.#group();
    this.#grace.close();
    this.#waits.check();
  }

  /** Reports each leak, the most numerous first, with the loans whose grace is not over. O(loans + leaks · log leaks). */
  reports(): LeakReport[] {
    this.#announceAll();
    this.#group();
    return this.#joined().reports(this.#clock.now());
  }

  /** Reports the lost loans that `isMeant` accepts, as if there were no others. O(lost loans). */
  reportsOf(isMeant: (loan: Loan) => boolean): LeakReport[] {
    const groups = new LeakGroups();
    for (const lost of this.#lostLoans.values()) {
      const { loan } = lost;
      if (!isMeant(loan) || !loan.component.confirmsOut(loan)) continue;
      const { stack, ...identity } = this.#identify(lost);
      const known = groups.get(identity.place, lost.rule, lost.certainty);
      const group = known ?? new LeakGroup(identity, lost);
      group.add(lost, stack);
      groups.add(group);
    }
    return this.#joined(groups).reports(this.#clock.now());
  }

  /** Whether a loan counts as lost. O(1). */
  has(loan: Loan): boolean {
    return this.#lostLoans.has(loan);
  }

  /** Gives the rule under which a loan counts as lost, if it does. O(1). */
  ruleOf(loan: Loan): LeakRule | undefined {
    return this.#lostLoans.get(loan)?.rule;
  }

  /** Counts a loan that a rule has found to be lost at `foundAt`, or finds again. O(1). */
  record(rule: LeakRule, certainty: Certainty, loan: Loan, foundAt: number): void {
    let lost = this.#lostLoans.get(loan);
    if (lost === undefined) {
      lost = { loan, foundAt, rule, certainty, group: null, toldAs: undefined };
      this.#lostLoans.set(loan, lost);
    } else if (!this.#judgedAnew(lost, rule, certainty)) return;
    const isCertain = lost.certainty === 'certain';
    if (!isCertain && lost.toldAs === undefined && this.#grace.millis > 0) {
      this.#grace.add(lost);
      return;
    }
    this.#grace.delete(lost);
    if (isCertain) this.#tellSoon(lost);
    else this.#tell(lost);
  }

  /** Counts a mistake with a loan that had ended. It stays counted, and counts as no lost loan. O(1). */
  noteMisuse(rule: LeakRule, loan: Loan): void {
    const lost: LostLoan = {
      loan,
      foundAt: this.#clock.now(),
      rule,
      certainty: 'certain',
      group: null,
      toldAs: undefined,
    };
    this.#enter(lost).reclaim(lost);
    this.#tell(lost);
  }

  /** Stops counting a loan that came back, or that its rule no longer finds to be lost. O(1). */
  retract(loan: Loan): void {
    const lost = this.#lostLoans.get(loan);
    if (lost === undefined) return;
    if (lost.toldAs !== undefined) this.#announceAll();
    this.#lostLoans.delete(loan);
    this.#grace.delete(lost);
    const { group } = lost;
    const isTold = lost.toldAs !== undefined && group !== null;
    const isHeard = isTold && this.#listeners.has('retracted');
    const representative = isHeard ? this.#joined().representativeOf(group) : null;
    this.#leave(lost);
    if (isTold) this.#retracted++;
    this.#emit('retracted', representative);
    this.#waits.check();
  }

  /** Forgets the record of a loan that its component took back by force; it stays counted. O(1). */
  reclaimed(loan: Loan): void {
    const lost = this.#lostLoans.get(loan);
    if (lost === undefined) return;
    this.#lostLoans.delete(loan);
    this.#grace.delete(lost);
    this.#reclaimed++;
    if (lost.group === null) this.#enter(lost);
    lost.group?.reclaim(lost);
    this.#tell(lost);
  }

  /** Changes what is known of a lost loan by a further verdict. False if that changes nothing. */
  #judgedAnew(lost: LostLoan, rule: LeakRule, found: Certainty): boolean {
    const isFurtherUp = precedes(lost.rule, rule);
    const isRejudged = lost.rule === rule && lost.certainty !== 'certain';
    const certainty = isRejudged ? found : surerOf(lost.certainty, found);
    const counted = isFurtherUp ? lost.rule : rule;
    const hasNewLine = lost.group?.line === '' && lost.loan.origin.stack !== undefined;
    if (counted === lost.rule && certainty === lost.certainty && !hasNewLine) return false;
    const { group } = lost;
    this.#leave(lost);
    lost.rule = counted;
    lost.certainty = certainty;
    if (group === null) return true;
    const entered = this.#enter(lost);
    if (lost.toldAs !== undefined) entered.takeOver(group);
    return true;
  }

  /** Tells the listeners of a lost loan, if they do not know that the watchdog is so sure of it. */
  #tell(lost: LostLoan): void {
    this.#announce(this.#countTold(lost));
  }

  /** Tells the listeners of a lost loan when the present task has found all that it finds. */
  #tellSoon(lost: LostLoan): void {
    const group = this.#countTold(lost);
    if (group === null) return;
    if (this.#toAnnounce.size === 0) void SETTLED.then(() => this.#announceAll());
    this.#toAnnounce.add(group);
  }

  /** Tells the listeners of lost loans, of each leak once. */
  #tellOfAll(due: readonly LostLoan[]): void {
    for (const lost of due) {
      if (this.#lostLoans.get(lost.loan) === lost) this.#tellSoon(lost); // Else it has come back meanwhile.
    }
    this.#announceAll();
  }

  /** Counts a lost loan as told, and gives its leak; `null` if the listeners know that the watchdog is so sure of it. */
  #countTold(lost: LostLoan): LeakGroup | null {
    if (lost.toldAs === undefined && !lost.loan.component.confirmsOut(lost.loan)) return null;
    if (lost.group === null) this.#enter(lost);
    const { group, toldAs, certainty } = lost;
    if (toldAs !== undefined && !isSurer(certainty, toldAs)) return null;
    lost.toldAs = certainty;
    if (toldAs === undefined) group?.noteTold();
    return group;
  }

  #announceAll(): void {
    for (const group of this.#toAnnounce) {
      this.#toAnnounce.delete(group);
      this.#announce(group);
    }
  }

  /**
   * Tells the listeners of a group, if the count of its leak has doubled since they heard of it. Loans that are less sure do not count.
   * Nor does, for a group with a line, what they heard without one. O(groups).
   */
  #announce(group: LeakGroup | null): void {
    if (group === null || group.verdicts === 0) return;
    const leaks = this.#joined();
    const leak = leaks.of(group);
    let told = 0;
    let announced = 0;
    for (const other of leak) {
      if (isSurer(group.certainty, other.certainty)) continue;
      told += other.telling.told;
      if (group.line === '' || other.line !== '') {
        announced = Math.max(announced, other.telling.announced);
      }
    }
    if (told < 2 * announced) return;
    for (const other of leak) {
      if (other.certainty === group.certainty) other.noteAnnounced(told);
    }
    this.#emit('leak', group, leaks);
  }

  /** Puts the loans whose grace is not over into the groups, for a report. They are not told of. */
  #group(): void {
    for (const lost of this.#grace) if (lost.group === null) this.#enter(lost);
  }

  /** The leaks of the present groups, or of others. */
  #joined(groups: LeakGroups = this.#groups): JoinedLeaks {
    return new JoinedLeaks(groups, this.#suppressed);
  }

  /** Gives what the group of a lost loan is made of. */
  #identify({ rule, loan }: LostLoan) {
    const stack = this.#stacks.parse(loan.origin.stack);
    const site = applicationFrame(stack);
    const { isDirect } = loan.origin;
    const signature = signatureOf(rule, loan.component, site, isDirect);
    const line = lineOf(site);
    const place = placeOf(loan.component, line, isDirect);
    return { place, signature, line, site, stack };
  }

  #enter(lost: LostLoan): LeakGroup {
    const { loan } = lost;
    const { stack, ...identity } = this.#identify(lost);
    let group = this.#groups.get(identity.place, lost.rule, lost.certainty);
    if (group === undefined) {
      if (this.#groups.size >= this.#maxGroups) this.#makeRoom();
      group = new LeakGroup(identity, lost);
    }
    group.add(lost, stack);
    this.#groups.add(group); // The leak that has grown last stands last.
    lost.group = group;
    if (stack.length === 0 && loan.origin.isDirect !== true) loan.component.captureNextStacks();
    return group;
  }

  #leave(lost: LostLoan): void {
    const { group } = lost;
    if (group === null) return;
    lost.group = null;
    group.remove(lost);
    if (group.isUnreported) this.#unreported--;
    else if (group.verdicts === 0) this.#groups.delete(group);
  }

  /** Builds the report only if a listener wants it: a leaky service may lose thousands of loans a second. */
  #emit(
    event: keyof LedgerEvents,
    group: LeakGroup | null,
    leaks: JoinedLeaks = this.#joined(),
  ): void {
    if (group === null || !this.#listeners.has(event)) return;
    if (leaks.isSuppressed(group)) return;
    this.#listeners.emit(event, leaks.reportOf(leaks.representativeOf(group), this.#clock.now()));
  }

  #countSuppressed(which: (group: LeakGroup) => boolean): number {
    let count = 0;
    if (this.#suppressed.size === 0) return count;
    const leaks = this.#joined();
    for (const group of this.#groups) {
      if (leaks.isSuppressed(group) && which(group)) count += group.verdicts;
    }
    return count;
  }

  /** Stops reporting the leak that has not grown for the longest time. */
  #makeRoom(): void {
    const [oldest] = this.#groups;
    if (oldest === undefined) return;
    this.#groups.delete(oldest);
    oldest.isUnreported = true;
    this.#unreported += oldest.verdicts;
  }
}

/** Gives what the loans of one line share; empty if it is not known. Calls of one function on one line are told together. */
function lineOf(site: Frame | undefined): string {
  if (site === undefined) return '';
  return isMinified(site) ? formatPosition(site) : `${site.file}:${site.line} ${site.functionName}`;
}
