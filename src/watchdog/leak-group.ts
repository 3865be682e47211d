/** The loans that one line has lost in one scope by one rule. A person reads them as one leak with a count. */
import { applicationFrame, type Frame, formatPosition, parseFrames } from '../core/call-site.js';
import { type Certainty, surerOf } from './certainty.js';
import type { LeakReport } from './leak-report.js';
import type { Loan } from './loan.js';
import { type LeakRule, RULES } from './rules/rules.js';

/** One leak. */
export class LeakGroup {
  readonly rule: LeakRule;
  /** Identifies the leak, see {@link signatureOf}. */
  readonly signature: string;
  /** The stack that took the first of the loans; empty if it was not taken. */
  readonly stack: readonly Frame[];
  readonly #loans = new Set<Loan>();
  /** How many loans their component took back by force. They stay counted, since their holder can no longer return them. */
  #reclaimed = 0;
  #certainty: Certainty = 'suspect';
  /** Whether it has given its place to a newer leak: its loans are counted, and not reported. */
  isUnreported = false;
  #latest: Loan;

  constructor(rule: LeakRule, loan: Loan, stack: readonly Frame[]) {
    this.rule = rule;
    this.stack = stack;
    this.signature = signatureOf(rule, loan, stack);
    this.#latest = loan;
  }

  /** How many loans are lost in this way and have not come back. */
  get count(): number {
    return this.#loans.size + this.#reclaimed;
  }

  /** Whether the line that lost the loans is known. */
  get hasSite(): boolean {
    return this.stack.length > 0;
  }

  /** Counts a loan. The group is as sure as the surest finding of its loans. O(1). */
  add(loan: Loan, certainty: Certainty): void {
    this.confirm(certainty);
    this.#loans.add(loan);
    this.#latest = loan;
  }

  /** Stops counting a loan that came back or moves to another group. O(1). */
  remove(loan: Loan): void {
    this.#loans.delete(loan);
  }

  /** Forgets a loan's record, and counts it on. O(1). */
  reclaim(loan: Loan): void {
    this.remove(loan);
    this.#reclaimed++;
  }

  /** Makes the group at least as sure as this. */
  confirm(certainty: Certainty): void {
    this.#certainty = surerOf(this.#certainty, certainty);
  }

  /** Reports the leak as it is at `now`, in milliseconds. O(loans). */
  report(now: number): LeakReport {
    const { component, origin, lastTouch } = this.#latest;
    const site = applicationFrame(this.stack);
    const state = component.stats();
    return {
      rule: this.rule,
      certainty: this.#certainty,
      component: { kind: component.kind, name: component.name },
      ...(site !== undefined && { site }),
      stack: this.stack,
      ...(origin.scope !== undefined && { scope: origin.scope.path }),
      count: this.count,
      ageMillis: now - this.#oldestLentAt(),
      ...(lastTouch !== undefined && {
        lastTouch: { hint: lastTouch.hint, agoMillis: now - lastTouch.at },
      }),
      ...(state !== undefined && { state }),
      evidence: {
        ...(!this.#latest.ended && { generation: component.generationOf(this.#latest) }),
        v8: this.#latest.collected ? 'collected' : 'not collected',
      },
      fix: RULES[this.rule].fix(this.#latest),
      signature: this.signature,
    };
  }

  #oldestLentAt(): number {
    let oldest = this.#latest.lentAt;
    for (const loan of this.#loans) oldest = Math.min(oldest, loan.lentAt);
    return oldest;
  }
}

/** Gives 8 hexadecimal digits that are equal for two loans of the same rule, component, scope and line, in every run. */
export function signatureOf(rule: LeakRule, loan: Loan, stack: readonly Frame[]): string {
  const site = applicationFrame(stack);
  const identity = [
    rule,
    loan.component.kind,
    loan.component.name,
    loan.origin.scope?.path ?? '',
    site === undefined ? '' : formatPosition(site),
  ];
  return fnv1a(identity.join('\0')).toString(16).padStart(8, '0');
}

/** Gives the frames of a loan's stack; empty if it was not taken. */
export function stackOf(loan: Loan): Frame[] {
  return loan.origin.stack === undefined ? [] : parseFrames(loan.origin.stack);
}

/** Hashes a text by 32-bit FNV-1a over its UTF-16 code units: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
