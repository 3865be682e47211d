/** Limits reports: one kind of error is reported once in ten seconds, however many calls fail. */
import type { Clock } from './clock.js';
import { errorField } from './error-field.js';
import { isError } from './is-error.js';

/** The time between two reports of one kind, in milliseconds. */
const QUIET_MILLIS = 10_000;
/** The most kinds of errors that are told apart in that time. All others count as one. */
const MAX_KINDS = 50;
const OTHERS = 'others';

interface LastReport {
  reportedAt: number;
  unreported: number;
}

/** The limit of one receiver of reports. */
export class ReportLimit {
  readonly #clock: Clock;
  /** The last reports by kinds. That of the others stays, with their number. */
  readonly #lastReports = new Map<string, LastReport>([
    [OTHERS, { reportedAt: -Infinity, unreported: 0 }],
  ]);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Counts an error that was thrown at `where`, and calls `report` unless one of its kind was reported a short time ago. `report` is given
   * the place, with the number of errors since then. O(1).
   */
  pass(where: string, error: unknown, report: (where: string) => void): void {
    const now = this.#clock.now();
    const kind = this.#distinguished(`${where} ${kindOf(error)}`, now);
    const last = this.#lastReports.get(kind);
    if (last !== undefined && now < last.reportedAt + QUIET_MILLIS) {
      last.unreported++;
      return;
    }
    this.#lastReports.set(kind, { reportedAt: now, unreported: 0 });
    const unreported = last?.unreported ?? 0;
    const others = kind === OTHERS ? 'others' : 'like it';
    report(unreported === 0 ? where : `${where}, and ${unreported} ${others}`);
  }

  #distinguished(kind: string, now: number): string {
    const reports = this.#lastReports;
    if (reports.has(kind) || reports.size <= MAX_KINDS) return kind;
    for (const [other, { reportedAt }] of reports) {
      if (now >= reportedAt + QUIET_MILLIS && other !== OTHERS) reports.delete(other);
    }
    return reports.size <= MAX_KINDS ? kind : OTHERS;
  }
}

/** What errors of one kind have in common: the name, the code, and the first word, which is the code of a Redis error. */
function kindOf(error: unknown): string {
  if (!isError(error)) return typeof error;
  const firstWord = errorField(error, 'message')?.split(/[\s':]/, 1)[0];
  return `${errorField(error, 'name')} ${errorField(error, 'code')} ${firstWord}`;
}
