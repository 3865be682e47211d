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
 * Losses without a line are joined to a line if it is the only one that loses loans of their function and scope, under any rule. A part of
 * the component, such as a key, does not matter. That the loans of another scope come from that line, too, is no reason: a rare path loses
 * what the usual path does not, and its stack is taken last. The report names such lines as possible. What has no line at all is one leak of
 * its component, as the losses of several scopes are.
 */
import type { Frame } from '../core/call-site.js';
import { withText } from './format-report.js';
import { joinReports } from './joined-reports.js';
import { type LeakGroup, MAX_LISTED, sumSites } from './leak-group.js';
import type { LeakGroups } from './leak-groups.js';
import type { CountedSite, LeakReport } from './leak-report.js';

/** The leaks of one ledger, as long as its groups stay as they are. */
export class JoinedLeaks {
  readonly #groups: LeakGroups;
  readonly #suppressed: ReadonlySet<string>;
  /** The groups of one leak, as far as they were asked for. */
  readonly #leaks = new Map<LeakGroup, readonly LeakGroup[]>();
  /** The line of losses without one, as far as it was asked for. */
  readonly #places = new Map<LeakGroup, string | undefined>();

  /** Leaks whose signatures are in `suppressed` are not reported. */
  constructor(groups: LeakGroups, suppressed: ReadonlySet<string>) {
    this.#groups = groups;
    this.#suppressed = suppressed;
  }

  /** Reports each leak that is not suppressed, the most numerous first. The groups of one leak and one certainty are one report. */
  reports(now: number): LeakReport[] {
    return [...this.#groups]
      .filter((group) => !this.isSuppressed(group) && this.representativeOf(group) === group)
      .map((group) => this.reportOf(group, now))
      .sort((a, b) => b.count - a.count);
  }

  /** Reports a group with those of its leak and its certainty. All reports of a leak have one signature. */
  reportOf(group: LeakGroup, now: number): LeakReport {
    const [first = group] = this.of(group);
    const reports = this.#reportedWith(group)
      .filter((other) => other !== group)
      .map((other) => other.report(now));
    const joined = reports.reduce(joinReports, group.report(now));
    const { signature } = first;
    if (group.line === '' && first.line !== '') {
      return withText({ ...joined, withoutLine: joined.count, signature });
    }
    const possibleSites = group.line === '' ? this.#possibleSites(group) : [];
    return withText({ ...joined, ...(possibleSites.length > 0 && { possibleSites }), signature });
  }

  /** Gives the group that stands for all groups of a group's leak and certainty: its report is theirs. */
  representativeOf(group: LeakGroup): LeakGroup {
    return this.#reportedWith(group)[0] ?? group;
  }

  /** Whether the signature of a group, or that of its leak, is suppressed. */
  isSuppressed(group: LeakGroup): boolean {
    if (this.#suppressed.size === 0) return false;
    if (this.#suppressed.has(group.signature)) return true;
    const [first = group] = this.of(group);
    return this.#suppressed.has(first.signature);
  }

  /** The groups that one report is made of: those of a group's leak and certainty that are not suppressed. */
  #reportedWith(group: LeakGroup): LeakGroup[] {
    return this.of(group).filter(
      (other) => other.certainty === group.certainty && !this.isSuppressed(other),
    );
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

  /** The lines that losses without one may be of, the most numerous first. O(groups of the component). */
  #possibleSites(group: LeakGroup): CountedSite[] {
    if (!group.isOfLoans || !group.canJoin) return [];
    const sites = [...this.#groups.lostWithLine(group)]
      .filter((other) => other.isLentLike(group))
      .map((other) => ({ ...(other.site as Frame), depth: 0, count: other.count }));
    return sumSites(sites).slice(0, MAX_LISTED);
  }

  /** The place of the line that losses without one belong to: the only one that loses loans of each of their origins. */
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
