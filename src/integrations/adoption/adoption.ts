/**
 * Makes leases of the loans of another package's pool, the peer. The peer decides which caller gets which resource, and when. Each
 * loan has a slot in the adoption, from its grant to its end, for the lease and the watch. Loans that other users take from the
 * peer directly are not seen.
 *
 * ```
 *   asked ──peer delivers──▶ out ──release──▶ back with the peer
 *     │                       ├────destroy──▶ destroyed by the peer
 *     │ abort, timeout, close └────detach───▶ kept by the holder, which gives it back to the peer
 *     ▼
 *   rejected; a resource that comes later goes straight back
 * ```
 */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Clock } from '../../core/clock.js';
import { ConditionWaits } from '../../core/condition-waits.js';
import { reportIgnoredError } from '../../core/ignored-error.js';
import type { EntryPoint } from '../../core/probe.js';
import type { CallSites } from '../../core/site-sample.js';
import type { Grant } from '../../pool/loan/grant.js';
import { type LoanOrigin, LoanOrigins } from '../../pool/loan/loan-origin.js';
import { loansOut } from '../../pool/loan/loans-out.js';
import { type Lender, Slot } from '../../pool/loan/slot.js';
import { PoolCounters } from '../../pool/pool-counters.js';
import {
  AcquireTimeoutError,
  LeasesOutError,
  PoolClosedError,
  ReleaseError,
} from '../../pool/pool-errors.js';
import type { CloseOptions, LeaseOptions } from '../../pool/pool-options.js';
import { type LoanInfo, type PoolStats, percentilesOf } from '../../pool/pool-stats.js';
import type { PeerPool } from './peer-pool.js';
import { PeerWaits } from './peer-waits.js';

/** How long one sample of callers' stacks lasts, in milliseconds. */
const SAMPLE_MILLIS = 1_000;

/** The settings of an adoption. */
export interface AdoptionSettings {
  readonly name: string;
  readonly acquireTimeoutMillis: number;
  readonly callSites: CallSites;
  readonly clock: Clock;
}

/** The loans of one peer. */
export class Adoption<T> implements Lender<T> {
  readonly name: string;
  /** The slots of the loans that are out. */
  readonly stock: { readonly slots: Set<Slot<T>> } = { slots: new Set() };
  readonly origins: LoanOrigins<T>;
  readonly #peer: PeerPool<T>;
  readonly #settings: AdoptionSettings;
  readonly #counters = new PoolCounters();
  #sampledFrom: number;
  readonly #waits: PeerWaits;
  readonly #returns: ConditionWaits;
  #isClosed = false;
  #peerEnded: Promise<unknown> | undefined = undefined;
  /** The current loan of each resource. A resource that was given back behind its lease's back may be lent again. */
  readonly #holders = new Map<unknown, Slot<T>>();

  constructor(peer: PeerPool<T>, settings: AdoptionSettings) {
    this.name = settings.name;
    this.#peer = peer;
    this.#settings = settings;
    this.origins = new LoanOrigins(settings.callSites);
    this.#waits = new PeerWaits(settings.clock);
    this.#returns = new ConditionWaits(settings.clock);
    this.#sampledFrom = settings.clock.now();
  }

  /** Captures the caller's stack and scope, while the pool is watched or the sample is not full. */
  originOf(entry: EntryPoint): LoanOrigin<T> | undefined {
    const now = this.#settings.clock.now();
    if (now - this.#sampledFrom >= SAMPLE_MILLIS) {
      this.#sampledFrom = now;
      this.origins.tick();
    }
    return this.origins.isCapturing ? this.origins.capture(entry) : undefined;
  }

  request<R>(
    grant: Grant<T, R>,
    options: LeaseOptions,
    origin: LoanOrigin<T> | undefined,
  ): Promise<R> {
    const { signal, timeoutMillis = this.#settings.acquireTimeoutMillis } = options;
    const { clock } = this.#settings;
    if (signal?.aborted === true) return Promise.reject(signal.reason);
    if (this.#isClosed) return Promise.reject(new PoolClosedError(this.name, 'closed'));
    const since = clock.now();
    return new Promise<R>((resolve, reject) => {
      const timeoutError = (): Error => this.#timeoutError(timeoutMillis);
      const wait = this.#waits.begin({ signal, timeoutMillis, timeoutError, reject });
      const failed = (error: unknown): void => {
        if (wait.end()) reject(error);
      };
      this.#counters.waited++;
      try {
        this.#peer.request(options).then((resource) => {
          if (!wait.end()) return this.#giveBackLate(resource);
          this.#counters.waits.record(clock.now() - since);
          resolve(grant(this.#lend(resource), origin));
        }, failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  takeBack(slot: Slot<T>): void | Promise<void> {
    this.#endLoan(slot);
    let returned: unknown;
    try {
      this.#expectHolder(slot);
      returned = this.#peer.giveBack(slot.resource);
    } catch (error) {
      throw new ReleaseError(
        `${this.name}: the pool underneath does not take this resource back: ${error}. Give a leased resource back by its lease only.`,
        'TENURE_POOL_DOUBLE_RELEASE',
      );
    } finally {
      this.#removeSlot(slot);
    }
    if (returned instanceof Promise) return this.#settled(returned, 'giving a resource back');
  }

  discard(slot: Slot<T>, reason: string): Promise<void> {
    this.#endLoan(slot);
    return this.#destroy(slot, reason);
  }

  detach(slot: Slot<T>): void {
    this.#endLoan(slot);
    this.#counters.detached++;
    this.#removeSlot(slot);
    this.#peer.handOver?.(slot.resource);
  }

  touched(slot: Slot<T>, hint: string | undefined): void {
    this.origins.watch?.touched(slot, hint);
  }

  failed(): void {}

  expected(slot: Slot<T>, millis: number): void {
    this.origins.watch?.expected(slot, millis);
  }

  /** Lends nothing more. Settles when no loan is out; rejects after the grace if one still is, without `force`. */
  async close({ graceMillis, force }: Required<CloseOptions>): Promise<void> {
    this.#isClosed = true;
    this.#waits.rejectAll(new PoolClosedError(this.name, 'closed'));
    if (await this.#returnedWithin(graceMillis)) return;
    if (!force) throw new LeasesOutError(this.name, graceMillis, this.loans());
    const held = [...this.stock.slots].filter(({ state }) => state === 'borrowed');
    await Promise.all(held.map((slot) => this.#destroyHeld(slot)));
    await this.#returnedWithin(Number.POSITIVE_INFINITY);
  }

  /** Ends the peer, once. */
  endPeer(): Promise<unknown> {
    this.#peerEnded ??= Promise.resolve(this.#peer.end());
    return this.#peerEnded;
  }

  /** The loans that are out, longest first. */
  loans(): LoanInfo[] {
    return loansOut(this.stock.slots, this.#settings.clock.now());
  }

  stats(): PoolStats {
    const counters = this.#counters;
    return {
      ...this.#peer.figures(),
      effectiveMax: this.#peer.figures().max,
      validating: 0,
      resetting: 0,
      destroying: counters.destroying,
      loans: counters.loans,
      created: 0,
      destroyed: counters.destroyed,
      destroyedBy: counters.destroyedBy,
      detached: counters.detached,
      waited: counters.waited,
      waitMillis: percentilesOf(counters.waits),
      holdMillis: percentilesOf(counters.holds),
      createErrors: 0,
      capacityErrors: 0,
      acquireTimeouts: counters.acquireTimeouts,
      refusals: 0,
    };
  }

  #lend(resource: T): Slot<T> {
    const slot = new Slot(resource, this, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
    slot.state = 'borrowed';
    slot.borrowedAt = this.#settings.clock.now();
    this.#counters.loans++;
    this.stock.slots.add(slot);
    this.#holders.set(this.#identityOf(resource), slot);
    this.origins.watch?.resourceCreated(slot);
    return slot;
  }

  #endLoan(slot: Slot<T>, byForce = false): void {
    const node = slot.tracking?.node;
    slot.loan++;
    slot.tracking = null;
    this.#counters.holds.record(this.#settings.clock.now() - slot.borrowedAt);
    if (node !== undefined) this.origins.watch?.loanEnded(node, byForce);
  }

  #identityOf(resource: T): unknown {
    return this.#peer.identify === undefined ? resource : this.#peer.identify(resource);
  }

  #isHolder(slot: Slot<T>): boolean {
    return this.#holders.get(this.#identityOf(slot.resource)) === slot;
  }

  #expectHolder(slot: Slot<T>): void {
    if (!this.#isHolder(slot)) throw new Error('it was given back, and is lent to another caller');
  }

  #removeSlot(slot: Slot<T>): void {
    this.stock.slots.delete(slot);
    if (this.#isHolder(slot)) this.#holders.delete(this.#identityOf(slot.resource));
    this.origins.watch?.resourceGone(slot);
    slot.markGone();
    this.#returns.check();
  }

  async #destroy(slot: Slot<T>, reason: string): Promise<void> {
    slot.state = 'destroying';
    this.#counters.destroying++;
    try {
      this.#expectHolder(slot);
      await this.#peer.destroy(slot.resource);
      this.#counters.countDestroyed(reason);
    } catch (error) {
      reportIgnoredError(`${this.name}: destroying a resource`, error);
    } finally {
      this.#counters.destroying--;
      this.#removeSlot(slot);
    }
  }

  #destroyHeld(slot: Slot<T>): Promise<void> {
    this.#endLoan(slot, true);
    return this.#destroy(slot, 'forced');
  }

  /** Gives back a resource that came after its caller's wait had ended. */
  #giveBackLate(resource: T): void {
    const doing = `${this.name}: giving back a resource that came too late`;
    try {
      const returned = this.#peer.giveBack(resource);
      if (returned instanceof Promise) void this.#settled(returned, doing);
    } catch (error) {
      reportIgnoredError(doing, error);
    }
  }

  async #settled(promise: Promise<unknown>, doing: string): Promise<void> {
    try {
      await promise;
    } catch (error) {
      reportIgnoredError(doing, error);
    }
  }

  #timeoutError(timeoutMillis: number): Error {
    this.#counters.acquireTimeouts++;
    return new AcquireTimeoutError(this.name, {
      timeoutMillis,
      phase: 'wait',
      stats: this.stats(),
      loans: this.loans(),
      lastCreateError: undefined,
      stalledMillis: 0,
    });
  }

  #returnedWithin(graceMillis: number): Promise<boolean> {
    return this.#returns.until(() => this.stock.slots.size === 0, graceMillis);
  }
}
