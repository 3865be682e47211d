/** A leak as data. */
import type { Frame } from '../core/call-site.js';
import type { OptionCheck } from '../core/options.js';
import type { ComponentStats } from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { Certainty } from './certainty.js';
import type { SiteCounters } from './heap-evidence.js';
import type { LeakRule } from './rules/rules.js';

/** A line of the application that led to lost loans. */
export interface CountedSite extends Frame {
  /** How far it is from the acquiring line, which has 0. Its caller has 1. */
  readonly depth: number;
  /** How many of the loans it led to. */
  readonly count: number;
}

/** A scope in which loans were lost. */
export interface CountedScope {
  /** Its name without ids, as in `GET /orders/:id`, after those of the scopes around it; outermost first, joined by ` > `. */
  readonly scope: string;
  /** How many of the loans it took. */
  readonly count: number;
}

/** A rule that has found lost loans. */
export interface CountedRule {
  /** Its name. */
  readonly rule: LeakRule;
  /** How many of the loans it has found. */
  readonly count: number;
}

/**
 * The loans that one line has lost, of which the watchdog is equally sure. Reports with the same signature belong together.
 *
 * In a template string, a report is one line: what is lost, where, since when, and the fix. `formatReport` gives more.
 */
export interface LeakReport {
  /** The rule that found the loans. Of several, the first one in the list of rules that has found loans of the line. */
  readonly rule: LeakRule;
  /** The rules that found the loans, each with its count. Absent if {@link rule} found all of them. */
  readonly rules?: readonly CountedRule[];
  /** How sure the watchdog is of each of the loans. Loans of which it is surer, or less sure, have a report of their own. */
  readonly certainty: Certainty;
  /** The component that lent the resources. */
  readonly component: {
    /** `'pool'`, `'cache'`, … */
    readonly kind: string;
    /** The name that its user gave it. */
    readonly name: string;
    /** The part that lent the latest of them, such as the key of a pool by key. */
    readonly part?: string;
  };
  /** The line that took the loans: the innermost frame of the application's own code. Absent if no stack was taken. */
  readonly site?: Frame;
  /** The whole stack that took most of the loans, innermost first; empty if none was taken. */
  readonly stack: readonly Frame[];
  /**
   * The line that took the loans, then its callers, each with its count; by depth, the most numerous first. At most 6 lines
   * of each of 32 stacks.
   */
  readonly sites: readonly CountedSite[];
  /** For a loan that was ended twice: the line that ended it first. `site` is the line that ended it again. */
  readonly earlier?: Frame;
  /** The scope that took most of the loans; absent outside of any scope. */
  readonly scope?: string;
  /** The scopes that took the loans, the most numerous first; at most 32. */
  readonly scopes: readonly CountedScope[];
  /** How many of the loans are not counted in `sites` and in `scopes`, because there are too many. */
  readonly unlisted: {
    /** Loans whose stacks are not counted. */
    readonly stacks: number;
    /** Loans whose scopes are not counted. */
    readonly scopes: number;
  };
  /** The function of the component that lent the latest of the loans: `'lease'`, `'acquire'`, `'use'`, … */
  readonly call?: string;
  /**
   * Set if the component did not lend them: other code took them from the pool underneath, so that no line is known. Then
   * `ageMillis` begins with the first look that has found them.
   */
  readonly isDirect?: true;
  /**
   * The loans that the watchdog had not tracked, since its level tracks a sample or they began before its watch. Their pool has told of
   * them when it was exhausted. Absent if there are none.
   */
  readonly untracked?: {
    /** How many of the loans these are. */
    readonly count: number;
    /** For how long they are out, in milliseconds, the longest first; at most 32. To within a second. */
    readonly heldMillis: readonly number[];
  };
  /**
   * How many of the loans have no recorded line, since the stacks of some loans only are taken: they are of the component,
   * function and scope of this line, and no other line loses such loans. Absent if there are none.
   */
  readonly withoutLine?: number;
  /**
   * The lines that the loans may be of, if no line is known: those of the component that lose loans of the same function, in other
   * scopes or beside each other. The loans may be of another line as well. The most numerous first, at most 32; each with the count of
   * the loans that it is known to have lost. Absent if there are none.
   */
  readonly possibleSites?: readonly CountedSite[];
  /** How many loans are lost and have not come back. */
  readonly count: number;
  /** The age of the oldest of them, in milliseconds. */
  readonly ageMillis: number;
  /** How long ago the first of them was found to be lost, in milliseconds. */
  readonly firstSeenMillis: number;
  /** How long ago the last of them was found to be lost, in milliseconds. */
  readonly lastSeenMillis: number;
  /**
   * How many loans a minute were lost between the first and the last; absent if there was one, or if all were found at once. A
   * loan that came back since counts.
   */
  readonly perMinute?: number;
  /** What the holder of the latest of them last did with it; absent if it has not said so. */
  readonly lastTouch?: {
    /** The holder's own word for it. */
    readonly hint: string;
    /** How long ago, in milliseconds. */
    readonly agoMillis: number;
  };
  /** The component's figures when the report was made; absent once the component is gone. */
  readonly state?: ComponentStats;
  /** What the two collectors say about the latest of them. */
  readonly evidence: {
    /** Its generation in the simulated heap; absent once its component has taken it back by force. */
    readonly generation?: NodeGeneration;
    /** Whether V8 has collected the object through which it could have been ended. A loan of `acquire()` or `use()` has none. */
    readonly v8: 'collected' | 'not collected' | 'no handle';
    /** Live objects at full collections of the simulated heap, the oldest first. Only the rule *growth* has them. */
    readonly counts?: readonly number[];
    /** The shortest time between two of these counts, in milliseconds. */
    readonly countsEveryMillis?: number;
  };
  /** The nodes of the simulated heap from a root to the latest of them, the root first; absent once that has ended. */
  readonly path?: readonly string[];
  /** The nodes of the unreachable cycle that the latest of them was found in. */
  readonly cycle?: readonly string[];
  /** What the simulated heap counts of the loans of its site, by generation. */
  readonly counters?: SiteCounters;
  /** The owner that held the latest of them, if that was no scope: an entry, a value, a resource or a stack. */
  readonly owner?: string;
  /** The kind of the objects, if the leak is no loan. */
  readonly members?: string;
  /** What to change in the code that took the loans. */
  readonly fix: string;
  /**
   * 8 hexadecimal digits, equal in every run for one rule, component, function and file. They survive an edit of other code
   * and a rebuild. Functions without a name of one file share them. All reports of a line that several rules find have those of the rule
   * that is first in the list of rules. Use them to find duplicates and to suppress known leaks.
   */
  readonly signature: string;
}

/** From this column on, a line is one that no person writes. */
const MINIFIED_COLUMN = 500;

/** Whether a frame stands in a minified file. */
export function isMinified({ column }: Frame): boolean {
  return column >= MINIFIED_COLUMN;
}

/** Expects an array of reports. A promise of it is a `check` that was not awaited. */
export const someReports: OptionCheck = (value) =>
  Array.isArray(value) ? undefined : 'an array of reports, as check() gives it when it is awaited';
