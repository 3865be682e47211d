/** The errors of the watchdog. */
import { nameErrorClass, TenureError } from '../core/errors.js';
import { formatReport } from './format-report.js';
import type { LeakReport } from './leak-report.js';

/**
 * {@link Watchdog.assertNoLeaks} found leaks; the message is the whole report. Code `TENURE_LEAKS_FOUND`.
 */
export class LeaksFoundError extends TenureError {
  /** What was found. */
  readonly reports: readonly LeakReport[];

  /** The message is the formatted report. */
  constructor(reports: readonly LeakReport[]) {
    super(formatReport(reports), { code: 'TENURE_LEAKS_FOUND' });
    this.reports = reports;
  }

  static {
    nameErrorClass(LeaksFoundError, 'LeaksFoundError');
  }
}

/**
 * A forced collection was asked for where the host offers none. Code `TENURE_NO_COLLECTOR`.
 */
export class NoCollectorError extends TenureError {
  /** Its message says what to do. */
  constructor() {
    super(
      'watchdog.check: this host exposes no garbage collector. Leave `forceGc` out, or give the watchdog a `gcSource`.',
      { code: 'TENURE_NO_COLLECTOR' },
    );
  }

  static {
    nameErrorClass(NoCollectorError, 'NoCollectorError');
  }
}
