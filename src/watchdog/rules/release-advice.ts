/** The advice for a loan that its holder has to release. */
import type { Loan } from '../loan.js';

/** Says how the holder releases the loan in any case: with `using` if it has a lease, else in a `finally` block. */
export function releaseAdvice({ component: { kind }, hasCapability }: Loan): string {
  return hasCapability
    ? `hold it with \`await using lease = await ${kind}.lease()\`, or pass the work to \`${kind}.use(fn)\``
    : `release it in a \`finally\` block, or pass the work to \`${kind}.use(fn)\``;
}
