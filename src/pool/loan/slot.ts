/**
 * A slot is the pool's record of one resource, from its birth until it is gone:
 *
 * ```
 *   created ──▶ idle ◀──▶ validating        (test on borrow)
 *      │         │ ▲           │
 *      └────┐    │ └─ resetting│
 *           ▼    ▼     ▲       ▼
 *          borrowed ───┘──────────▶ (any state) destroying ──▶ gone
 * ```
 *
 * A slot never refers to the lease it is out on: V8 must be able to collect a lease that was lost, which is how a
 * watchdog proves the loss. Slot and lease share a loan number instead; it changes when the loan ends.
 */
import { captureStack } from '../../core/call-site.js';
import type { Linked } from '../../core/linked-list.js';
import type { EntryPoint, NodeId } from '../../core/probe.js';
import type { DestroyReason } from '../factory.js';
import type { LoanInfo } from '../pool-stats.js';
import { LoanTracking } from './loan-tracking.js';

/** Who a loan is given back to. */
export interface Lender<T> {
  readonly name: string;
  /** Takes a borrowed slot back; settles when the resource has been reset and validated. Never rejects. */
  takeBack(slot: Slot<T>): void | Promise<void>;
  /** Takes a borrowed slot back and destroys its resource; settles when it is gone. Never rejects. */
  discard(slot: Slot<T>, reason: string): Promise<void>;
  /** Ends a loan by letting its holder keep the resource. */
  detach(slot: Slot<T>): void;
  /** The holder did something with the loan. */
  touched(slot: Slot<T>, hint: string | undefined): void;
  /** The holder means to keep the loan for so long. */
  expected(slot: Slot<T>, millis: number): void;
}

/** Where a resource is in its life. */
export type SlotState = 'idle' | 'validating' | 'borrowed' | 'resetting' | 'destroying' | 'gone';

/** The time that an idle slot has until a sweep first sees it. */
export const UNSEEN = -1;

/** The uses left to a resource that may be lent without limit: counting down from here never comes to 0. */
const UNLIMITED = -1;

/** The pool's record of one resource. */
export class Slot<T> implements Linked<Slot<T>> {
  previous: Slot<T> | null = null;
  next: Slot<T> | null = null;
  state: SlotState = 'idle';
  readonly resource: T;
  /** To whom it is given back. */
  readonly lender: Lender<T>;
  /** When its time is over. */
  expiresAt: number;
  /** Why it is destroyed then. */
  expiryReason: DestroyReason = 'lifetime';
  /** How many loans have ended: the number of the current one. */
  loan = 0;
  /** How many loans are left to it; below 0 if they are not limited. */
  usesLeft: number;
  borrowedAt = 0;
  /** What is known of the current loan besides, if anything. */
  tracking: LoanTracking | null = null;
  /** The stack of who ended the last loan, if that is in the sample. */
  endStack: string | undefined = undefined;
  /** When it was last known to be good: at its birth, when it was lent, or when a keepalive said so. */
  validatedAt = 0;
  takenBy: LoanInfo['takenBy'] = 'lease';
  /** When a sweep first saw it idle: never too early, so nothing is evicted before its time. */
  idleSince: number = UNSEEN;
  /** The node of the resource, while the pool is watched. */
  node: NodeId | undefined = undefined;
  #whenGone: Promise<void> | null = null;
  #reportGone: (() => void) | null = null;

  constructor(resource: T, lender: Lender<T>, expiresAt: number, maxUses: number) {
    this.resource = resource;
    this.lender = lender;
    this.expiresAt = expiresAt;
    this.usesLeft = maxUses === Number.POSITIVE_INFINITY ? UNLIMITED : maxUses;
  }

  /** The tracking of the current loan, begun if there is none. */
  track(): LoanTracking {
    this.tracking ??= new LoanTracking();
    return this.tracking;
  }

  /** Takes the line of who ends the loan in `entry`, if that of its beginning was taken. */
  noteEnd(entry: EntryPoint): void {
    this.endStack = this.tracking?.stack === undefined ? undefined : captureStack(entry);
  }

  /** Has the resource destroyed as soon as nobody holds it. */
  expire(reason: DestroyReason): void {
    this.expiresAt = Number.NEGATIVE_INFINITY;
    this.expiryReason = reason;
  }

  /** Settles when the resource has been destroyed, or has left the pool. */
  whenGone(): Promise<void> {
    if (this.state === 'gone') return Promise.resolve();
    this.#whenGone ??= new Promise((resolve) => {
      this.#reportGone = resolve;
    });
    return this.#whenGone;
  }

  /** The resource has been destroyed, or has left the pool. */
  markGone(): void {
    this.state = 'gone';
    this.#reportGone?.();
  }
}
