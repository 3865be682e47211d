/** Records in the ledger of what is no loan: a population, an object that is expected to die. */
import { NO_ORIGIN } from './call-origin.js';
import { Loan, type LoanSource } from './loan.js';

/** Gives a record that began at `now`, and that no component will end. */
export function ledgerRecord(component: LoanSource, now: number): Loan {
  const loan = new Loan(component, 0, undefined, NO_ORIGIN, now, undefined);
  loan.end();
  return loan;
}
