/** What the callers that join a load must know: whether its result was invalidated after it had begun. */
import type { SharedLevel } from '../shared-port.js';
import type { Load } from './load.js';

/**
 * Whether a caller that joins a load now has to ask {@link isOutdated} when it has ended: a tag was invalidated since it began, or another
 * process may have invalidated its result unnoticed.
 */
export function mayBeOutdated({ details }: Load, shared: SharedLevel | undefined): boolean {
  const mayHaveMissed =
    !details.isAnsweredStale && shared?.loadJoined(details.context?.shared) === true;
  return details.invalidatedSince !== undefined || mayHaveMissed;
}

/** Whether the result of a load that has ended was invalidated since the load began. */
export async function isOutdated(
  { details }: Load,
  shared: SharedLevel | undefined,
): Promise<boolean> {
  const { isOutdated, context } = details;
  return isOutdated || (await shared?.isInvalidated(context?.shared, context?.kept)) === true;
}
