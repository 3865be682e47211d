/**
 * Losses without a line that belong to a leak with one. A level that takes the stacks of some loans finds one leak twice: the loans whose
 * stacks were taken have the line, the others have none. They are one leak if only one line comes into question:
 *
 * ```
 *   orphaned  pool "db"  use  GET /a   orders.ts:7   ×1  ──┐
 *   orphaned  pool "db"  use  GET /a   no line       ×14 ──┴──▶ orders.ts:7 ×15, 14 of them without a line
 *   orphaned  pool "db"  use  GET /b   no line       ×3  ─────▶ a leak of its own
 * ```
 */
import { isSurer } from './certainty.js';
import { type LeakGroup, MOST_LISTED } from './leak-group.js';
import type { CountedScope, LeakReport } from './leak-report.js';

/**
 * Gives the leak with a line that losses without one belong to: its line is the only one that loses loans of their kinds. Of the groups of
 * that line it is the one of their certainty, or else the surest. `undefined` if there is none. O(groups).
 */
export function lineOf(group: LeakGroup, groups: Iterable<LeakGroup>): LeakGroup | undefined {
  if (!group.canJoin) return undefined;
  let found: LeakGroup | undefined;
  for (const other of groups) {
    if (other.line === '' || !other.isLike(group)) continue;
    if (found !== undefined && other.line !== found.line) return undefined;
    if (found === undefined || isBetter(other, found, group)) found = other;
  }
  return found?.covers(group) === true ? found : undefined;
}

function isBetter(other: LeakGroup, found: LeakGroup, { certainty }: LeakGroup): boolean {
  if (found.certainty === certainty) return false;
  return other.certainty === certainty || isSurer(other.certainty, found.certainty);
}

/** Joins the report of losses without a line to that of their line. */
export function joinReports(line: LeakReport, without: LeakReport): LeakReport {
  const { scopes, unlisted } = joinScopes(line.scopes, without.scopes);
  const perMinute = (line.perMinute ?? 0) + (without.perMinute ?? 0);
  return {
    ...line,
    ...(scopes[0] !== undefined && { scope: scopes[0].scope }),
    scopes,
    unlisted: {
      stacks: line.unlisted.stacks,
      scopes: line.unlisted.scopes + without.unlisted.scopes + unlisted,
    },
    ...joinUntracked(line.untracked, without.untracked),
    withoutLine: without.count,
    count: line.count + without.count,
    ageMillis: Math.max(line.ageMillis, without.ageMillis),
    firstSeenMillis: Math.max(line.firstSeenMillis, without.firstSeenMillis),
    lastSeenMillis: Math.min(line.lastSeenMillis, without.lastSeenMillis),
    ...(perMinute > 0 && { perMinute }),
  };
}

function joinScopes(some: readonly CountedScope[], others: readonly CountedScope[]) {
  const counts = new Map<string, number>();
  for (const { scope, count } of [...some, ...others]) {
    counts.set(scope, (counts.get(scope) ?? 0) + count);
  }
  const all = [...counts]
    .map(([scope, count]) => ({ scope, count }))
    .sort((a, b) => b.count - a.count);
  const unlisted = all.slice(MOST_LISTED).reduce((sum, { count }) => sum + count, 0);
  return { scopes: all.slice(0, MOST_LISTED), unlisted };
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
      heldMillis: heldMillis.slice(0, MOST_LISTED),
    },
  };
}
