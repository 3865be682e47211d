/** Prints one leak: a head, then a line for each thing that is known of it. */
import { type Frame, formatPosition } from '../core/call-site.js';
import { plural } from '../core/plural.js';
import type { SiteCounters } from './heap-evidence.js';
import type { CountedSite, LeakReport } from './leak-report.js';
import { duration, type Paint, rateOf } from './report-words.js';
import { wordsOf } from './rules/rules.js';
import { sumByKey } from './sum-by-key.js';

/** The reports of one signature, the surest first. */
export type Leak = readonly [LeakReport, ...LeakReport[]];

/** How many lines are printed that the loans of a leak may be of. */
const MAX_POSSIBLE_SITES = 3;

/** How many untracked loans are printed of one leak. */
const MAX_HELD = 10;

/** How many acquiring lines and callers are printed of one leak. */
const MAX_SITES = 6;

/** How many scopes are printed of one leak. */
const MAX_SCOPES = 4;

/** How many counts of a population are printed. */
const MAX_COUNTS = 12;

/** What V8 shows of the handle of a loan. */
const V8_WORDS = {
  collected: 'its handle was collected',
  'not collected': 'its handle is not collected',
  'no handle': 'it has no handle',
} as const;

/** Gives how many loans or objects some leaks have. */
export function countOf(leaks: readonly Leak[]): number {
  return leaks.flat().reduce((sum, { count }) => sum + count, 0);
}

/** The rule, the component, and how many loans are lost with which certainty. */
export function headOf(leak: Leak): string {
  const [{ rule, component }] = leak;
  const counts = sumByKey(leak, ({ certainty }) => certainty).map(
    ({ certainty, count }) => `${certainty} ×${count}`,
  );
  return `${rule}  ${component.kind} "${component.name}"  ${counts.join(', ')}`;
}

/** Gives the lines of a leak. */
export function leakLines(leak: Leak, paint: Paint, maxFrames: number): string[] {
  const [surest] = leak;
  const { component, lastTouch, state, call } = surest;
  const head = `${paint('bold', headOf(leak))}  (oldest ${duration(longest(leak, 'ageMillis'))})`;
  const lines = [head, `  ${wordsOf(surest).whatHappened(surest)}`, ...rulesLine(leak)];
  lines.push(...siteLines(leak, paint, maxFrames), ...scopeLine(leak), ...untrackedLine(leak));
  if (lastTouch !== undefined) {
    lines.push(row('last touch', `"${lastTouch.hint}" ${duration(lastTouch.agoMillis)} ago`));
  }
  if (state !== undefined) {
    const part = component.part === undefined ? '' : `${JSON.stringify(component.part)}: `;
    lines.push(row(component.kind, `${part}${describeState(state)}`));
  }
  const verb = wordsOf(surest).misuse === undefined ? 'taken by' : 'ended by';
  lines.push(
    row('evidence', describeEvidence(surest)),
    ...heapLines(surest),
    row('fix', surest.fix),
    row('seen', `${seen(leak)}${call === undefined ? '' : `, ${verb} ${call}()`}`),
    row('sig', surest.signature),
  );
  return lines;
}

/** Gives a line of a leak: a label, and what it says. */
function row(label: string, text: string): string {
  return `  ${label.padEnd(12)} ${text}`;
}

/** The rules that found the loans, if several did. */
function rulesLine(leak: Leak): string[] {
  const found = leak.flatMap(({ rules, rule, count }) => rules ?? [{ rule, count }]);
  const rules = sumByKey(found, ({ rule }) => rule).map(({ rule, count }) => `${rule} ×${count}`);
  return rules.length > 1 ? [row('found by', rules.join(', '))] : [];
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
  const loans = countOf([leak]);
  const counted = (site: CountedSite): string =>
    isPopulation !== true && site.count < loans ? ` ×${site.count}` : '';
  const acquiring = sites.filter(({ depth }) => depth === 0);
  if (acquiring.length === 0) {
    return [row(label, `unknown: ${reasonOf(surest)}`), ...possibleLines(leak, paint)];
  }
  const callers = sites.filter(({ depth }) => depth > 0);
  const room = Math.max(MAX_SITES - acquiring.length, 0);
  const withoutLine = leak.reduce((sum, report) => sum + (report.withoutLine ?? 0), 0);
  const lines = [
    ...acquiring
      .slice(0, MAX_SITES)
      .map((site) => `${paint('yellow', framed(site))}${counted(site)}`),
    ...(withoutLine > 0 ? [`and ${withoutLine} more whose line was not recorded`] : []),
    ...callers.slice(0, Math.min(maxFrames, room)).map((site) => `${framed(site)}${counted(site)}`),
  ];
  const shown = lines.map((line, i) => row(i === 0 ? label : '', line));
  const { earlier } = surest;
  return earlier === undefined ? shown : [row('first ended', framed(earlier)), ...shown];
}

/** The lines that the loans may be of. */
function possibleLines(leak: Leak, paint: Paint): string[] {
  const possible = leak.flatMap(({ possibleSites = [] }) => possibleSites);
  const sites = [...new Map(possible.map((site) => [framed(site), site])).values()];
  const shown = sites.slice(0, MAX_POSSIBLE_SITES);
  const more = sites.length - shown.length;
  return [
    ...shown.map((site, i) => {
      const known = `which has lost ${plural(site.count, 'other loan')}`;
      return row(i === 0 ? 'perhaps at' : '', `${paint('yellow', framed(site))}, ${known}`);
    }),
    ...(more > 0 ? [row('', `or ${plural(more, 'other line')}`)] : []),
  ];
}

/** How many loans were not tracked, and how long the longest of them are out. */
function untrackedLine(leak: Leak): string[] {
  const untracked = leak.flatMap((report) => report.untracked ?? []);
  if (untracked.length === 0) return [];
  const count = untracked.reduce((sum, each) => sum + each.count, 0);
  const held = untracked.flatMap(({ heldMillis }) => heldMillis).sort((a, b) => b - a);
  const shown = held.slice(0, MAX_HELD).map(duration);
  if (count > shown.length) shown.push(`${count - shown.length} more`);
  return [row('not tracked', `${plural(count, 'loan')}, out for ${shown.join(', ')}`)];
}

/** Why no line is known. */
function reasonOf({ isDirect, members, untracked }: LeakReport): string {
  if (isDirect === true) return 'taken from the pool underneath, past the adopted one';
  if (members === 'scope') return 'a scope is known by its name only';
  return untracked === undefined
    ? 'no stack was taken; those of the next loans of this component are, unless the level is `counters`'
    : 'these loans were not tracked; the next ones of this component are';
}

/** The most numerous scopes, if the sentence of the rule does not name the only one. */
function scopeLine(leak: Leak): string[] {
  const scopes = sumByKey(
    leak.flatMap((report) => report.scopes),
    ({ scope }) => scope,
  ).sort((a, b) => b.count - a.count);
  const [only] = scopes;
  if (only === undefined) return [];
  if (scopes.length === 1) {
    return wordsOf(leak[0]).namesScope === true ? [] : [row('in scope', only.scope)];
  }
  const shown = scopes.slice(0, MAX_SCOPES).map(({ scope, count }) => `${scope} ×${count}`);
  const others = [
    ...scopes.slice(MAX_SCOPES).map(({ count }) => count),
    ...leak.map(({ unlisted }) => unlisted.scopes),
  ].reduce((sum, count) => sum + count, 0);
  if (others > 0) shown.push(`others ×${others}`);
  return [row('in scopes', shown.join(', '))];
}

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

function longest(leak: Leak, figure: 'ageMillis' | 'firstSeenMillis'): number {
  return Math.max(...leak.map((report) => report[figure]));
}

/** Gives the position of a line, and the function if it has a name. */
export function framed(frame: Frame): string {
  return frame.functionName === ''
    ? formatPosition(frame)
    : `${formatPosition(frame)}  ${frame.functionName}`;
}

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
  const lines = path.length === 0 ? [] : [row('path', path.join(' → '))];
  if (counters !== undefined) lines.push(row('heap', describeCounters(counters)));
  const { counts, countsEveryMillis = 0 } = evidence;
  if (counts !== undefined) lines.push(row('heap', describeCounts(counts, countsEveryMillis)));
  return lines;
}

function describeCounts(counts: readonly number[], everyMillis: number): string {
  const live = `live ${counts.slice(-MAX_COUNTS).join(', ')}`;
  const minutes = everyMillis / 60_000;
  return minutes > 1 ? `${live}: one count in ${minutes} minutes` : live;
}

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
