/** The ends of several disposals, as one wait. */
import { followUntilAbort } from '../core/signal-waits.js';

/**
 * Resolves when all `ends` have settled. Rejects with the error of one that has failed, or with an `AggregateError` if several
 * have. Rejects with the reason of `signal` as soon as that aborts.
 */
export function gatheredEnds(
  ends: readonly Promise<void>[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const all = gather(ends);
  if (signal === undefined) return all;
  all.catch(() => {}); // The caller may have left.
  return followUntilAbort(all, signal, () => {});
}

async function gather(ends: readonly Promise<void>[]): Promise<void> {
  const errors: unknown[] = [];
  for (const outcome of await Promise.allSettled(ends)) {
    if (outcome.status === 'rejected') errors.push(outcome.reason);
  }
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} disposals have failed`);
}
