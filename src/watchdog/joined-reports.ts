/**
 * Which groups of losses are one leak. The ledger has a group for each rule, line and certainty. One line may be found by several
 * rules: of its loans some are orphaned, and the others keep the pool exhausted. A level that takes the stacks of some loans has losses
 * with the line and others without. A person wants one report of all:
 *
 * ```
 *   orphaned   pool "db"  use  GET /a   orders.ts:7   ×1  ──┐
 *   exhausted  pool "db"  use  GET /a   orders.ts:7   ×2  ──┤
 *   orphaned   pool "db"  use  GET /a   no line       ×14 ──┴──▶ orders.ts:7 ×17, 14 of them without a line
 *   orphaned   pool "db"  use  GET /b   no line       ×3  ─────▶ a leak of its own, perhaps of orders.ts:7
 * ```
 *
 * Losses without a line are joined to a line if it is the only one that loses loans of their function, part and scope, under any rule. That
 * the loans of another scope come from that line, too, is no reason: a rare path loses what the usual path does not, and its
 * stack is taken last. The report names such lines as possible. What has no line at all is one leak of its component, as the losses of
 * several scopes are.
 */
import type { Frame } from '../core/call-site.js';
import { type LeakGroup, MILLIS_PER_MINUTE, MOST_LISTED, sumSites } from './leak-group.js';
import type { LeakGroups } from './leak-groups.js';
import type { CountedRule, CountedScope, CountedSite, LeakReport } from './leak-report.js';
import { sumByKey } from './sum-by-key.js';

/** The leaks of one ledger, as long as its groups stay as they are. */
export class JoinedLeaks {
  readonly #groups: LeakGroups;
  /** The groups of one leak, as far as they were asked for. */
  readonly #leaks = new Map<LeakGroup, readonly LeakGroup[]>();
  /** The line of losses without one, as far as it was asked for. */
  readonly #places = new Map<LeakGroup, string | undefined>();

  constructor(groups: LeakGroups) {
    this.#groups = groups;
  }

  /**
   * Gives the groups that are one leak with a group: those with a line first, then in the order of the rules, the surest of a rule
   * first. The first one gives the leak its signature. O(groups of the component) for losses without a line.
   */
  of(group: LeakGroup): readonly LeakGroup[] {
    let leak = this.#leaks.get(group);
    if (leak === undefined) {
      leak = this.#find(group);
      for (const each of leak) this.#leaks.set(each, leak);
    }
    return leak;
  }

  #find(group: LeakGroup): readonly LeakGroup[] {
    if (!group.isOfLoans) return [group];
    const place = group.line === '' ? this.#placeOf(group) : group.place;
    const found = place === undefined ? [] : this.#groups.lostAt(place);
    for (const other of this.#groups.lostAt(group.placeWithoutLine)) {
      if (this.#placeOf(other) === place) found.push(other);
    }
    return found;
  }

  /** Gives the lines that losses without one may be of, the most numerous first. O(groups of the component). */
  possibleSites(group: LeakGroup): CountedSite[] {
    if (!group.isOfLoans || !group.canJoin) return [];
    const sites = [...this.#groups.lostWithLine(group)]
      .filter((other) => other.isLentLike(group))
      .map((other) => ({ ...(other.site as Frame), depth: 0, count: other.count }));
    return sumSites(sites).slice(0, MOST_LISTED);
  }

  /** The place of the line that losses without one belong to: the only one that loses loans of each of their kinds. */
  #placeOf(group: LeakGroup): string | undefined {
    if (!this.#places.has(group)) this.#places.set(group, this.#findPlaceOf(group));
    return this.#places.get(group);
  }

  #findPlaceOf(group: LeakGroup): string | undefined {
    if (!group.canJoin) return undefined;
    let place: string | undefined;
    for (const other of this.#groups.lostWithLine(group)) {
      if (!other.isLike(group)) continue;
      if (place !== undefined && other.place !== place) return undefined;
      place = other.place;
    }
    return place !== undefined && group.isCoveredBy(this.#groups.lostAt(place)) ? place : undefined;
  }
}

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
