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
import type { Linked } from '../core/linked-list.js';
import type { NodeId } from '../core/probe.js';
import type { DestroyReason } from './factory.js';
import type { LoanInfo } from './pool-stats.js';

/** Where a resource is in its life. */
export type SlotState = 'idle' | 'validating' | 'borrowed' | 'resetting' | 'destroying' | 'gone';

/** The time that an idle slot has until a sweep first sees it. */
export const UNSEEN = -1;

/** The beginning of a loan whose time is not being taken. */
export const UNTIMED = -1;

/** The pool's record of one resource. */
export class Slot<T> implements Linked<Slot<T>> {
  previous: Slot<T> | null = null;
  next: Slot<T> | null = null;
  state: SlotState = 'idle';
  readonly resource: T;
  /** When its time is over. */
  expiresAt: number;
  /** Why it is destroyed then. */
  doom: DestroyReason = 'lifetime';
  /** How many loans have ended: the number of the current one. */
  loan = 0;
  uses = 0;
  borrowedAt = 0;
  /** When this loan began, exactly, if its time is being taken; else `UNTIMED`. */
  timedFrom: number = UNTIMED;
  /** When it was last known to be good: at its birth, when it was lent, or when a keepalive said so. */
  provenAt = 0;
  takenBy: LoanInfo['takenBy'] = 'lease';
  /** When a sweep first saw it idle: never too early, so nothing is evicted before its time. */
  idleSince: number = UNSEEN;
  /** The node of the resource, while the pool is watched. */
  node: NodeId | undefined = undefined;
  /** The node of the loan, if it was watched from its start. */
  leaseNode: NodeId | undefined = undefined;
  #whenGone: Promise<void> | null = null;
  #reportGone: (() => void) | null = null;

  constructor(resource: T, expiresAt: number) {
    this.resource = resource;
    this.expiresAt = expiresAt;
  }

  /** Has the resource destroyed as soon as nobody holds it. */
  condemn(reason: DestroyReason): void {
    this.expiresAt = Number.NEGATIVE_INFINITY;
    this.doom = reason;
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
  depart(): void {
    this.state = 'gone';
    this.#reportGone?.();
  }
}
