/** Prints reports for people: the verdict, then for each leak its line, the state of its component, and the fix. */
import { type Frame, formatPosition, isApplicationFrame } from '../core/call-site.js';
import {
  aBoolean,
  countOrInfinity,
  type OptionTable,
  option,
  resolveOptions,
} from '../core/options.js';
import type { LeakReport } from './leak-report.js';
import { RULES } from './rules/rules.js';

/** Options of {@link formatReport}. */
export interface FormatOptions {
  /**
   * Whether to use ANSI colours.
   *
   * @default false
   */
  readonly colour?: boolean;
  /**
   * How many leaks to print in full; one line counts the rest.
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
}

const FORMAT_OPTIONS: OptionTable<Required<FormatOptions>> = {
  colour: option(aBoolean, false),
  maxLeaks: option(countOrInfinity(0), 10),
  maxFrames: option(countOrInfinity(0), 3),
};

/**
 * Gives reports as text: the verdict first, then each leak with its line, the component's state, the evidence and the fix.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
 *
 * @example
 * ```ts
 * import { formatReport } from 'tenure/watchdog';
 *
 * formatReport([]); // => 'NO LEAKS'
 * ```
 */
export function formatReport(reports: readonly LeakReport[], options: FormatOptions = {}): string {
  const { colour, maxLeaks, maxFrames } = resolveOptions('formatReport', options, FORMAT_OPTIONS);
  const paint = colour ? ansi : plain;
  if (reports.length === 0) return paint('green', 'NO LEAKS');
  const blocks = reports
    .slice(0, maxLeaks)
    .map((report) => leakLines(printable(report), paint, maxFrames).join('\n'));
  const hidden = reports.length - blocks.length;
  if (hidden > 0) blocks.push(`… and ${hidden} more`);
  return [verdict(reports, paint), ...blocks].join('\n\n');
}

function verdict(reports: readonly LeakReport[], paint: Paint): string {
  const loans = reports.reduce((sum, report) => sum + report.count, 0);
  const certain = reports.some((report) => report.certainty === 'certain');
  const probable = reports.some((report) => report.certainty === 'probable');
  const word = certain ? 'LEAK' : probable ? 'LEAK LIKELY' : 'LEAK SUSPECTED';
  return paint('red', `${word}  ${plural(reports.length, 'line')}, ${plural(loans, 'lost loan')}`);
}

function leakLines(report: LeakReport, paint: Paint, maxFrames: number): string[] {
  const { component, site, stack, scope, lastTouch, state } = report;
  const rule = RULES[report.rule];
  const head = `${report.rule}  ${component.kind} "${component.name}"  ${report.certainty}  ×${report.count}`;
  const lines = [
    `${paint('bold', head)}  (oldest ${duration(report.ageMillis)})`,
    `  ${rule.whatHappened(report)}`,
  ];
  if (site === undefined) {
    lines.push(
      '  acquired at  unknown: no stack was taken; the next loans of this component have theirs taken',
    );
  } else {
    lines.push(`  acquired at  ${paint('yellow', framed(site))}`);
    const at = stack.findIndex((frame) => framed(frame) === framed(site));
    const callers = stack.slice(at + 1).filter(isApplicationFrame);
    for (const frame of callers.slice(0, maxFrames)) lines.push(`               ${framed(frame)}`);
  }
  if (scope !== undefined && rule.namesScope !== true) lines.push(`  in scope     ${scope}`);
  if (lastTouch !== undefined) {
    lines.push(`  last touch   "${lastTouch.hint}" ${duration(lastTouch.agoMillis)} ago`);
  }
  if (state !== undefined) lines.push(`  ${component.kind.padEnd(12)} ${describeState(state)}`);
  lines.push(`  evidence     ${describeEvidence(report)}`);
  lines.push(`  fix          ${report.fix}`, `  sig          ${report.signature}`);
  return lines;
}

function framed(frame: Frame): string {
  return frame.functionName === ''
    ? formatPosition(frame)
    : `${formatPosition(frame)}  ${frame.functionName}`;
}

function describeEvidence({ rule, evidence }: LeakReport): string {
  const evidenceOfRule = RULES[rule].evidence;
  const simulated = [
    ...(evidenceOfRule === undefined ? [] : [evidenceOfRule]),
    ...(evidence.generation === undefined ? [] : [`generation ${evidence.generation}`]),
  ];
  return [
    ...(simulated.length > 0 ? [`simulated: ${simulated.join(', ')}`] : []),
    `V8: its handle ${evidence.v8 === 'collected' ? 'was collected' : 'is not collected'}`,
  ].join('; ');
}

/** Gives a pool's figures as a phrase, and any other component's as they are. */
function describeState(state: NonNullable<LeakReport['state']>): string {
  const { borrowed, max, pending } = state;
  if (borrowed !== undefined && max !== undefined) {
    return `${borrowed}/${max} out, ${pending ?? 0} waiting`;
  }
  return Object.entries(state)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function duration(millis: number): string {
  if (millis < 1_000) return `${Math.round(millis)}ms`;
  if (millis < 60_000) return `${(millis / 1_000).toFixed(1)}s`;
  const minutes = Math.floor(millis / 60_000);
  if (minutes < 60) return `${minutes}m${Math.floor((millis % 60_000) / 1_000)}s`;
  return `${Math.floor(minutes / 60)}h${minutes % 60}m`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

type Paint = (style: keyof typeof ANSI, text: string) => string;

const ANSI = { bold: 1, red: 31, green: 32, yellow: 33 } as const;

const plain: Paint = (_style, text) => text;

const ansi: Paint = (style, text) => `\u001b[${ANSI[style]}m${text}\u001b[0m`;

/** Control characters, and those that change the direction of text. In a name they would forge lines of the report. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Gives a copy of plain data in which each text is printable. */
function printable<T>(value: T): T {
  return (
    typeof value === 'string'
      ? value.replace(UNPRINTABLE, escaped)
      : Array.isArray(value)
        ? value.map(printable)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, printable(each)]))
          : value
  ) as T;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
