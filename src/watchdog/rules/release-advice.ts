/** The advice for a loan that its holder has to release. */
import type { Loan } from '../loan.js';

/** Says how a holder that keeps its lease on purpose lets the watchdog know; empty for a loan that has no lease to tell it by. */
export function holdAdvice({ component, hasCapability }: Loan): string {
  return hasCapability && component.releaseAdvice === undefined
    ? '; if it is held on purpose, call `lease.expectHold(millis)`'
    : '';
}

/** How a loan ends with its owner, by the first word of the owner's name. */
const OWNER_ADVICE: Readonly<Record<string, string>> = {
  entry: 'end it in the `dispose` option of the cache, and where the load fails',
  'weak-entry': 'end it in the `dispose` option of the cache, and where the load fails',
  resource: 'end it in `destroy` of the factory, and where `create` fails',
  value: 'end it in `dispose` of the shared value, and where its creation fails',
};

/**
 * Says how the holder ends the loan on every path: as the owner ends what it has leased, or as the component advises; else by the call
 * that took it. A lease is held with `using`, a resource is released in a `finally` block, and the function given to `use()` has to settle.
 */
export function releaseAdvice(loan: Loan): string {
  const { component, hasCapability, origin, ownerName } = loan;
  const { kind, releaseAdvice: advice } = component;
  if (origin.isDirect === true) {
    return `take it by \`lease()\` of the adopted ${kind}, so that its line is known, and release it on every path`;
  }
  const ownerAdvice = OWNER_ADVICE[ownerName?.split(' ', 1)[0] ?? ''];
  if (ownerAdvice !== undefined) return ownerAdvice;
  if (loan.isOfProcess)
    return 'it was handed over to the process: release it when its work is done';
  if (origin.isHandedOver === true) {
    return `it was handed over to \`${origin.scope?.path}\`: release it before that ends`;
  }
  if (advice !== undefined) return advice;
  if (component.lendsShared) {
    return `hold what \`${origin.call.name}()\` gives with \`using\`, or release it in a \`finally\` block`;
  }
  const hasKey = component.partName !== undefined;
  const use = `\`${kind}.use(${hasKey ? 'key, ' : ''}fn)\``;
  if (origin.call.name === 'use') {
    return `the function given to ${use} has not settled: give its work a timeout or an AbortSignal`;
  }
  return hasCapability
    ? `hold it with \`await using lease = await ${kind}.lease(${hasKey ? 'key' : ''})\`, or pass the work to ${use}`
    : `release it in a \`finally\` block, or pass the work to ${use}`;
}
