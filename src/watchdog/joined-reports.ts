/** Joins the reports of several groups of losses into one. */
import { MAX_LISTED, MILLIS_PER_MINUTE, sumSites } from './leak-group.js';
import type { CountedRule, CountedScope, LeakReport } from './leak-report.js';
import { sumByKey } from './sum-by-key.js';

/** Joins the reports of one leak and one certainty. The first one has the line, the evidence and the rule. */
export function joinReports(first: LeakReport, second: LeakReport): LeakReport {
  const { scopes, unlisted } = joinScopes(first.scopes, second.scopes);
  const withoutLine = withoutLineOf(first) + withoutLineOf(second);
  const rules = joinRules(first, second);
  const firstSeenMillis = Math.max(first.firstSeenMillis, second.firstSeenMillis);
  const lastSeenMillis = Math.min(first.lastSeenMillis, second.lastSeenMillis);
  const millis = firstSeenMillis - lastSeenMillis;
  return {
    ...first,
    ...(scopes[0] !== undefined && { scope: scopes[0].scope }),
    sites: sumSites([...first.sites, ...second.sites]),
    scopes,
    unlisted: {
      stacks: first.unlisted.stacks + second.unlisted.stacks,
      scopes: first.unlisted.scopes + second.unlisted.scopes + unlisted,
    },
    ...joinUntracked(first.untracked, second.untracked),
    ...(withoutLine > 0 && first.site !== undefined && { withoutLine }),
    ...(rules.length > 1 && { rules }),
    count: first.count + second.count,
    ageMillis: Math.max(first.ageMillis, second.ageMillis),
    firstSeenMillis,
    lastSeenMillis,
    ...(millis > 0 && {
      perMinute: ((foundOf(first) + foundOf(second) - 1) * MILLIS_PER_MINUTE) / millis,
    }),
  };
}

/** How many loans were found, with those that came back since: what the rate was drawn from. */
function foundOf({ perMinute, firstSeenMillis, lastSeenMillis, count }: LeakReport): number {
  if (perMinute === undefined) return Math.max(count, 1);
  return 1 + (perMinute * (firstSeenMillis - lastSeenMillis)) / MILLIS_PER_MINUTE;
}

function withoutLineOf({ site, withoutLine = 0, count }: LeakReport): number {
  return site === undefined ? count : withoutLine;
}

/** Counts the rules of some reports, the first one's first. */
function joinRules(...reports: readonly LeakReport[]): CountedRule[] {
  const rules = reports.flatMap(({ rules, rule, count }) => rules ?? [{ rule, count }]);
  return sumByKey(rules, ({ rule }) => rule).filter(({ count }) => count > 0);
}

function joinScopes(some: readonly CountedScope[], others: readonly CountedScope[]) {
  const all = sumByKey([...some, ...others], ({ scope }) => scope).sort(
    (a, b) => b.count - a.count,
  );
  const unlisted = all.slice(MAX_LISTED).reduce((sum, { count }) => sum + count, 0);
  return { scopes: all.slice(0, MAX_LISTED), unlisted };
}

function joinUntracked(
  some: LeakReport['untracked'],
  others: LeakReport['untracked'],
): Pick<LeakReport, 'untracked'> {
  if (some === undefined || others === undefined) {
    const untracked = some ?? others;
    return untracked === undefined ? {} : { untracked };
  }
  const heldMillis = [...some.heldMillis, ...others.heldMillis].sort((a, b) => b - a);
  return {
    untracked: {
      count: some.count + others.count,
      heldMillis: heldMillis.slice(0, MAX_LISTED),
    },
  };
}
