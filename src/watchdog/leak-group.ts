/** The loans that one line has lost, as far as one rule has found them and the watchdog is equally sure of them. */
import {
  applicationFrame,
  type Frame,
  formatPosition,
  isApplicationFrame,
  parseFrames,
} from '../core/call-site.js';
import { BoundedCounts, type CountedKey } from './bounded-counts.js';
import type { Certainty } from './certainty.js';
import type { CountedSite, LeakReport } from './leak-report.js';
import type { Loan, LoanSource } from './loan.js';
import { type LeakRule, LOAN_RULES, RULES } from './rules/rules.js';
import { withoutIds } from './scope-name.js';
import { sumByKey } from './sum-by-key.js';

/** How many different stacks, scopes and untracked loans are listed one by one. */
export const MAX_LISTED = 32;

export const MILLIS_PER_MINUTE = 60_000;

/** How many callers above the acquiring line are counted. */
const CALLERS = 5;

/** A loan that counts as lost. */
export interface LostLoan {
  readonly loan: Loan;
  /** When a rule first found it, on the watchdog's clock, in milliseconds. */
  readonly foundAt: number;
  /** The rule under which it counts. */
  rule: LeakRule;
  /** How sure the watchdog is of this loan. */
  certainty: Certainty;
  /** The leak that it is part of; `null` until a listener or a check has to be told of it. */
  group: LeakGroup | null;
  /** How sure the watchdog was when it told its listeners; `undefined` while they do not know of the loan. */
  toldAs: Certainty | undefined;
}

/** Where a loan is counted in the lists of its group. */
interface ListEntries {
  readonly stack: CountedKey<readonly Frame[]> | undefined;
  readonly scope: CountedKey<undefined> | undefined;
  readonly origin: CountedKey<string> | undefined;
}

/** Gives where loans were lost: of which component, and at which line. `line` is empty if it is not known. */
export function placeOf(
  { kind, name }: Pick<LoanSource, 'kind' | 'name'>,
  line: string,
  isDirect: boolean = false,
): string {
  return JSON.stringify([kind, name, isDirect, line]);
}

/** Gives the key of a group in the ledger. */
export function groupKey(place: string, rule: LeakRule, certainty: Certainty): string {
  return `${rule} ${certainty} ${place}`;
}

/** A group of losses. Those of several groups may be one leak. */
export class LeakGroup {
  readonly rule: LeakRule;
  readonly certainty: Certainty;
  /** Identifies it in the ledger. */
  readonly key: string;
  /** The component, and the line that took its loans. */
  readonly place: string;
  /** The place of the losses without a line of its component. */
  readonly placeWithoutLine: string;
  /** Identifies the leak in every run, if it has no other group. */
  readonly signature: string;
  /** The line that took its loans; empty if it is not known. */
  readonly line: string;
  /** The frame of that line. */
  readonly site: Frame | undefined;
  /** Whether it has given its place to a newer leak: its loans are counted, and not reported. */
  isUnreported = false;
  readonly #loans = new Map<LostLoan, ListEntries>();
  readonly #stacks = new BoundedCounts<readonly Frame[]>(MAX_LISTED);
  readonly #scopes = new BoundedCounts<undefined>(MAX_LISTED);
  /** The origins of its loans: which function lent them, and in which scope. Each with the function. */
  readonly #origins = new BoundedCounts<string>(MAX_LISTED);
  /** How many loans their component took back by force. They stay counted, since their holder can no longer return them. */
  #reclaimed = 0;
  #latest: Loan;
  #firstFoundAt: number;
  #lastFoundAt: number;
  /** How many loans were found to be lost, those that have come back included. */
  #found = 0;
  /** How many of its loans were told of. */
  #told = 0;
  /** How many of them a listener heard of last. */
  #announced = 0;

  constructor(
    { place, signature, line, site }: Pick<LeakGroup, 'place' | 'signature' | 'line' | 'site'>,
    { rule, certainty, loan, foundAt }: LostLoan,
  ) {
    this.rule = rule;
    this.certainty = certainty;
    this.key = groupKey(place, rule, certainty);
    this.place = place;
    this.placeWithoutLine = placeOf(loan.component, '', loan.origin.isDirect);
    this.signature = signature;
    this.line = line;
    this.site = site;
    this.#latest = loan;
    this.#firstFoundAt = foundAt;
    this.#lastFoundAt = foundAt;
  }

  /** How many verdicts count: one for each loan that is lost and has not come back, and one for a population. */
  get verdicts(): number {
    return this.#loans.size + this.#reclaimed;
  }

  /** How many loans are lost in this way and have not come back, or how many objects live in a population. */
  get count(): number {
    return this.#latest.population?.live ?? this.verdicts;
  }

  /** Whether its members are lost loans: neither misuses nor a population. */
  get isOfLoans(): boolean {
    return LOAN_RULES.includes(this.rule);
  }

  /** Counts a loan with the stack that took it. O(1). */
  add(lost: LostLoan, stack: readonly Frame[]): void {
    const { loan, foundAt } = lost;
    const { scope } = loan.origin;
    this.#loans.set(lost, {
      stack: this.#stacks.add(loan.origin.stack ?? '', stack),
      scope: scope && this.#scopes.add(withoutIds(scope.path), undefined),
      origin: this.#origins.add(originOf(loan), loan.origin.call.name),
    });
    this.#found++;
    this.#latest = loan;
    this.#firstFoundAt = Math.min(this.#firstFoundAt, foundAt);
    this.#lastFoundAt = Math.max(this.#lastFoundAt, foundAt);
  }

  /** Stops counting a loan that came back or moves to another group. O(1). */
  remove(lost: LostLoan): void {
    const entries = this.#loans.get(lost);
    if (entries === undefined) return;
    this.#loans.delete(lost);
    this.#stacks.remove(entries.stack);
    if (lost.loan.origin.scope !== undefined) this.#scopes.remove(entries.scope);
    this.#origins.remove(entries.origin);
  }

  /** Forgets a loan's record, and counts it on. O(1). */
  reclaim(lost: LostLoan): void {
    if (this.#loans.delete(lost)) this.#reclaimed++;
  }

  /** Counts a loan that is told of. O(1). */
  noteTold(): void {
    this.#told++;
  }

  /** `told`: how many of its loans were told of. `announced`: how many of the whole leak a listener heard of last. O(1). */
  get telling(): { readonly told: number; readonly announced: number } {
    return { told: this.#told, announced: this.#announced };
  }

  /** A listener hears of `told` loans of the leak. O(1). */
  noteAnnounced(told: number): void {
    this.#announced = told;
  }

  /**
   * Counts a loan as told that was told of in another group, and has moved here. What listeners heard of the same line and certainty
   * need not be repeated. O(1).
   */
  takeOver(from: LeakGroup): void {
    from.#told--;
    this.#told++;
    if (from.certainty === this.certainty && from.line === this.line) {
      this.#announced = Math.max(this.#announced, from.#announced);
    }
  }

  /** Whether its loans may belong to a leak with a line: they have none, and their origins are known. O(1). */
  get canJoin(): boolean {
    const { population, origin } = this.#latest;
    const isLent = population === undefined && origin.isDirect !== true;
    return isLent && this.line === '' && this.#origins.unlisted === 0;
  }

  /** Whether a loan of this group and one of another group may be of one line: component and origin are the same. O(origins). */
  isLike(other: LeakGroup): boolean {
    return this.#isOfComponentOf(other) && this.#origins.shares(other.#origins);
  }

  /** Whether a loan of this group and one of another group were lent by the same function of one component. O(origins). */
  isLentLike(other: LeakGroup): boolean {
    const calls = new Set(other.#origins.list().map(({ value }) => value));
    return (
      this.#isOfComponentOf(other) && this.#origins.list().some(({ value }) => calls.has(value))
    );
  }

  /** Whether each of its loans has an origin that one of these groups has. O(groups · origins). */
  isCoveredBy(groups: readonly LeakGroup[]): boolean {
    return this.#origins.list().every(({ key }) => groups.some((group) => group.#origins.has(key)));
  }

  #isOfComponentOf(other: LeakGroup): boolean {
    const [mine, its] = [this.#latest.component, other.#latest.component];
    return mine.kind === its.kind && mine.name === its.name;
  }

  /** Reports the leak as it is at `now`, in milliseconds. O(loans). */
  report(now: number): LeakReport {
    const { component, origin, lastTouch } = this.#latest;
    const stacks = this.#stacks.list();
    const scopes = this.#scopes.list();
    const stack = stacks[0]?.value ?? [];
    const site = applicationFrame(stack);
    const earlier = applicationFrame(parseFrames(origin.earlier ?? ''));
    const { ended, ownerName, population } = this.#latest;
    const state = (population ?? component).stats();
    const { path, cycle, counters } = component.evidenceOf(this.#latest);
    return {
      rule: this.rule,
      certainty: this.certainty,
      component: {
        kind: component.kind,
        name: component.name,
        ...(component.partName !== undefined && { part: component.partName }),
      },
      ...(site !== undefined && { site }),
      stack,
      sites: countedSites(stacks),
      ...(earlier !== undefined && { earlier }),
      ...(scopes[0] !== undefined && { scope: scopes[0].key }),
      scopes: scopes.map(({ key, count }) => ({ scope: key, count })),
      unlisted: { stacks: this.#stacks.unlisted, scopes: this.#scopes.unlisted },
      ...(origin.call.name !== '' && { call: origin.call.name }),
      ...(origin.isDirect === true && { isDirect: true }),
      ...this.#untracked(now),
      count: this.count,
      ageMillis: now - this.#oldestLentAt(),
      firstSeenMillis: now - this.#firstFoundAt,
      lastSeenMillis: now - this.#lastFoundAt,
      ...this.#rate(),
      ...(lastTouch !== undefined && {
        lastTouch: { hint: lastTouch.hint, agoMillis: now - lastTouch.at },
      }),
      ...(state !== undefined && { state }),
      evidence: {
        ...(!ended && { generation: component.generationOf(this.#latest) }),
        v8: evidenceOfV8(this.#latest),
        ...(population !== undefined && {
          counts: population.counts(),
          countsEveryMillis: population.countsEveryMillis,
        }),
      },
      ...(!ended && { path }),
      ...(cycle !== undefined && { cycle }),
      ...(counters !== undefined && { counters }),
      ...(ownerName !== undefined && { owner: ownerName }),
      ...(population !== undefined && { members: population.kind }),
      fix: RULES[this.rule].fix(this.#latest),
      signature: this.signature,
    };
  }

  #untracked(now: number): Pick<LeakReport, 'untracked'> {
    const heldMillis: number[] = [];
    for (const { loan } of this.#loans.keys()) {
      if (loan.origin.isLate === true) heldMillis.push(now - loan.lentAt);
    }
    if (heldMillis.length === 0) return {};
    heldMillis.sort((a, b) => b - a);
    return {
      untracked: { count: heldMillis.length, heldMillis: heldMillis.slice(0, MAX_LISTED) },
    };
  }

  /** Two findings are the least that a rate can be drawn from. */
  #rate(): Pick<LeakReport, 'perMinute'> {
    const millis = this.#lastFoundAt - this.#firstFoundAt;
    return this.#found < 2 || millis === 0
      ? {}
      : { perMinute: ((this.#found - 1) * MILLIS_PER_MINUTE) / millis };
  }

  #oldestLentAt(): number {
    let oldest = this.#latest.lentAt;
    for (const { loan } of this.#loans.keys()) oldest = Math.min(oldest, loan.lentAt);
    return oldest;
  }
}

/** The function that lent a loan, and the scope. A part of the component, such as a key, is data: it says nothing of the line. */
function originOf({ origin }: Loan): string {
  const scope = origin.scope === undefined ? [] : [withoutIds(origin.scope.path)];
  return JSON.stringify([origin.call.name, ...scope]);
}

function evidenceOfV8({ collected, hasCapability }: Loan): LeakReport['evidence']['v8'] {
  if (!hasCapability) return 'no handle';
  return collected ? 'collected' : 'not collected';
}

/** Counts the lines of some stacks: the acquiring lines first, then their callers, each the most numerous first. */
function countedSites(stacks: readonly CountedKey<readonly Frame[]>[]): CountedSite[] {
  return sumSites(
    stacks.flatMap(({ value: stack, count }) =>
      linesOf(stack).map((frame, depth) => ({ ...frame, depth, count })),
    ),
  );
}

/** Adds up the counts of equal lines, those nearest to the loan first, the most numerous of them first. */
export function sumSites(sites: readonly CountedSite[]): CountedSite[] {
  const keyOf = (site: CountedSite): string => `${site.depth} ${formatPosition(site)}`;
  return sumByKey(sites, keyOf).sort((a, b) => a.depth - b.depth || b.count - a.count);
}

/** The application's lines of a stack, or the innermost line if there is none. */
function linesOf(stack: readonly Frame[]): readonly Frame[] {
  const lines = stack.filter(isApplicationFrame);
  return lines.length > 0 ? lines.slice(0, 1 + CALLERS) : stack.slice(0, 1);
}
