/**
 * A slot is the pool's record of one resource, from its creation until it is gone:
 *
 * ```
 *   created ──▶ idle ◀──▶ validating        (test on borrow)
 *      │         │ ▲           │
 *      └────┐    │ └─ resetting│
 *           ▼    ▼     ▲       ▼
 *          borrowed ───┘──────────▶ (any state) destroying ──▶ gone
 * ```
 *
 * A slot never refers to its lease. V8 can therefore collect a lease that its holder lost, and that proves the loss to a
 * watchdog. Slot and lease share a loan number instead, which changes when the loan ends.
 */
import { captureStack } from '../../core/call-site.js';
import type { Linked } from '../../core/linked-list.js';
import { checkArgument, millis } from '../../core/options.js';
import type { EntryPoint, Holder, Misuse, NodeId } from '../../core/probe.js';
import { endThenLookUp } from '../../core/thenable.js';
import type { DestroyReason } from '../factory.js';
import type { LoanInfo } from '../pool-stats.js';
import { LoanTracking } from './loan-tracking.js';

/** Told what holders do with their loans, for a watchdog. */
export interface HolderWatch<T> {
  /** The holder used the resource. */
  touched(slot: Slot<T>, hint: string | undefined): void;
  /** Another holder has the loan from now on. */
  transferred(slot: Slot<T>, to: Holder): void;
  /** The holder will keep the loan for up to `millis` milliseconds from now. */
  expected(slot: Slot<T>, millis: number): void;
  /** A loan that had ended was ended again. */
  misused(misuse: Misuse): void;
}

/** The pool that a loan is given back to. */
export interface Lender<T> {
  readonly name: string;
  /** Has the watch that is told what holders do with their loans, if there is one. */
  readonly origins: { readonly watch: HolderWatch<T> | null };
  /** Takes a borrowed slot back; settles when the resource has been reset and validated. Never rejects. */
  takeBack(slot: Slot<T>): void | Promise<void>;
  /** Takes a borrowed slot back and destroys its resource; settles when it is gone. Never rejects. */
  discard(slot: Slot<T>, reason: string): Promise<void>;
  /** Ends a loan; its holder keeps the resource. */
  detach(slot: Slot<T>): void;
  /** The holder had an error with the resource. */
  failed(slot: Slot<T>, error: unknown): void;
}

/** The state of a resource. */
export type SlotState =
  | 'new'
  | 'idle'
  | 'validating'
  | 'borrowed'
  | 'resetting'
  | 'destroying'
  | 'gone';

/** `idleSince` of an idle slot that no sweep has seen yet. */
export const UNSEEN = -1;

/** `usesLeft` of a resource that may be lent without limit: counting down from here never reaches 0. */
const UNLIMITED = -1;

/** The pool's record of one resource. */
export class Slot<T> implements Linked<Slot<T>> {
  previous: Slot<T> | null = null;
  next: Slot<T> | null = null;
  state: SlotState = 'new';
  /** The resource. A peer may give another wrapper of it for each loan. */
  resource: T;
  /** The pool that it is given back to. */
  readonly lender: Lender<T>;
  /** When the resource expires, on the pool's clock. */
  expiresAt: number;
  /** Why it is destroyed when it has expired. */
  expiryReason: DestroyReason = 'lifetime';
  /** The number of the current loan: how many have ended before. */
  loan = 0;
  /** How many loans are left; below 0 if they are not limited. */
  usesLeft: number;
  /** When the current loan began, in coarse time. */
  borrowedAt = 0;
  /** Optional details of the current loan. */
  tracking: LoanTracking | null = null;
  /** The stack that ended the last loan, if it was captured. */
  endStack: string | undefined = undefined;
  /** When it was last known to be good: created, or validated by a keepalive. */
  validatedAt = 0;
  /** The method that took the current loan. */
  takenBy: LoanInfo['takenBy'] = 'lease';
  /** When a sweep first saw it idle. Up to one tick late, so it is never evicted too early. */
  idleSince: number = UNSEEN;
  /** The serial of the watch that has given {@link node} and {@link loanNode}. A later one takes them for none. */
  watchSerial = 0;
  /** The resource's node in the observer's heap, while the pool is watched. */
  node: NodeId | undefined = undefined;
  /** The current loan's node in the observer's heap, if the pool was watched when the loan began. */
  loanNode: NodeId | undefined = undefined;
  /** Reports that the holder of a loan has ended it after a forced close had; `undefined` if no watchdog waits for that. */
  reportLateEnd: (() => void) | undefined = undefined;
  #whenGone: Promise<void> | null = null;
  #reportGone: (() => void) | null = null;

  constructor(resource: T, lender: Lender<T>, expiresAt: number, maxUses: number) {
    this.resource = resource;
    this.lender = lender;
    this.expiresAt = expiresAt;
    this.usesLeft = maxUses === Number.POSITIVE_INFINITY ? UNLIMITED : maxUses;
  }

  /** The details of the current loan, allocated on first use. */
  track(): LoanTracking {
    this.tracking ??= new LoanTracking();
    return this.tracking;
  }

  /** Captures the stack that ends the loan by `entry`, if the stack that began it was captured. */
  noteEnd(entry: EntryPoint): void {
    this.endStack = this.tracking?.stack === undefined ? undefined : captureStack(entry);
  }

  /** Tells a watchdog that the holder of a loan uses the resource. No effect after the end of the loan. */
  touch(loan: number, hint: string | undefined): void {
    if (this.loan === loan) this.lender.origins.watch?.touched(this, hint);
  }

  /** Tells a watchdog how long the holder of a loan will keep it from now on. No effect after the end of the loan. */
  expectHold(loan: number, holdMillis: number): void {
    checkArgument('expectHold', 'holdMillis', holdMillis, millis);
    if (this.loan === loan) this.lender.origins.watch?.expected(this, holdMillis);
  }

  /** Tells the pool of an error that the holder of a loan had. No effect after the end of the loan. */
  failed(loan: number, error: unknown): void {
    if (this.loan === loan) this.lender.failed(this, error);
  }

  /** The holder of a loan that a forced close had ended has ended it too. */
  endedLate(): void {
    const report = this.reportLateEnd;
    this.reportLateEnd = undefined;
    report?.();
  }

  /** Lets the resource expire now: it is destroyed as soon as no caller holds it. */
  expire(reason: DestroyReason): void {
    this.expiresAt = Number.NEGATIVE_INFINITY;
    this.expiryReason = reason;
  }

  /** Whether a caller waits until the resource is gone. */
  get isAwaited(): boolean {
    return this.#whenGone !== null;
  }

  /** Settles when the resource has been destroyed or detached. */
  whenGone(): Promise<void> {
    if (this.state === 'gone') return Promise.resolve();
    this.#whenGone ??= new Promise((resolve) => {
      this.#reportGone = resolve;
    });
    return this.#whenGone;
  }

  /** Records that the resource has been destroyed or detached. */
  markGone(): void {
    this.state = 'gone';
    this.#reportGone?.();
  }
}

endThenLookUp(Slot.prototype);
