/** Records in the ledger of what is no loan: a population, an object that is expected to die. */
import { NO_ORIGIN } from './call-origin.js';
import type { Loan, LoanSource } from './loan.js';

/** Gives a record that began at `now`, and that no component will end. */
export function looseLoan(component: LoanSource, now: number): Loan {
  return {
    component,
    id: 0,
    node: null,
    held: undefined,
    origin: NO_ORIGIN,
    lentAt: now,
    hasCapability: false,
    capability: undefined,
    expectedUntil: 0,
    lastTouch: undefined,
    returnsBefore: 0,
    youngBefore: 0,
    site: undefined,
    siteFreedBefore: 0,
    isUnheld: false,
    collected: false,
    ended: true,
  };
}
