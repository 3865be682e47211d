/**
 * Reports a pool's resources and loans to its observer. Each resource is a node from its creation until it is gone; each
 * loan that the observer asks for is a node while it is out. Loans that began before the watch are left out, because their callers are
 * not known.
 */
/// <reference lib="esnext.disposable" preserve="true" />

import { IN_USE } from '../../core/connection-use.js';
import { reportListeners, type WatchedListeners } from '../../core/listener-watch.js';
import { PendingNode } from '../../core/pending-node.js';
import type { Holder, LoanCounts, Misuse, NodeId, Observer, Origin } from '../../core/probe.js';
import { SharedWatch } from '../../core/shared-watch.js';
import { nextWatchSerial } from '../../core/watch-serial.js';
import type { PoolNumbers } from '../pool-stats.js';
import type { HolderWatch, Slot } from './slot.js';

/** The host of the loans: a pool, or an adopted pool. */
export interface WatchedLoans<T> {
  readonly name: string;
  readonly stock: { readonly slots: Iterable<Slot<T>> };
  readonly origins: { watch: LoanWatch<T> | null };
  readonly counters: { readonly loans: number; readonly borrowed: number };
  /** The listeners of its events, if it has some. */
  readonly events?: WatchedListeners;
  /** The figures that are numbers. */
  numbers(): PoolNumbers;
  /** The time on the clock by which loans begin, in milliseconds. */
  loanTime(): number;
  /** Whether the holder of a resource uses it, although it asks nothing of the pool; `undefined` if that is not known of any. */
  readonly isInUse?: ((resource: T) => boolean) | undefined;
  /** Called with a loan that no code can end any more. */
  abandoned?(slot: Slot<T>): void;
}

/** The age from which on a loan is asked for its use, in milliseconds. A look at a busy pool would have each of its loans tracked. */
const MIN_AGE_MILLIS = 1_000;

/** The watch over the loans of one pool. */
export class LoanWatch<T> extends SharedWatch implements HolderWatch<T> {
  readonly kind = 'pool';
  readonly name: string;
  override readonly endedBy = 'close()';
  readonly #pool: WatchedLoans<T>;
  readonly #serial = nextWatchSerial();

  constructor(pool: WatchedLoans<T>, observer: Observer) {
    super(observer, `the pool '${pool.name}'`);
    this.name = pool.name;
    this.#pool = pool;
    if (pool.isInUse !== undefined) this.look ??= () => this.lookAtUse();
  }

  stats(): Readonly<Record<string, number>> {
    return this.#pool.numbers();
  }

  override loanCounts(): LoanCounts {
    const { borrowed, loans } = this.#pool.counters;
    return { out: borrowed, begun: loans };
  }

  /** Tells which loans are in use. O(resources) for a pool that knows it. */
  protected lookAtUse(): void {
    const { isInUse, stock } = this.#pool;
    if (isInUse === undefined) return;
    const latest = this.#pool.loanTime() - MIN_AGE_MILLIS;
    for (const slot of stock.slots) {
      if (slot.borrowedAt <= latest && this.isOut(slot) && isInUse(slot.resource)) {
        this.touched(slot, IN_USE);
      }
    }
  }

  /** Whether the resource of a slot is lent, as far as is known. */
  protected isOut(slot: Slot<T>): boolean {
    return slot.state === 'borrowed';
  }

  /** Reports that a resource is being created. */
  newNode(): PendingNode {
    return new PendingNode(this.observer, 'resource');
  }

  /** Reports a resource; `pendingNode` is what was reported of its creation, by this watch or one before. */
  resourceCreated(slot: Slot<T>, pendingNode?: PendingNode): void {
    slot.watchSerial = this.#serial;
    slot.node =
      pendingNode?.isReportedTo(this.observer) === true
        ? pendingNode.complete()
        : this.observer.allocated('resource', this.observer.root);
  }

  /** Reports a new loan; returns its node, or `undefined` after the end of the watch. */
  loanGranted(slot: Slot<T>, origin: Origin, capability?: WeakKey): NodeId | undefined {
    if (this.hasEnded) return undefined;
    return this.observer.lent(this.#nodeOf(slot), origin, capability);
  }

  loanEnded(slot: Slot<T>, loan: NodeId, byForce: boolean): void {
    if (slot.watchSerial !== this.#serial) return;
    this.observer.freed(loan, byForce);
    if (byForce) this.#expectLateEnd(slot, loan);
  }

  /** A function of its own: a closure in {@link loanEnded} would cost each end of a loan an allocation. */
  #expectLateEnd(slot: Slot<T>, loan: NodeId): void {
    slot.reportLateEnd = () => this.observer.freed(loan);
  }

  /** Reports that the pool lends nothing any more. */
  componentEnded(): void {
    if (!this.hasEnded) this.observer.freed(this.observer.root);
  }

  /** Reports that `to` holds a loan from now on. */
  transferred(slot: Slot<T>, to: Holder): void {
    const loan = this.loanOf(slot);
    if (loan !== undefined) this.observer.transferred(loan, to);
  }

  override reportLoans(): void {
    for (const slot of this.#pool.stock.slots) {
      if (slot.state === 'borrowed') this.#reportLoan(slot);
    }
  }

  /** Has a loan tracked that is only counted, or that began before the watch. */
  #reportLoan(slot: Slot<T>): void {
    const caller = { call: slot.takenBy, stack: slot.tracking?.stack };
    const node = this.#nodeOf(slot);
    const heldMillis = Math.max(0, this.#pool.loanTime() - slot.borrowedAt);
    slot.loanNode = this.observer.lasted(slot.loanNode, node, heldMillis, caller);
  }

  /** Gives the loan of a slot; `undefined` if this watch has not been told of it. */
  protected loanOf(slot: Slot<T>): NodeId | undefined {
    return slot.watchSerial === this.#serial ? slot.loanNode : undefined;
  }

  /** Has a slot forget the nodes of an earlier watch. */
  #takeOver(slot: Slot<T>): void {
    if (slot.watchSerial === this.#serial) return;
    slot.watchSerial = this.#serial;
    slot.node = undefined;
    slot.loanNode = undefined;
  }

  /** The node of a resource, which is reported if no step of {@link present} has reported it yet. */
  #nodeOf(slot: Slot<T>): NodeId {
    this.#takeOver(slot);
    slot.node ??= this.observer.allocated('resource', this.observer.root);
    return slot.node;
  }

  override abandoned(loan: NodeId): void {
    if (this.hasEnded || this.#pool.abandoned === undefined) return;
    for (const slot of this.#pool.stock.slots) {
      if (this.loanOf(slot) === loan) {
        this.#pool.abandoned(slot);
        return;
      }
    }
  }

  resourceGone(slot: Slot<T>): void {
    this.#takeOver(slot);
    const node = slot.node;
    slot.node = undefined;
    if (node !== undefined) this.observer.freed(node);
  }

  touched(slot: Slot<T>, hint: string | undefined): void {
    this.#reportLoan(slot);
    const loan = this.loanOf(slot);
    if (loan === undefined) return;
    if (hint === undefined) this.observer.touched(loan);
    else this.observer.touched(loan, hint);
  }

  expected(slot: Slot<T>, millis: number): void {
    this.#reportLoan(slot);
    const loan = this.loanOf(slot);
    if (loan !== undefined) this.observer.expected(loan, millis);
  }

  misused(misuse: Misuse): void {
    if (!this.hasEnded) this.observer.misused(misuse);
  }

  protected override *present(observer: Observer): Generator<undefined> {
    const { stock, events } = this.#pool;
    if (events !== undefined) reportListeners(this.observer, events, observer);
    for (const slot of stock.slots) {
      this.#takeOver(slot);
      slot.node = this.observer.present(observer, slot.node, 'resource');
      yield;
    }
  }

  protected override ended(): void {
    if (this.#pool.events !== undefined) this.#pool.events.watch = null;
    this.#pool.origins.watch = null;
  }
}
