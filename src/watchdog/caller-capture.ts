/**
 * Captures who asks for a loan of one component: the function, the scope and the owner in which it is called, and a stack if the sample
 * takes one. Here it is decided which loans are tracked. The others have the one origin {@link UNTRACKED}, and are counted.
 */
import { captureStack, DEFAULT_DEPTH } from '../core/call-site.js';
import type { EntryPoint, Origin } from '../core/probe.js';
import { type CallOrigin, NO_ORIGIN } from './call-origin.js';
import type { LoanSample } from './loan-sample.js';
import type { LoanTracker } from './loan-tracker.js';
import { StackSample } from './stack-sample.js';

/** The origin of a loan that is counted and not tracked. */
export const UNTRACKED: Origin = {};

export class CallerCapture {
  readonly #tracker: LoanTracker;
  readonly #stackSample: StackSample;
  readonly #loanSample: LoanSample;
  /** Whether the component reports the loans that last, so that one without a stack and an owner need not be tracked before. */
  tellsLasting = false;
  /** The function of the component that lent the last loan that is not tracked. */
  untrackedCall: CallOrigin['call'] = NO_ORIGIN.call;
  /** The origin of the last loan without a stack. Most loans of a scope have the same, and share it. */
  #lastOrigin: CallOrigin = NO_ORIGIN;

  constructor(tracker: LoanTracker) {
    this.#tracker = tracker;
    this.#stackSample = new StackSample(tracker.levelPlan, tracker, tracker);
    this.#loanSample = tracker.newLoanSample();
  }

  /** Takes the stacks of the next loans: the line of a lost loan is unknown. */
  captureNextStacks(): void {
    this.#loanSample.trackNext();
    this.#stackSample.captureNextStacks();
  }

  /** Tracks many of the next loans: the component is exhausted, and its holders were not tracked. */
  trackMany(): void {
    this.#loanSample.trackMany();
  }

  /** Gives the origin of a call of `entry`, in the current async flow. `taken` is its stack, if the component has taken one. */
  capture(entry: EntryPoint, taken?: string): Origin {
    const tracker = this.#tracker;
    tracker.noteActivity();
    const scope = tracker.currentScope();
    const owner = tracker.holders.currentOwner();
    if (scope !== undefined) scope.activeAt = tracker.loanTime();
    const isOwned = scope !== undefined || owner !== undefined;
    if (!this.#loanSample.sampleNext(isOwned)) return this.#untracked(entry);
    if (taken !== undefined || this.#stackSample.sampleNext(isOwned)) {
      const { stackDepth } = tracker.levelPlan;
      const stack =
        taken === undefined || stackDepth > DEFAULT_DEPTH ? captureStack(entry, stackDepth) : taken;
      return { call: entry, stack, scope, owner } satisfies CallOrigin;
    }
    if (this.tellsLasting && !isOwned) return this.#untracked(entry);
    const last = this.#lastOrigin;
    if (last.call === entry && last.scope === scope && last.owner === owner) return last;
    this.#lastOrigin = { call: entry, stack: undefined, scope, owner };
    return this.#lastOrigin;
  }

  #untracked(entry: EntryPoint): Origin {
    this.untrackedCall = entry;
    return UNTRACKED;
  }
}
