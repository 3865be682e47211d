/** Prints reports for people: the verdict, then each leak (`leak-lines.ts`), within a maximum number of lines. */
import {
  aBoolean,
  checkArgument,
  countOrInfinity,
  type OptionTable,
  option,
  resolveOptions,
} from '../core/options.js';
import { plural } from '../core/plural.js';
import { printable } from '../core/printable.js';
import { isSurer } from './certainty.js';
import { countOf, framed, headOf, type Leak, leakLines } from './leak-lines.js';
import { isMinified, type LeakReport, someReports } from './leak-report.js';
import { ansi, duration, type Paint, plain } from './report-words.js';
import { wordsOf } from './rules/rules.js';

/** Options of {@link formatReport}. */
export interface FormatOptions {
  /**
   * Whether to use ANSI colours.
   *
   * @default false
   */
  readonly colour?: boolean;
  /**
   * How many leaks to print in full, as far as `maxLines` allows it. A further leak is printed as one line.
   *
   * @default 10
   */
  readonly maxLeaks?: number;
  /**
   * How many callers to print below the acquiring line. Frames of the host and of dependencies are left out.
   *
   * @default 3
   */
  readonly maxFrames?: number;
  /**
   * How many lines to print in all. The last one counts the leaks that have no line.
   *
   * @default 25
   */
  readonly maxLines?: number;
}

const FORMAT_OPTIONS: OptionTable<Required<FormatOptions>> = {
  colour: option(aBoolean, false),
  maxLeaks: option(countOrInfinity(0), 10),
  maxFrames: option(countOrInfinity(0), 3),
  maxLines: option(countOrInfinity(1), 25),
};

/**
 * Gives reports as text: the verdict first, then each leak with its line, the component's state, the evidence and the fix.
 * Reports of one signature, which differ in the line or the certainty, are one leak.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, and for `reports` that are no
 * array: a `check` that was not awaited.
 *
 * @example
 * ```ts
 * import { formatReport } from 'tenure/watchdog';
 *
 * formatReport([]); // => 'NO LEAKS'
 * ```
 */
export function formatReport(reports: readonly LeakReport[], options: FormatOptions = {}): string {
  checkArgument('formatReport', 'reports', reports, someReports);
  const settings = resolveOptions('formatReport', options, FORMAT_OPTIONS);
  const paint = settings.colour ? ansi : plain;
  if (reports.length === 0) return paint('green', 'NO LEAKS');
  const leaks = leaksOf(reports.map(withPrintableTexts));
  const blocks = leaks
    .slice(0, settings.maxLeaks)
    .map((leak) => leakLines(leak, paint, settings.maxFrames));
  const hint =
    leaks.some(([{ site }]) => site !== undefined && isMinified(site)) && settings.maxLines > 3
      ? ['', MINIFIED]
      : [];
  const maxLines = settings.maxLines - hint.length;
  const lines = [verdict(leaks, paint)];
  const full = fullBlocks(blocks, leaks.length, maxLines - lines.length);
  for (const block of blocks.slice(0, full)) lines.push('', ...block);
  const rest = leaks.slice(full);
  const room = maxLines - lines.length - 1; // One for the empty line.
  const shown = rest.length <= room ? rest.length : Math.max(0, room - 1);
  if (shown > 0) lines.push('', ...rest.slice(0, shown).map((leak) => summaryLine(leak, paint)));
  const hidden = rest.length - shown;
  if (hidden > 0 && maxLines > lines.length) {
    if (shown === 0 && maxLines > lines.length + 1) lines.push('');
    lines.push(`… and ${hidden} more`);
  }
  return [...lines, ...hint].join('\n');
}

/**
 * Gives a report the text that it has in a template string: one line with what is lost, where, since when, and the fix. The text is no
 * part of the data: JSON, copies and comparisons leave it out.
 */
export function withText(report: LeakReport): LeakReport {
  return Object.defineProperty(report, 'toString', { value: textOf });
}

function textOf(this: LeakReport): string {
  const report = withPrintableTexts(this);
  const { ageMillis, fix } = report;
  return `${summaryLine([report], plain)}  (oldest ${duration(ageMillis)})  fix: ${fix}`;
}

/** Said once for all leaks. */
const MINIFIED =
  'hint  the stacks are minified: build with source maps, and start Node with --enable-source-maps';

/** How many blocks fit, each after an empty line, beside one line for each of the other leaks, or one for all of them. */
function fullBlocks(blocks: readonly (readonly string[])[], leaks: number, room: number): number {
  let used = 0;
  for (const [index, block] of blocks.entries()) {
    used += 1 + block.length;
    const others = leaks - index - 1;
    if (used + (others === 0 ? 0 : 2) > room) return index;
  }
  return blocks.length;
}

/** Joins the reports of one signature. The leaks keep the order of their first reports. */
function leaksOf(reports: readonly LeakReport[]): Leak[] {
  const bySignature = new Map<string, LeakReport[]>();
  for (const report of reports) {
    const joined = bySignature.get(report.signature);
    if (joined === undefined) bySignature.set(report.signature, [report]);
    else joined.push(report);
  }
  return [...bySignature.values()].map(
    (joined) => joined.sort((a, b) => (isSurer(a.certainty, b.certainty) ? -1 : 1)) as never,
  );
}

function verdict(leaks: readonly Leak[], paint: Paint): string {
  const isMisuse = ([surest]: Leak): boolean => wordsOf(surest).misuse !== undefined;
  const misuses = misuseCounts(leaks.filter(isMisuse));
  const lost = leaks.filter((leak) => !isMisuse(leak));
  if (lost.length === 0) return paint('red', `MISUSE  ${misuses.join(', ')}`);
  const certainties = lost.map(([surest]) => surest.certainty);
  const word = certainties.includes('certain')
    ? 'LEAK'
    : certainties.includes('probable')
      ? 'LEAK LIKELY'
      : 'LEAK SUSPECTED';
  const loans = countOf(lost.filter(([surest]) => wordsOf(surest).isPopulation !== true));
  const lostLoans = loans > 0 ? [plural(loans, 'lost loan')] : [];
  const counts = [plural(lost.length, 'leak'), ...lostLoans, ...misuses];
  return paint('red', `${word}  ${counts.join(', ')}`);
}

/** Says how many loans were misused in which way. */
function misuseCounts(misuses: readonly Leak[]): string[] {
  const counts = new Map<string, number>();
  for (const leak of misuses) {
    const done = wordsOf(leak[0]).misuse?.done ?? '';
    counts.set(done, (counts.get(done) ?? 0) + countOf([leak]));
  }
  return [...counts].map(([done, count]) => `${plural(count, 'loan')} ${done}`);
}

function summaryLine(leak: Leak, paint: Paint): string {
  const [{ scope }] = leak;
  const site = leak.find((report) => report.site !== undefined)?.site;
  const where = site === undefined ? 'unknown line' : framed(site);
  return `${headOf(leak)}  ${paint('yellow', where)}${scope === undefined ? '' : `  in ${scope}`}`;
}

/** Gives a copy of plain data in which each text is printable. */
function withPrintableTexts<T>(value: T): T {
  return (
    typeof value === 'string'
      ? printable(value)
      : Array.isArray(value)
        ? value.map(withPrintableTexts)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(
              Object.entries(value).map(([name, each]) => [name, withPrintableTexts(each)]),
            )
          : value
  ) as T;
}
