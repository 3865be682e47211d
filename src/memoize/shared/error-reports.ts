/** Counts the errors of one cache's shared level, and reports a limited number of them. */
import type { Clock } from '../../core/clock.js';
import { ReportLimit } from '../../core/report-limit.js';
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';

/** The reports of one cache. */
export class ErrorReports {
  readonly #cache: CacheIdentity;
  readonly #counters: CacheCounters;
  readonly #limit: ReportLimit;

  constructor(cache: CacheIdentity, counters: CacheCounters, clock: Clock) {
    this.#cache = cache;
    this.#counters = counters;
    this.#limit = new ReportLimit(clock);
  }

  /** Counts an error, and gives it to `onError` unless one of its kind was reported a short time ago. What is printed has a limit of its own. */
  report(error: unknown): void {
    this.#counters.sharedErrors++;
    const { name, onError, printsErrors } = this.#cache;
    const where = `the shared level of the cache '${name}'`;
    if (printsErrors) onError(error, where);
    else this.#limit.pass(where, error, (place) => onError(error, place));
  }
}
