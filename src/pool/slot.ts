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
import type { LoanInfo } from './pool-stats.js';

/** Where a resource is in its life. */
export type SlotState = 'idle' | 'validating' | 'borrowed' | 'resetting' | 'destroying' | 'gone';

/** The time that an idle slot has until a sweep first sees it. */
export const UNSEEN = -1;

/** The pool's record of one resource. */
export class Slot<T> implements Linked<Slot<T>> {
  previous: Slot<T> | null = null;
  next: Slot<T> | null = null;
  state: SlotState = 'idle';
  readonly resource: T;
  /** When its lifetime is over. */
  readonly expiresAt: number;
  /** How many loans have ended: the number of the current one. */
  loan = 0;
  uses = 0;
  borrowedAt = 0;
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

  /** Settles when the resource has been destroyed. */
  whenGone(): Promise<void> {
    if (this.state === 'gone') return Promise.resolve();
    this.#whenGone ??= new Promise((resolve) => {
      this.#reportGone = resolve;
    });
    return this.#whenGone;
  }

  /** The resource has been destroyed. */
  depart(): void {
    this.state = 'gone';
    this.#reportGone?.();
  }
}
