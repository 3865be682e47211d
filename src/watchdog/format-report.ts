/** Prints reports for people: the verdict, then for each leak its line, the state of its component, and the fix. */
import { type Frame, formatPosition } from '../core/call-site.js';
import {
  aBoolean,
  checkArgument,
  countOrInfinity,
  type OptionTable,
  option,
  resolveOptions,
} from '../core/options.js';
import { printable } from '../core/printable.js';
import { isSurer } from './certainty.js';
import type { SiteCounters } from './heap-evidence.js';
import { type CountedSite, isMinified, type LeakReport, someReports } from './leak-report.js';
import { wordsOf } from './rules/rules.js';
import { sumByKey } from './sum-by-key.js';

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

/** The reports of one signature, the surest first. */
type Leak = readonly [LeakReport, ...LeakReport[]];

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

function countOf(leaks: readonly Leak[]): number {
  return leaks.flat().reduce((sum, { count }) => sum + count, 0);
}

function summaryLine(leak: Leak, paint: Paint): string {
  const [{ scope }] = leak;
  const site = leak.find((report) => report.site !== undefined)?.site;
  const where = site === undefined ? 'unknown line' : framed(site);
  return `${headOf(leak)}  ${paint('yellow', where)}${scope === undefined ? '' : `  in ${scope}`}`;
}

/** The rule, the component, and how many loans are lost with which certainty. */
function headOf(leak: Leak): string {
  const [{ rule, component }] = leak;
  const counts = sumByKey(leak, ({ certainty }) => certainty).map(
    ({ certainty, count }) => `${certainty} ×${count}`,
  );
  return `${rule}  ${component.kind} "${component.name}"  ${counts.join(', ')}`;
}

function leakLines(leak: Leak, paint: Paint, maxFrames: number): string[] {
  const [surest] = leak;
  const { component, lastTouch, state, call } = surest;
  const head = `${paint('bold', headOf(leak))}  (oldest ${duration(longest(leak, 'ageMillis'))})`;
  const lines = [head, `  ${wordsOf(surest).whatHappened(surest)}`, ...rulesLine(leak)];
  lines.push(...siteLines(leak, paint, maxFrames), ...scopeLine(leak), ...untrackedLine(leak));
  if (lastTouch !== undefined) {
    lines.push(`  last touch   "${lastTouch.hint}" ${duration(lastTouch.agoMillis)} ago`);
  }
  if (state !== undefined) {
    const part = component.part === undefined ? '' : `${JSON.stringify(component.part)}: `;
    lines.push(`  ${component.kind.padEnd(12)} ${part}${describeState(state)}`);
  }
  const verb = wordsOf(surest).misuse === undefined ? 'taken by' : 'ended by';
  lines.push(
    `  evidence     ${describeEvidence(surest)}`,
    ...heapLines(surest),
    `  fix          ${surest.fix}`,
    `  seen         ${seen(leak)}${call === undefined ? '' : `, ${verb} ${call}()`}`,
    `  sig          ${surest.signature}`,
  );
  return lines;
}

/** The rules that found the loans, if several did. */
function rulesLine(leak: Leak): string[] {
  const found = leak.flatMap(({ rules, rule, count }) => rules ?? [{ rule, count }]);
  const rules = sumByKey(found, ({ rule }) => rule).map(({ rule, count }) => `${rule} ×${count}`);
  return rules.length > 1 ? [`  found by     ${rules.join(', ')}`] : [];
}

/**
 * The lines that took the loans, and their callers. A line that did not lead to all of the loans has its count. Of a population only
 * the line of its latest member is known.
 */
function siteLines(leak: Leak, paint: Paint, maxFrames: number): string[] {
  const sites = sumByKey(
    leak.flatMap((report) => report.sites),
    (site) => `${site.depth} ${framed(site)}`,
  );
  const [surest] = leak;
  const { misuse, isPopulation, siteLabel = 'acquired at' } = wordsOf(surest);
  const label = misuse?.label ?? siteLabel;
  const loans = leak.reduce((sum, { count }) => sum + count, 0);
  const counted = (site: CountedSite): string =>
    isPopulation !== true && site.count < loans ? ` ×${site.count}` : '';
  const acquiring = sites.filter(({ depth }) => depth === 0);
  if (acquiring.length === 0) {
    return [`  ${label.padEnd(12)} unknown: ${reasonOf(surest)}`, ...possibleLines(leak, paint)];
  }
  const callers = sites.filter(({ depth }) => depth > 0);
  const room = Math.max(MOST_SITES - acquiring.length, 0);
  const withoutLine = leak.reduce((sum, report) => sum + (report.withoutLine ?? 0), 0);
  const lines = [
    ...acquiring
      .slice(0, MOST_SITES)
      .map((site) => `${paint('yellow', framed(site))}${counted(site)}`),
    ...(withoutLine > 0 ? [`and ${withoutLine} more whose line was not recorded`] : []),
    ...callers.slice(0, Math.min(maxFrames, room)).map((site) => `${framed(site)}${counted(site)}`),
  ];
  const shown = lines.map((line, i) => `  ${(i === 0 ? label : '').padEnd(12)} ${line}`);
  const { earlier } = surest;
  return earlier === undefined ? shown : [`  first ended  ${framed(earlier)}`, ...shown];
}

/** The lines that the loans may be of. */
function possibleLines(leak: Leak, paint: Paint): string[] {
  const possible = leak.flatMap(({ possibleSites = [] }) => possibleSites);
  const sites = [...new Map(possible.map((site) => [framed(site), site])).values()];
  const shown = sites.slice(0, MOST_POSSIBLE_SITES);
  const more = sites.length - shown.length;
  return [
    ...shown.map((site, i) => {
      const known = `which has lost ${plural(site.count, 'other loan')}`;
      return `  ${(i === 0 ? 'perhaps at' : '').padEnd(12)} ${paint('yellow', framed(site))}, ${known}`;
    }),
    ...(more > 0 ? [`  ${''.padEnd(12)} or ${plural(more, 'other line')}`] : []),
  ];
}

/** How many lines are printed that the loans of a leak may be of. */
const MOST_POSSIBLE_SITES = 3;

/** How many loans were not tracked, and how long the longest of them are out. */
function untrackedLine(leak: Leak): string[] {
  const untracked = leak.flatMap((report) => report.untracked ?? []);
  if (untracked.length === 0) return [];
  const count = untracked.reduce((sum, each) => sum + each.count, 0);
  const held = untracked.flatMap(({ heldMillis }) => heldMillis).sort((a, b) => b - a);
  const shown = held.slice(0, MOST_HELD).map(duration);
  if (count > shown.length) shown.push(`${count - shown.length} more`);
  return [`  not tracked  ${plural(count, 'loan')}, out for ${shown.join(', ')}`];
}

/** How many untracked loans are printed of one leak. */
const MOST_HELD = 10;

const DIRECT = 'taken from the pool underneath, past the adopted one';

const UNTRACKED = 'these loans were not tracked; the next ones of this component are';

/** Why no line is known. */
function reasonOf({ isDirect, members, untracked }: LeakReport): string {
  if (isDirect === true) return DIRECT;
  if (members === 'scope') return SCOPES;
  return untracked === undefined ? STACKLESS : UNTRACKED;
}

const SCOPES = 'a scope is known by its name only';

const STACKLESS =
  'no stack was taken; those of the next loans of this component are, unless the level is `counters`';

/** The most numerous scopes, if the sentence of the rule does not name the only one. */
function scopeLine(leak: Leak): string[] {
  const scopes = sumByKey(
    leak.flatMap((report) => report.scopes),
    ({ scope }) => scope,
  ).sort((a, b) => b.count - a.count);
  const [only] = scopes;
  if (only === undefined) return [];
  if (scopes.length === 1) {
    return wordsOf(leak[0]).namesScope === true ? [] : [`  in scope     ${only.scope}`];
  }
  const shown = scopes.slice(0, MOST_SCOPES).map(({ scope, count }) => `${scope} ×${count}`);
  const others = [
    ...scopes.slice(MOST_SCOPES).map(({ count }) => count),
    ...leak.map(({ unlisted }) => unlisted.scopes),
  ].reduce((sum, count) => sum + count, 0);
  if (others > 0) shown.push(`others ×${others}`);
  return [`  in scopes    ${shown.join(', ')}`];
}

/** How many acquiring lines and callers are printed of one leak. */
const MOST_SITES = 6;

/** How many scopes are printed of one leak. */
const MOST_SCOPES = 4;

/** When the loans were found to be lost. */
function seen(leak: Leak): string {
  const first = duration(longest(leak, 'firstSeenMillis'));
  const last = duration(Math.min(...leak.map(({ lastSeenMillis }) => lastSeenMillis)));
  if (first === last) return `${first} ago`;
  const rates = leak.flatMap(({ perMinute }) => (perMinute === undefined ? [] : [perMinute]));
  const perMinute = rates.reduce((sum, each) => sum + each, 0);
  const rate = perMinute === 0 ? '' : `, ${rateOf(perMinute)}`;
  return `first ${first} ago, last ${last} ago${rate}`;
}

/** A rate in the unit that gives at least one of them. */
function rateOf(perMinute: number): string {
  const [amount, unit] =
    perMinute >= 60
      ? [perMinute / 60, 's']
      : perMinute >= 1
        ? [perMinute, 'min']
        : [perMinute * 60, 'h'];
  return `${amount >= 10 ? Math.round(amount) : amount.toFixed(1)}/${unit}`;
}

function longest(leak: Leak, figure: 'ageMillis' | 'firstSeenMillis'): number {
  return Math.max(...leak.map((report) => report[figure]));
}

function framed(frame: Frame): string {
  return frame.functionName === ''
    ? formatPosition(frame)
    : `${formatPosition(frame)}  ${frame.functionName}`;
}

const V8_WORDS = {
  collected: 'its handle was collected',
  'not collected': 'its handle is not collected',
  'no handle': 'it has no handle',
} as const;

function describeEvidence(report: LeakReport): string {
  const { evidence } = report;
  const { evidence: evidenceOfRule, isPopulation } = wordsOf(report);
  const simulated = [
    ...(evidenceOfRule === undefined ? [] : [evidenceOfRule]),
    ...(evidence.generation === undefined ? [] : [`generation ${evidence.generation}`]),
  ];
  return [
    ...(simulated.length > 0 ? [`simulated: ${simulated.join(', ')}`] : []),
    ...(isPopulation === true ? [] : [`V8: ${V8_WORDS[evidence.v8]}`]),
  ].join('; ');
}

/** The path from a root of the simulated heap, and the counters of the site. */
function heapLines({ path = [], counters, evidence }: LeakReport): string[] {
  const lines = path.length === 0 ? [] : [`  path         ${path.join(' → ')}`];
  if (counters !== undefined) lines.push(`  heap         ${describeCounters(counters)}`);
  const { counts } = evidence;
  if (counts !== undefined)
    lines.push(`  heap         live ${counts.slice(-MOST_COUNTS).join(', ')}`);
  return lines;
}

/** How many counts of a population are printed. */
const MOST_COUNTS = 12;

function describeCounters({ born, live, freed, promoted, fullCollections }: SiteCounters): string {
  return [
    `${born} born here`,
    `live ${live.join('/')}`,
    `freed ${freed.join('/')}`,
    `promoted ${promoted.slice(0, 2).join('/')} (by generation)`,
    plural(fullCollections, 'full collection'),
  ].join(', ');
}

/** Gives a pool's figures as a phrase, and of any other component those that say something: neither 0 nor unlimited. */
function describeState(state: NonNullable<LeakReport['state']>): string {
  const { borrowed, max, pending, takenDirectly = 0 } = state;
  if (borrowed !== undefined && max !== undefined) {
    const direct = takenDirectly > 0 ? `, ${takenDirectly} of them taken directly` : '';
    return `${borrowed}/${max} out${direct}, ${pending ?? 0} waiting`;
  }
  const telling = Object.entries(state).filter(
    ([, value]) => value !== 0 && value !== Number.POSITIVE_INFINITY,
  );
  return telling.map(([name, value]) => `${name} ${Math.round(100 * value) / 100}`).join(', ');
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
