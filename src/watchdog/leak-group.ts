/** All the loans that one line lost in one way. One group is one leak to a person, however many loans it cost. */
import { applicationFrame, type Frame, formatPosition, parseFrames } from '../core/call-site.js';
import { type Certainty, surerOf } from './certainty.js';
import type { LeakReport } from './leak-report.js';
import type { Loan } from './loan.js';
import { type LeakRule, RULES } from './rules/rules.js';

export class LeakGroup {
  readonly rule: LeakRule;
  readonly signature: string;
  readonly stack: readonly Frame[];
  readonly #loans = new Set<Loan>();
  /** Loans that their component took back by force: nobody can return them any more. */
  #reclaimed = 0;
  #certainty: Certainty = 'suspect';
  #latest: Loan;

  constructor(rule: LeakRule, loan: Loan, stack: readonly Frame[]) {
    this.rule = rule;
    this.stack = stack;
    this.signature = signatureOf(rule, loan, stack);
    this.#latest = loan;
  }

  /** Loans lost and not returned. */
  get count(): number {
    return this.#loans.size + this.#reclaimed;
  }

  /** Whether the line that lost the loans is known. */
  get hasSite(): boolean {
    return this.stack.length > 0;
  }

  /** Counts a loan. The group is as sure as the surest of its loans has been. */
  add(loan: Loan, certainty: Certainty): void {
    this.confirm(certainty);
    this.#loans.add(loan);
    this.#latest = loan;
  }

  /** The loan was returned after all, or is counted elsewhere from now on. */
  remove(loan: Loan): void {
    this.#loans.delete(loan);
  }

  /** The loan's record can go, but not the blame. */
  reclaim(loan: Loan): void {
    this.remove(loan);
    this.#reclaimed++;
  }

  /** Makes the group at least as sure as this. */
  confirm(certainty: Certainty): void {
    this.#certainty = surerOf(this.#certainty, certainty);
  }

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

/** What makes two leaks the same one, as 8 hexadecimal digits. */
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

/** The stack of a loan, parsed; empty if none was taken. */
export function stackOf(loan: Loan): Frame[] {
  return loan.origin.stack === undefined ? [] : parseFrames(loan.origin.stack);
}

/** FNV-1a over UTF-16 code units, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
