/** The advice for a loan that its holder has to release. */
import type { Loan } from '../loan.js';

/**
 * Says how the holder ends the loan on every path: as its component advises; else by the call that took it. A lease is held
 * with `using`, a resource is released in a `finally` block, and the function given to `use()` has to settle.
 */
export function releaseAdvice({ component, hasCapability, origin }: Loan): string {
  const { kind, releaseAdvice: advice } = component;
  if (origin.isDirect === true) {
    return `take it by \`lease()\` of the adopted ${kind}, so that its line is known, and release it on every path`;
  }
  if (advice !== undefined) return advice;
  if (origin.call.name === 'use') {
    return `the function given to \`${kind}.use(fn)\` has not settled: give its work a timeout or an AbortSignal`;
  }
  return hasCapability
    ? `hold it with \`await using lease = await ${kind}.lease()\`, or pass the work to \`${kind}.use(fn)\``
    : `release it in a \`finally\` block, or pass the work to \`${kind}.use(fn)\``;
}
