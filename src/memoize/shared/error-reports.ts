/** Limits the reports of one cache's shared level: one kind of error is reported once in ten seconds, however many calls fail. */
import type { Clock } from '../../core/clock.js';
import { isError } from '../../core/is-error.js';
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';
import { errorField } from './error-field.js';

/** The time between two reports of one kind, in milliseconds. */
const QUIET_MILLIS = 10_000;
/** The most kinds of errors that are told apart in that time. All others count as one. */
const MAX_KINDS = 50;
const OTHERS = 'others';

interface LastReport {
  reportedAt: number;
  unreported: number;
}

/** The reports of one cache. */
export class ErrorReports {
  readonly #cache: CacheIdentity;
  readonly #counters: CacheCounters;
  readonly #clock: Clock;
  readonly #lastReports = new Map<string, LastReport>();

  constructor(cache: CacheIdentity, counters: CacheCounters, clock: Clock) {
    this.#cache = cache;
    this.#counters = counters;
    this.#clock = clock;
  }

  /** Counts an error, and gives it to `onError` unless one of its kind was reported a short time ago. */
  report(error: unknown): void {
    this.#counters.sharedErrors++;
    const now = this.#clock.now();
    const kind = this.#distinguished(kindOf(error), now);
    const last = this.#lastReports.get(kind);
    if (last !== undefined && now < last.reportedAt + QUIET_MILLIS) {
      last.unreported++;
      return;
    }
    this.#lastReports.set(kind, { reportedAt: now, unreported: 0 });
    const { name, onError } = this.#cache;
    const more =
      last === undefined || last.unreported === 0 ? '' : `, and ${last.unreported} like it`;
    onError(error, `the shared level of the cache '${name}'${more}`);
  }

  #distinguished(kind: string, now: number): string {
    const reports = this.#lastReports;
    if (reports.has(kind) || reports.size < MAX_KINDS) return kind;
    for (const [other, { reportedAt }] of reports) {
      if (now >= reportedAt + QUIET_MILLIS) reports.delete(other);
    }
    return reports.size < MAX_KINDS ? kind : OTHERS;
  }
}

/** What errors of one kind have in common: the name, the code, and the first word, which is the code of a Redis error. */
function kindOf(error: unknown): string {
  if (!isError(error)) return typeof error;
  const firstWord = errorField(error, 'message')?.split(/[\s':]/, 1)[0];
  return `${errorField(error, 'name')} ${errorField(error, 'code')} ${firstWord}`;
}
