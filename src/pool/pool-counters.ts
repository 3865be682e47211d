/** The counters of one pool: how many resources are in a state that has no list of its own, and totals since its creation. */
import { MillisHistogram } from '../core/histogram.js';

/** How many different reasons are counted apart: a holder may give any text as a reason. */
const MAX_REASONS = 100;

/** The counters of one pool. */
export class PoolCounters {
  /** Resources that a caller holds. */
  borrowed = 0;
  /** Calls of `create` that are running. */
  creating = 0;
  /** Resources being validated before they are lent, or to keep them alive. */
  validating = 0;
  /** Resources being reset and validated after they came back. */
  resetting = 0;
  /** Resources being destroyed. */
  destroying = 0;
  /** Calls of `create`, `validate` and `reset` that run and have become slow. */
  slow = 0;
  /** Those of them that validate a resource before it is lent, or keep it alive. */
  slowValidations = 0;
  /** Calls of `destroy` that run and have become slow. */
  slowDestroys = 0;
  /** Loans granted in all. */
  loans = 0;
  /** Resources created in all. */
  created = 0;
  /** Creations that failed or timed out, in all, without those of {@link capacityErrors}. */
  createErrors = 0;
  /** Creations that failed because the server takes no more connections, in all. */
  capacityErrors = 0;
  /** Resources destroyed in all. */
  destroyed = 0;
  readonly #destroyedBy = new Map<string, number>();
  /** Resources that left the pool with their holders, in all. */
  detached = 0;
  /** Callers that had to wait, in all. */
  waited = 0;
  /** How long callers waited: a sample. */
  readonly waits: MillisHistogram = new MillisHistogram();
  /** How long resources were held: a sample. */
  readonly holds: MillisHistogram = new MillisHistogram();
  /** Callers whose wait timed out, in all. */
  acquireTimeouts = 0;
  /** Callers whose wait was ended by their signal, in all. */
  acquireAborts = 0;
  /** Callers that were refused because too many waited, in all. */
  refusals = 0;
  /** Calls of `tryLease` that found no idle resource, in all. */
  tryMisses = 0;

  /** Counts a resource that is gone. Reasons beyond the first {@link MAX_REASONS} are counted together. */
  countDestroyed(reason: string): void {
    this.destroyed++;
    const counts = this.#destroyedBy;
    const known = counts.has(reason) || counts.size < MAX_REASONS ? reason : 'other reasons';
    counts.set(known, (counts.get(known) ?? 0) + 1);
  }

  /** Resources destroyed in all, by reason. The object has no prototype: a reason may be `constructor`. */
  get destroyedBy(): Record<string, number> {
    return Object.assign(Object.create(null), Object.fromEntries(this.#destroyedBy));
  }
}
