/**
 * Makes leases of the loans of another package's pool, the peer. The peer decides which caller gets which resource, and when. Each
 * loan has a slot in the adoption, from its grant to its end, for the lease and the watch. Loans that other users take from the
 * peer directly have none.
 *
 * ```
 *   asked ──peer delivers──▶ out ──release──▶ (reset) ──▶ back with the peer
 *     │                       ├────destroy──▶ destroyed by the peer
 *     │ abort, timeout, close └────detach───▶ kept by the holder, which gives it back to the peer
 *     ▼
 *   rejected; a resource that comes later goes straight back
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />

import { abortReason } from '../../core/abort-reason.js';
import { askPeer } from '../../core/adopted-peers.js';
import { BurstClock } from '../../core/burst-clock.js';
import { ConditionWaits } from '../../core/condition-waits.js';
import { connectionUse } from '../../core/connection-use.js';
import { errorText } from '../../core/error-text.js';
import { guardedAnswer } from '../../core/guarded-answer.js';
import { guardedCall } from '../../core/guarded-call.js';
import { guardedClock } from '../../core/guarded-clock.js';
import { reportIgnoredError } from '../../core/ignored-error.js';
import { LinkedList } from '../../core/linked-list.js';
import type { EntryPoint } from '../../core/probe.js';
import { SETTLED } from '../../core/settled.js';
import { settledBefore } from '../../core/settled-before.js';
import { followUntilAbort } from '../../core/signal-waits.js';
import { SiteSample } from '../../core/site-sample.js';
import { isThenable, onceSettled } from '../../core/thenable.js';
import { type Grant, grantUse } from '../../pool/loan/grant.js';
import { type LoanOrigin, LoanOrigins } from '../../pool/loan/loan-origin.js';
import { UNTIMED } from '../../pool/loan/loan-tracking.js';
import { loansOut } from '../../pool/loan/loans-out.js';
import type { Lender, Slot } from '../../pool/loan/slot.js';
import { PoolCounters } from '../../pool/pool-counters.js';
import {
  AcquireTimeoutError,
  LeasesOutError,
  PoolClosedError,
  ReleaseError,
} from '../../pool/pool-errors.js';
import type { LeaseOptions } from '../../pool/pool-options.js';
import type { LoanInfo, PoolNumbers, PoolStats } from '../../pool/pool-stats.js';
import type { AdoptionSettings } from './adopt-options.js';
import { adoptedNumbers, adoptedStats } from './adopted-stats.js';
import { HeldResources } from './held-resources.js';
import { Hooks } from './hooks.js';
import { PeerEnd } from './peer-end.js';
import type { PeerPool } from './peer-pool.js';
import { PeerWait, PeerWaits, type PeerWaitsListener } from './peer-waits.js';

/** How many loans are all timed. */
const ALL_TIMED = 256;

/** One loan in this many is timed later. */
const TIMED_EVERY = 16;

/** A timeout of this length or more may begin with a reading of the clock that other loans share, in milliseconds. */
const COARSE_TIMEOUT_MILLIS = 1_000;

const ignore = (): void => {};

/** How long an adopted pool waits for its loans and for its peer when it closes. */
export interface AdoptionClosing {
  readonly graceMillis: number;
  readonly force: boolean;
  readonly endPeer: boolean;
  /** How long the peer may take to end, or to destroy the resources of a forced close, in milliseconds. */
  readonly peerGraceMillis: number;
}

/** What ends the wait of a caller. */
interface WaitLimits {
  readonly signal: AbortSignal | undefined;
  readonly timeoutMillis: number;
  /** When the caller came. */
  readonly since: number;
}

/** The loans of one peer. */
export class Adoption<T> implements Lender<T>, PeerWaitsListener<T> {
  readonly name: string;
  /** The slots of the loans that are out, and of those that have ended and are being reset or destroyed. */
  readonly stock: { readonly slots: LinkedList<Slot<T>> } = { slots: new LinkedList() };
  readonly origins: LoanOrigins<T>;
  readonly #peer: PeerPool<T>;
  readonly #settings: AdoptionSettings<T>;
  readonly #hooks: Hooks<T>;
  readonly counters: PoolCounters = new PoolCounters();
  /** Whether the holder of a resource uses it, although it asks nothing of the pool. Its loan is no suspect then. */
  readonly isInUse: (resource: T) => boolean = connectionUse();
  readonly #loanClock: BurstClock;
  readonly #waits: PeerWaits<T>;
  readonly #changes: ConditionWaits;
  #isClosed = false;
  readonly #peerEnd: PeerEnd;
  readonly #held: HeldResources<T>;
  readonly #reportGivingBack = (error: unknown): void =>
    reportIgnoredError(`${this.name}: giving a resource back`, error);

  constructor(peer: PeerPool<T>, settings: AdoptionSettings<T>) {
    this.name = settings.name;
    this.#peer = peer;
    this.#settings = settings;
    this.#hooks = new Hooks(settings);
    this.#loanClock = new BurstClock(settings.clock);
    this.origins = new LoanOrigins(new SiteSample(settings.callSites));
    this.#waits = new PeerWaits(settings.clock, settings.acquireTimeoutMillis, this);
    this.#held = new HeldResources(peer, this);
    this.#changes = new ConditionWaits(guardedClock(settings.clock));
    this.#peerEnd = new PeerEnd(settings.name, peer, this.#changes, this.counters);
  }

  // ── Lending ─────────────────────────────────────────────────────────────────

  /** Asks the peer for a resource. `entry` is the method that the caller called. */
  request<R>(grant: Grant<T, R>, options: LeaseOptions, entry: EntryPoint): Promise<R> {
    const { signal, timeoutMillis = this.#settings.acquireTimeoutMillis } = options;
    if (signal?.aborted === true) return Promise.reject(abortReason(signal));
    if (this.#isClosed) return Promise.reject(new PoolClosedError(this.name, 'closed'));
    const now = this.#requestTime(timeoutMillis);
    const origin = this.#originOf(entry, now);
    if (!this.#hooks.hasOnAcquire) {
      return this.#request(grant, options, timeoutMillis, origin, now);
    }
    const granted = this.#request(grantUse<T>, options, timeoutMillis, undefined, now);
    return this.#prepared(granted, grant, { signal, timeoutMillis, since: now }, origin);
  }

  /** The time of a request that begins now, as a whole number, which takes no memory of its own. */
  #requestTime(timeoutMillis: number): number {
    return timeoutMillis >= COARSE_TIMEOUT_MILLIS
      ? this.#loanClock.now()
      : Math.ceil(this.#settings.clock.now());
  }

  #request<R>(
    grant: Grant<T, R>,
    options: LeaseOptions,
    timeoutMillis: number,
    origin: LoanOrigin<T> | undefined,
    since: number,
  ): Promise<R> {
    const wait = new PeerWait<T>(this.#waits, grant, origin, since, timeoutMillis, options);
    const promise = wait.promise<R>();
    this.counters.waited++;
    this.#waits.begin(wait);
    if (!wait.isOver && !this.#takesOver(wait)) this.ask(wait);
    return promise;
  }

  /** A caller takes no request over that a peer which has ended may have dropped. The peer refuses a new one at once. */
  #takesOver(wait: PeerWait<T>): boolean {
    return this.#waits.left > 0 && this.#peer.hasEnded?.() !== true && this.#waits.takesOver(wait);
  }

  ask(wait: PeerWait<T>): void {
    PeerWait.bind(wait, wait);
    try {
      const receiver = this.origins.watch?.observer.main?.receiver;
      if (receiver === undefined) this.#peer.request(wait, wait.priority);
      else askPeer(this.#peer.pool, receiver, () => this.#peer.request(wait, wait.priority));
    } catch (error) {
      wait.refuse(error);
    }
  }

  /**
   * Prepares a resource, in the caller's own async context, before the caller gets it. A caller may leave meanwhile; the resource is
   * then given back when it is prepared.
   */
  async #prepared<R>(
    granted: Promise<Slot<T>>,
    grant: Grant<T, R>,
    limits: WaitLimits,
    origin: LoanOrigin<T> | undefined,
  ): Promise<R> {
    const slot = await granted;
    const { loan } = slot;
    const preparation = this.#prepare(slot);
    try {
      await this.#withinLimits(preparation, limits);
    } catch (error) {
      preparation.then(() => {
        if (slot.loan === loan) this.#giveBackUnused(() => this.takeBack(slot));
      }, ignore);
      throw error;
    }
    if (slot.loan !== loan) throw new PoolClosedError(this.name, 'closed');
    return grant(slot, origin);
  }

  /** Calls `onAcquire`. If that fails, has the peer destroy the resource. */
  async #prepare(slot: Slot<T>): Promise<void> {
    const { loan } = slot;
    try {
      await this.#hooks.call('onAcquire', slot.resource);
    } catch (error) {
      if (slot.loan === loan) await this.discard(slot, 'invalid');
      throw error;
    }
  }

  /** Follows the preparation until the caller's signal or timeout ends its wait. */
  #withinLimits(
    preparation: Promise<void>,
    { signal, timeoutMillis, since }: WaitLimits,
  ): Promise<void> {
    const followed =
      signal === undefined ? preparation : followUntilAbort(preparation, signal, ignore);
    if (timeoutMillis === Number.POSITIVE_INFINITY) return followed;
    const { clock } = this.#settings;
    const left = Math.max(0, since + timeoutMillis - clock.now());
    return settledBefore(clock, left, followed, (_resolve, reject) =>
      reject(this.#timeoutError(timeoutMillis, 'validate', 0)),
    );
  }

  delivered(wait: PeerWait<T>, resource: T): void {
    const slot = this.#lend(resource);
    if (this.#isTimed()) this.#time(slot, wait.since);
    else slot.borrowedAt = this.#loanClock.now();
    wait.resolve(wait.grant(slot, wait.origin));
  }

  /** A peer serves its next caller within `giveBack`, so a row of callers that have left would be a recursion. */
  deliveredLate(resource: T): void {
    void SETTLED.then(() => this.#giveBackUnused(() => this.#peer.giveBack(resource)));
  }

  #giveBackUnused(giveBack: () => unknown): void {
    guardedCall(`${this.name}: giving back a resource that came too late`, giveBack);
  }

  aborted(): void {
    this.counters.acquireAborts++;
  }

  refused(): void {
    this.counters.refusals++;
  }

  timeoutError({ timeoutMillis }: PeerWait<T>, stalledMillis: number): Error {
    return this.#timeoutError(timeoutMillis, 'wait', stalledMillis);
  }

  #timeoutError(timeoutMillis: number, phase: 'wait' | 'validate', stalledMillis: number): Error {
    this.counters.acquireTimeouts++;
    return new AcquireTimeoutError(this.name, {
      timeoutMillis,
      phase,
      stats: this.stats(),
      loans: this.loans(),
      lastCreateError: undefined,
      stalledMillis,
    });
  }

  #originOf(entry: EntryPoint, now: number): LoanOrigin<T> | undefined {
    this.origins.tick(this.counters.loans, now);
    return this.origins.isCapturing ? this.origins.capture(entry) : undefined;
  }

  /** Takes the time of a loan that begins now. Its caller has waited since `since`. */
  #time(slot: Slot<T>, since: number): void {
    const now = this.#settings.clock.now();
    slot.borrowedAt = now;
    slot.track().timedFrom = now;
    this.counters.waits.record(Math.max(0, now - since));
  }

  #lend(resource: T): Slot<T> {
    const slot = this.#held.take(resource);
    slot.state = 'borrowed';
    this.counters.loans++;
    this.counters.borrowed++;
    this.stock.slots.append(slot);
    if (this.#hooks.hasReset) this.#held.noteLoan(slot);
    if (this.origins.watch !== null) this.origins.watch.resourceCreated(slot);
    return slot;
  }

  // ── The end of a loan ───────────────────────────────────────────────────────

  takeBack(slot: Slot<T>): void | Promise<void> {
    this.#endLoan(slot);
    this.#expectHolder(slot);
    if (slot.expiresAt === Number.NEGATIVE_INFINITY) return this.#destroy(slot, slot.expiryReason);
    const leftOpen = this.#peer.leftOpen?.(slot.resource);
    if (leftOpen !== undefined || this.#hooks.hasReset) {
      return this.#resetAndGiveBack(slot, leftOpen);
    }
    return this.#giveBack(slot);
  }

  /** Throws if the resource of a loan was given back without its lease: it may have another holder. */
  #expectHolder(slot: Slot<T>): void {
    if (this.#held.isStillLent(slot)) return;
    this.#removeSlot(slot);
    throw this.#foreignRelease(slot, 'it was given back past its lease');
  }

  async #resetAndGiveBack(slot: Slot<T>, leftOpen: Promise<void> | undefined): Promise<void> {
    slot.state = 'resetting';
    this.counters.resetting++;
    try {
      if (leftOpen !== undefined) await this.#hooks.whileOpen(leftOpen);
      if (this.#held.isStillLent(slot)) await this.#hooks.call('reset', slot.resource);
    } catch (error) {
      reportIgnoredError(`${this.name}: reset`, error);
      return this.#destroy(slot, 'reset');
    } finally {
      this.counters.resetting--;
    }
    try {
      this.#expectHolder(slot);
      await this.#giveBack(slot);
    } catch (error) {
      this.#reportGivingBack(error);
    }
  }

  #giveBack(slot: Slot<T>): void | Promise<void> {
    // The record ends first: within `giveBack` the peer may lend the resource to its next caller.
    this.#removeSlot(slot, false);
    let returned: unknown;
    try {
      returned = this.#peer.giveBack(slot.resource);
    } catch (error) {
      throw this.#foreignRelease(slot, error);
    }
    this.#refuseDropped();
    if (isThenable(returned)) return onceSettled(returned, ignore, this.#reportGivingBack);
  }

  #foreignRelease(slot: Slot<T>, cause: unknown): ReleaseError {
    return new ReleaseError(
      `${slot.lender.name}: the pool underneath does not take this resource back: ${errorText(cause)}. Give a leased resource back by its lease only.`,
      'TENURE_POOL_DOUBLE_RELEASE',
    );
  }

  discard(slot: Slot<T>, reason: string): Promise<void> {
    this.#endLoan(slot);
    return this.#destroy(slot, reason);
  }

  detach(slot: Slot<T>): void {
    this.#endLoan(slot);
    this.counters.detached++;
    this.#removeSlot(slot);
  }

  failed(slot: Slot<T>, error: unknown): void {
    const { isBroken } = this.#settings;
    if (isBroken === undefined) return;
    const ask = (): unknown => isBroken(error, slot.resource);
    if (guardedAnswer(`${this.name}: isBroken`, ask)) slot.expire('broken');
  }

  #endLoan(slot: Slot<T>, byForce = false): void {
    slot.loan++;
    this.counters.borrowed--;
    const timedFrom = slot.tracking?.timedFrom ?? UNTIMED;
    if (timedFrom !== UNTIMED) {
      this.counters.holds.record(this.#settings.clock.now() - timedFrom);
    }
    const node = slot.loanNode;
    slot.tracking = null;
    slot.loanNode = undefined;
    if (node !== undefined) this.origins.watch?.loanEnded(slot, node, byForce);
  }

  /** Whether a loan that begins now is in the sample of wait and hold times: the first ones all are, later ones one in sixteen. */
  #isTimed(): boolean {
    const { loans } = this.counters;
    return loans <= ALL_TIMED || loans % TIMED_EVERY === 0;
  }

  async #destroy(slot: Slot<T>, reason: string): Promise<void> {
    slot.state = 'destroying';
    this.counters.destroying++;
    try {
      if (!this.#held.isHolder(slot)) {
        throw new Error('it was given back, and is lent to another caller');
      }
      await this.#peer.destroy(slot.resource);
      this.counters.countDestroyed(reason);
    } catch (error) {
      reportIgnoredError(`${this.name}: destroying a resource`, error);
    } finally {
      this.counters.destroying--;
      this.#removeSlot(slot);
      this.#refuseDropped();
    }
  }

  /** A peer that has ended and has no resource any more drops the requests of its waiters. It refuses new ones with its own error. */
  #refuseDropped(): void {
    if (this.#waits.isEmpty || this.#peer.hasEnded?.() !== true) return;
    if (this.#peer.figures().size === 0) this.#waits.askAgain();
  }

  /** Ends the record of a loan. Its slot serves the next loan of the resource, unless the resource has left the peer. */
  #removeSlot(slot: Slot<T>, isGone = true): void {
    this.stock.slots.remove(slot);
    if (slot.node !== undefined) this.origins.watch?.resourceGone(slot);
    if (isGone) {
      this.#held.forget(slot);
      slot.markGone();
    } else this.#held.giveBack(slot);
    if (this.#isClosed) this.#changes.check();
  }

  // ── The end of the adoption ─────────────────────────────────────────────────

  /**
   * Lends nothing more. Settles when no loan is out, and the peer has ended if that is asked for. Rejects after the grace if a loan
   * is still out, without `force`, and after the peer's grace if the peer has not done its part.
   */
  async close({ graceMillis, force, endPeer, peerGraceMillis }: AdoptionClosing): Promise<void> {
    this.#isClosed = true;
    this.#waits.rejectAll(new PoolClosedError(this.name, 'closed'));
    this.origins.watch?.componentEnded();
    if (!(await this.#changes.until(() => this.#isIdle, graceMillis))) {
      if (!force) throw new LeasesOutError(this.name, graceMillis, this.loans());
      for (const slot of this.stock.slots) {
        if (slot.state === 'borrowed') void this.#destroyHeld(slot);
      }
      if (!(await this.#changes.until(() => this.#isIdle, peerGraceMillis))) {
        throw this.#peerEnd.timeoutError(peerGraceMillis);
      }
    }
    if (endPeer) await this.#peerEnd.within(peerGraceMillis);
  }

  get #isIdle(): boolean {
    return this.stock.slots.length === 0;
  }

  #destroyHeld(slot: Slot<T>): Promise<void> {
    this.#endLoan(slot, true);
    return this.#destroy(slot, 'forced');
  }

  // ── Figures ─────────────────────────────────────────────────────────────────

  /** The loans that are out, longest first. */
  loans(): LoanInfo[] {
    return loansOut(this.stock.slots, this.#settings.clock.now());
  }

  loanTime(): number {
    return this.#settings.clock.now();
  }

  stats(): PoolStats {
    return adoptedStats(this.#peer.figures(), this.counters, this.#waits.left);
  }

  numbers(): PoolNumbers {
    return adoptedNumbers(this.#peer.figures(), this.counters, this.#waits.left);
  }
}
