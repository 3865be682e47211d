/** Describes the loans that are out, for reports and errors. */
import { formatPosition } from '../../core/call-site.js';
import { applicationLine } from '../../core/site-sample.js';
import type { LoanInfo } from '../pool-stats.js';
import type { Slot } from './slot.js';

/** The loans among these slots, longest first. O(n log n). */
export function loansOut<T>(slots: Iterable<Slot<T>>, now: number): LoanInfo[] {
  const loans: LoanInfo[] = [];
  for (const slot of slots) {
    if (slot.state !== 'borrowed') continue;
    const line = applicationLine(slot.tracking?.stack);
    loans.push({
      heldMillis: Math.max(0, now - slot.borrowedAt),
      takenBy: slot.takenBy,
      holder: line?.functionName || undefined,
      site: line === undefined ? undefined : formatPosition(line),
    });
  }
  return loans.sort((a, b) => b.heldMillis - a.heldMillis);
}
