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

  /** Counts an error, and gives it to `onError` unless one of its kind was reported a short time ago. */
  report(error: unknown): void {
    this.#counters.sharedErrors++;
    const { name, onError } = this.#cache;
    this.#limit.pass(`the shared level of the cache '${name}'`, error, (where) =>
      onError(error, where),
    );
  }
}
