/** Limits the reports of one cache's shared level: one trouble is reported once in ten seconds, however many calls it meets. */
import type { Clock } from '../../core/clock.js';
import { isError } from '../../core/is-error.js';
import type { CacheIdentity } from '../cache-identity.js';
import type { CacheCounters } from '../cache-recorder.js';
import { errorField } from './error-field.js';

/** The time between two reports of one trouble, in milliseconds. */
const QUIET_MILLIS = 10_000;
/** The most troubles that are told apart. */
const MAX_KINDS = 50;

interface Trouble {
  reportedAt: number;
  unreported: number;
}

/** The reports of one cache. */
export class TroubleReports {
  readonly #cache: CacheIdentity;
  readonly #counters: CacheCounters;
  readonly #clock: Clock;
  readonly #troubles = new Map<string, Trouble>();

  constructor(cache: CacheIdentity, counters: CacheCounters, clock: Clock) {
    this.#cache = cache;
    this.#counters = counters;
    this.#clock = clock;
  }

  /** Counts an error, and gives it to `onError` unless one of its kind was reported a short time ago. */
  report(error: unknown): void {
    this.#counters.sharedErrors++;
    const now = this.#clock.now();
    const kind = kindOf(error);
    const trouble = this.#troubles.get(kind);
    if (trouble !== undefined && now < trouble.reportedAt + QUIET_MILLIS) {
      trouble.unreported++;
      return;
    }
    if (trouble === undefined && this.#troubles.size >= MAX_KINDS) this.#troubles.clear();
    this.#troubles.set(kind, { reportedAt: now, unreported: 0 });
    const { name, onError } = this.#cache;
    const more =
      trouble === undefined || trouble.unreported === 0
        ? ''
        : `, and ${trouble.unreported} like it`;
    onError(error, `the shared level of the cache '${name}'${more}`);
  }
}

/** What errors of one trouble have in common: the name, the code, and the first word, which is the code of a Redis error. */
function kindOf(error: unknown): string {
  if (!isError(error)) return typeof error;
  const firstWord = errorField(error, 'message')?.split(/[\s':]/, 1)[0];
  return `${errorField(error, 'name')} ${errorField(error, 'code')} ${firstWord}`;
}
