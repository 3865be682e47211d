/** A leak as data. */
import type { Frame } from '../core/call-site.js';
import type { ComponentStats } from '../core/probe.js';
import type { NodeGeneration } from '../gc/memory/node-generation.js';
import type { Certainty } from './certainty.js';
import type { LeakRule } from './rules/rules.js';

/** The loans that one line has lost in one scope by one rule. */
export interface LeakReport {
  /** The rule that found the leak. */
  readonly rule: LeakRule;
  /** How sure the rule is. */
  readonly certainty: Certainty;
  /** The component that lent the resources. */
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
  /** How many loans are lost and have not come back. */
  readonly count: number;
  /** The age of the oldest of them, in milliseconds. */
  readonly ageMillis: number;
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
    /** Whether V8 has collected the object through which it could have been ended. */
    readonly v8: 'collected' | 'not collected';
  };
  /** What to change in the code that took the loans. */
  readonly fix: string;
  /**
   * 8 hexadecimal digits, equal in every run for one rule, component, scope and line. Use them to find duplicates and to
   * suppress known leaks.
   */
  readonly signature: string;
}
