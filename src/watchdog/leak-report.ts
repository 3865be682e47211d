/** What the watchdog says about a leak, as data. */
import type { Frame } from '../core/call-site.js';
import type { ComponentStats } from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { Certainty } from './certainty.js';
import type { LeakRule } from './rules/rules.js';

/** All leaks of one kind from one line, counted together. */
export interface LeakReport {
  /** The rule that found it. */
  readonly rule: LeakRule;
  /** How sure it is. */
  readonly certainty: Certainty;
  /** The component whose property was not given back. */
  readonly component: {
    /** `'pool'`, `'cache'`, … */
    readonly kind: string;
    /** The name that its user gave it. */
    readonly name: string;
  };
  /** The line that took the loan: the innermost frame of the application's own code. Absent if no stack was taken. */
  readonly site?: Frame;
  /** The whole stack that was taken, innermost first; empty if none was. */
  readonly stack: readonly Frame[];
  /** The scope in which it was taken, outermost first, joined by ` > `. */
  readonly scope?: string;
  /** How many loans are lost in this way and have not come back. */
  readonly count: number;
  /** Age of the oldest of them, in milliseconds. */
  readonly ageMillis: number;
  /** What the holder did last, if it said so. */
  readonly lastTouch?: {
    /** What it called it. */
    readonly hint: string;
    /** How long ago, in milliseconds. */
    readonly agoMillis: number;
  };
  /** The component's figures when the report was made; absent once the component is gone. */
  readonly state?: ComponentStats;
  /** What the two collectors say of the latest of these loans. */
  readonly evidence: {
    /** Its generation in the simulated heap; absent once its component has taken it back. */
    readonly generation?: NodeGeneration;
    /** Whether V8 has collected the object through which it could have been ended. */
    readonly v8: 'collected' | 'not collected';
  };
  /** What to change, in one sentence. */
  readonly fix: string;
  /** The same for the same rule, component, scope and line, in every run: for deduplication and suppression. */
  readonly signature: string;
}
