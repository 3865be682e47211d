/**
 * Reports as JSON, for log pipelines and for dashboards. The layout has a version and a JSON schema
 * (`report-json.schema.json` beside this file). A new optional field keeps the version; any other change makes a new one.
 */
import {
  checkArgument,
  countOrInfinity,
  type OptionTable,
  option,
  resolveOptions,
} from '../core/options.js';
import { type LeakReport, someReports } from './leak-report.js';

/** The version of the layout. */
const VERSION = 1;

/** Options of {@link reportJson}. */
export interface ReportJsonOptions {
  /**
   * How many loans of suppressed leaks are lost: `watchdog.stats().suppressed`.
   *
   * @default 0
   */
  readonly suppressed?: number;
  /**
   * How many lost loans are in no report, because there are too many leaks: `watchdog.stats().unreported`.
   *
   * @default 0
   */
  readonly unreported?: number;
}

const OPTIONS: OptionTable<Required<ReportJsonOptions>> = {
  suppressed: option(countOrInfinity(0), 0),
  unreported: option(countOrInfinity(0), 0),
};

/** The reports of a check as plain data, which `JSON.stringify` carries whole. */
export interface ReportJson {
  /** The version of the layout, as the JSON schema describes it. */
  readonly version: typeof VERSION;
  /** How many loans are lost and have not come back, in all reports. */
  readonly lost: number;
  /** How many loans of suppressed leaks are lost. */
  readonly suppressed: number;
  /** How many lost loans are in no report, because there are too many leaks. */
  readonly unreported: number;
  /** The leaks, in the order of the reports. */
  readonly leaks: readonly LeakReport[];
}

/**
 * Gives reports as plain data with a version. The file `src/watchdog/report-json.schema.json` of the package is its JSON schema.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, and for `reports` that are no
 * array: a `check` that was not awaited.
 *
 * @example
 * ```ts
 * import { reportJson, Watchdog } from 'tenure/watchdog';
 *
 * using watchdog = new Watchdog();
 * const { suppressed, unreported } = watchdog.stats();
 * const json = reportJson(await watchdog.check(), { suppressed, unreported });
 * json; // => { version: 1, lost: 0, suppressed: 0, unreported: 0, leaks: [] }
 * ```
 */
export function reportJson(
  reports: readonly LeakReport[],
  options: ReportJsonOptions = {},
): ReportJson {
  checkArgument('reportJson', 'reports', reports, someReports);
  const { suppressed, unreported } = resolveOptions('reportJson', options, OPTIONS);
  const lost = reports.reduce((sum, { count }) => sum + count, 0);
  return { version: VERSION, lost, suppressed, unreported, leaks: reports.map(inJson) };
}

/** JSON has no number beyond the finite ones: a pool without a limit has `max` Infinity. Such a figure is left out. */
function inJson(report: LeakReport): LeakReport {
  const { state } = report;
  if (state === undefined) return report;
  const finite = Object.entries(state).filter(([, figure]) => Number.isFinite(figure));
  return { ...report, state: Object.fromEntries(finite) };
}
