/** The errors of the watchdog. */
import { nameErrorClass, TenureError } from '../core/errors.js';
import { suppressedNotes } from './baseline.js';
import { formatReport } from './format-report.js';
import type { LeakReport } from './leak-report.js';

/** The maximum number of lines of a message. */
const MAX_LINES = 25;

/** The leaks that {@link Watchdog.assertNoLeaks} found. Code `TENURE_LEAKS_FOUND`. */
export class LeaksFoundError extends TenureError {
  /** The leaks, the most numerous first. */
  readonly reports: readonly LeakReport[];

  /** The message is the formatted report, and what else is lost or out. */
  constructor(
    reports: readonly LeakReport[],
    unreported: number = 0,
    stillOut: string = '',
    suppressed: number = 0,
  ) {
    const notes = [
      ...(unreported > 0 ? [`… and ${unreported} lost loans of older leaks`] : []),
      ...suppressedNotes(suppressed),
      ...(stillOut === '' ? [] : [stillOut]),
    ];
    const report = formatReport(reports, { maxLines: MAX_LINES - 2 * notes.length });
    super([report, ...notes].join('\n\n'), { code: 'TENURE_LEAKS_FOUND' });
    this.reports = reports;
  }

  static {
    nameErrorClass(LeaksFoundError, 'LeaksFoundError');
  }
}
