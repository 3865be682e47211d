/** The advice for a loan that its holder has to release. */
import type { Loan } from '../loan.js';

/**
 * Says how the holder ends the loan on every path: as its component advises; else with `using` if it has a lease, and in a
 * `finally` block if it has none.
 */
export function releaseAdvice({ component, hasCapability }: Loan): string {
  const { kind, releaseAdvice: advice } = component;
  if (advice !== undefined) return advice;
  return hasCapability
    ? `hold it with \`await using lease = await ${kind}.lease()\`, or pass the work to \`${kind}.use(fn)\``
    : `release it in a \`finally\` block, or pass the work to \`${kind}.use(fn)\``;
}
