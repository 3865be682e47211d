/**
 * The place of one shared value: it creates the value on demand, counts its leases, and disposes of it. RefCounted is one cell,
 * and RefCountedMap has a cell for each key.
 *
 * ```
 *   acquire ──▶ create ──▶ in use ──last release──▶ idle ──idleMillis──▶ disposed
 *                            ▲                        │
 *                            └───────acquire──────────┘
 * ```
 *
 * - An instance is published before `create` runs. Code that `create` calls finds it, and no second one is made.
 * - Each step changes the state of its own instance only, and never that of a successor.
 * - A caller that waits for the creation holds the instance already. If all of them leave, the creation is told by its signal.
 * - With a time limit, a creation is told when its time is over, and not when its callers leave.
 * - A creation that does not stop by its signal goes on for later callers. One that stops begins anew for them.
 */
import { abortReason } from '../core/abort-reason.js';
import { cancelTimer } from '../core/cancel-timer.js';
import type { Clock } from '../core/clock.js';
import { currentOwner, runAsOwner } from '../core/current-owner.js';
import { guardedCall } from '../core/guarded-call.js';
import { startLimit } from '../core/limit-timer.js';
import { followWithin } from '../core/limited-wait.js';
import { runInOwnContext } from '../core/own-context.js';
import type { EntryPoint, NodeId } from '../core/probe.js';
import { followUntilAbort } from '../core/signal-waits.js';
import { type Caller, type LeasedCell, leaseOn } from './cell-lease.js';
import { currentEnds, runAsEndOf, waitsFor, whileWaiting } from './current-ends.js';
import { ReentrantAcquire } from './reentrant-acquire.js';
import {
  RefCountedClosedError,
  RefCountedReentrantError,
  RefCountedTimeoutError,
} from './ref-counted-errors.js';
import { SharedInstance } from './shared-instance.js';
import type { SharedLease } from './shared-lease.js';
import type { ValueWatch } from './value-watch.js';

/** What a `create` function gets. */
export interface ValueContext {
  /** Aborts when no caller waits for the value any more, or when `createTimeoutMillis` are over. */
  readonly signal: AbortSignal;
}

/** The component that a cell is part of. */
export interface CellOwner<T> {
  /** Names the component in errors. */
  readonly label: string;
  readonly clock: Clock;
  readonly overlap: boolean;
  /** How long a caller waits for a value, in milliseconds. */
  readonly acquireTimeoutMillis: number;
  /** How long one creation may take, in milliseconds; `undefined` if it ends when its callers have left. */
  readonly createTimeoutMillis: number | undefined;
  onError(error: unknown): void;
  dispose(value: T): unknown;
  watch: ValueWatch | null;
  /** How many values of the component exist, their creations and disposals included. */
  live: number;
  /** How many of them end after their last lease: later callers do not get them. */
  leaving: number;
  /** Told after each change of a cell. It must not throw. */
  changed(cell: SharedCell<T>): void;
}

/** How one cell makes its values, and how long it keeps them. */
export interface CellPlan<T> {
  readonly idleMillis: number;
  create(context: ValueContext): T | PromiseLike<T>;
  /** Gives a promise of what may make room for the creation, and `undefined` if there is room. Rejects when `signal` aborts. */
  untilRoom?(signal: AbortSignal): Promise<void> | undefined;
}

/** The place of one shared value. */
export class SharedCell<T> implements LeasedCell<T> {
  readonly #owner: CellOwner<T>;
  readonly #plan: CellPlan<T>;
  #current: SharedInstance<T> | undefined = undefined;
  /** The instances that no later caller gets, and that have not ended. */
  readonly #retired = new Set<SharedInstance<T>>();
  #isClosed = false;

  constructor(owner: CellOwner<T>, plan: CellPlan<T>) {
    this.#owner = owner;
    this.#plan = plan;
  }

  /** The watch over the component, if there is one. */
  get watch(): ValueWatch | null {
    return this.#owner.watch;
  }

  /** How many leases on the current value are out. */
  get refs(): number {
    const current = this.#current;
    return current?.phase === 'ready' ? current.holds : 0;
  }

  /** How many leases are out, those on retired values included. */
  get leases(): number {
    let leases = 0;
    for (const { phase, holds } of this.instances()) if (phase === 'ready') leases += holds;
    return leases;
  }

  /** Whether callers have a value or wait for one, or a later caller would get one that exists or is being created. */
  get isOccupied(): boolean {
    const current = this.#current;
    return (
      current !== undefined &&
      (current.holds > 0 || current.phase !== 'creating' || current.stopLimit !== undefined)
    );
  }

  /** Whether there is a value that no caller has a lease on. */
  get isIdle(): boolean {
    return this.#current?.phase === 'ready' && this.#current.holds === 0;
  }

  /** Whether no lease is out, and neither a creation nor a disposal is under way, but for those that the disposals of `ends` hold up. */
  isQuietBut(ends: ReadonlySet<object>): boolean {
    for (const instance of this.instances()) {
      const isIdle = instance === this.#current && this.isIdle;
      if (!isIdle && !this.#isHeldUp(instance, ends)) return false;
    }
    return true;
  }

  /** Whether there is neither a value nor a creation nor a disposal. */
  get isVacant(): boolean {
    return this.#current === undefined && this.#retired.size === 0;
  }

  /** Gives the instances that have not ended. */
  *instances(): IterableIterator<SharedInstance<T>> {
    yield* this.#retired;
    if (this.#current !== undefined) yield this.#current;
  }

  /** Gives a lease, and creates the value if there is none. `entry` is the public function that the caller called. */
  acquire(signal: AbortSignal | undefined, entry: EntryPoint): Promise<SharedLease<T>> {
    if (this.#isClosed) return Promise.reject(new RefCountedClosedError(this.#owner.label));
    if (signal?.aborted === true) return Promise.reject(abortReason(signal));
    const caller = this.#callerOf(entry);
    const instance = this.#current ?? this.#start();
    instance.holds++;
    if (instance.phase === 'ready') {
      this.#stopIdling(instance);
      this.#owner.changed(this);
      return Promise.resolve(leaseOn(instance, this, caller));
    }
    const lease = this.#whenReady(instance, signal, caller);
    const creator = this.#creatorBefore(instance);
    return creator === undefined
      ? lease
      : ReentrantAcquire.of(
          lease,
          creator,
          () => creator.phase === 'creating',
          () => new RefCountedReentrantError(this.#owner.label),
          (abandoned) => abandoned[Symbol.dispose](),
        );
  }

  /** Gives the instance whose creation the current code is part of, if `instance` is that one or waits for its end. */
  #creatorBefore(instance: SharedInstance<T>): SharedInstance<T> | undefined {
    const creator = currentOwner() as SharedInstance<T> | undefined;
    if (creator === undefined) return undefined;
    const isBefore = instance.waits && !this.#owner.overlap && this.#retired.has(creator);
    return creator === instance || isBefore ? creator : undefined;
  }

  /** Makes later callers get another value. */
  retire(): void {
    if (this.#current !== undefined) this.#retire(this.#current);
  }

  /** Ends a creation that goes on without callers; false if there is none. */
  giveUpUnwanted(): boolean {
    const current = this.#current;
    if (current === undefined || current.holds > 0 || current.stopLimit === undefined) return false;
    this.#retire(current);
    return true;
  }

  /** Retires the value, and refuses callers from now on, those included that wait for the creation. */
  close(): void {
    this.#isClosed = true;
    for (const instance of this.instances()) {
      if (instance.phase === 'creating') {
        instance.rejectReady(new RefCountedClosedError(this.#owner.label));
      }
    }
    this.retire();
  }

  /** Starts the idle time of an unused value anew. */
  touch(): void {
    const current = this.#current;
    if (current?.timer === undefined) return;
    this.#stopIdling(current);
    this.#startIdling(current);
  }

  #start(): SharedInstance<T> {
    const instance = runInOwnContext(() => new SharedInstance<T>());
    const predecessors = this.#owner.overlap ? [] : [...this.#retired];
    this.#current = instance;
    this.#owner.watch?.created(instance);
    void this.#create(instance, predecessors);
    this.#owner.changed(this);
    return instance;
  }

  /** Never rejects. */
  async #create(instance: SharedInstance<T>, predecessors: SharedInstance<T>[]): Promise<void> {
    const { signal } = instance.controller;
    try {
      for (const { ended } of predecessors) {
        await followUntilAbort(ended, signal, () => {}).catch(() => {});
        signal.throwIfAborted(); // An abandoned instance that has begun nothing ends at once, or retired ones would pile up.
      }
      let obstacle = this.#plan.untilRoom?.(signal);
      while (obstacle !== undefined) {
        await obstacle;
        obstacle = this.#plan.untilRoom?.(signal);
      }
      signal.throwIfAborted();
      instance.isLive = true;
      this.#owner.live++;
      if (instance.isRetired) this.#owner.leaving++;
      this.#startLimit(instance);
      const value = await runAsOwner(instance, async () => this.#plan.create({ signal }));
      this.#stopLimit(instance);
      instance.value = value;
      instance.phase = 'ready';
      this.#owner.watch?.made(instance);
    } catch (error) {
      this.#stopLimit(instance);
      if (signal.aborted && instance.holds > 0 && !this.#isClosed) {
        this.#beginAgain(instance, predecessors);
        return;
      }
      if (this.#current === instance) this.#current = undefined;
      instance.rejectReady(error);
      this.#end(instance);
      return;
    }
    instance.resolveReady();
    if (instance.holds > 0) return;
    this.#unused(instance);
    this.#owner.changed(this);
  }

  /** Creates the value of an instance whose creation has stopped by its signal, for callers that came after that. */
  #beginAgain(instance: SharedInstance<T>, predecessors: SharedInstance<T>[]): void {
    this.#endLife(instance);
    instance.isLive = false;
    instance.controller = runInOwnContext(() => new AbortController());
    this.#owner.watch?.created(instance);
    void this.#create(instance, predecessors);
  }

  #startLimit(instance: SharedInstance<T>): void {
    const { clock, createTimeoutMillis: millis } = this.#owner;
    if (millis === undefined) return;
    if (millis === Number.POSITIVE_INFINITY) instance.stopLimit = () => {};
    else {
      instance.stopLimit = guardedCall('the clock of a shared value', () =>
        runInOwnContext(() =>
          startLimit(clock, millis, () => this.#timedOut(instance, millis), { background: true }),
        ),
      );
    }
  }

  #stopLimit(instance: SharedInstance<T>): void {
    instance.stopLimit?.();
    instance.stopLimit = undefined;
  }

  #timedOut(instance: SharedInstance<T>, millis: number): void {
    this.#stopLimit(instance);
    instance.refuseCallers(new RefCountedTimeoutError(this.#owner.label, millis, true));
    this.#abandon(instance);
  }

  async #whenReady(
    instance: SharedInstance<T>,
    signal: AbortSignal | undefined,
    caller: Caller | undefined,
  ): Promise<SharedLease<T>> {
    const { ready } = instance;
    try {
      await this.#whenCreated(instance, signal);
    } catch (error) {
      if (instance.ready === ready) this.#left(instance); // Else it was refused, and holds nothing.
      throw error;
    }
    return leaseOn(instance, this, caller);
  }

  /** Follows the creation until the caller leaves. */
  #whenCreated(instance: SharedInstance<T>, signal: AbortSignal | undefined): Promise<void> {
    const { label, clock, acquireTimeoutMillis: timeoutMillis } = this.#owner;
    return followWithin(
      instance.ready,
      { clock, signal, timeoutMillis },
      () => new RefCountedTimeoutError(label, timeoutMillis, instance.isLive),
    );
  }

  /** A caller has left that waited for the creation. */
  #left(instance: SharedInstance<T>): void {
    instance.holds--;
    if (instance.holds > 0 || instance.phase === 'ended') return;
    if (instance.phase === 'ready') {
      this.#unused(instance);
      this.#owner.changed(this);
      return;
    }
    if (instance.stopLimit === undefined || instance.isRetired) this.#abandon(instance);
    else this.#owner.changed(this);
  }

  /** Tells a creation by its signal that no caller waits for it. */
  #abandon(instance: SharedInstance<T>): void {
    if (this.#owner.overlap) this.#retire(instance);
    guardedCall('an abort listener', () => instance.controller.abort());
    this.#owner.changed(this);
  }

  /** Takes the line and the scope of a caller, while the component is watched. */
  #callerOf(entry: EntryPoint): Caller | undefined {
    const { watch } = this.#owner;
    return watch === null ? undefined : { watch, origin: watch.origin(entry) };
  }

  /** Notes that a lease was released, whose node is `node`. */
  released(instance: SharedInstance<T>, node: NodeId | undefined): void {
    instance.holds--;
    this.#owner.watch?.released(instance, node);
    if (instance.holds === 0) this.#unused(instance);
    this.#owner.changed(this);
  }

  #unused(instance: SharedInstance<T>): void {
    if (instance.isRetired) this.#dispose(instance);
    else if (this.#plan.idleMillis === 0) this.#retire(instance);
    else this.#startIdling(instance);
  }

  #startIdling(instance: SharedInstance<T>): void {
    const { idleMillis } = this.#plan;
    if (idleMillis === Number.POSITIVE_INFINITY) return;
    const retire = (): void => {
      if (instance.holds === 0) this.#retire(instance); // The clock may have failed to cancel the timer.
    };
    instance.timer = guardedCall('the clock of a shared value', () =>
      runInOwnContext(() => this.#owner.clock.setTimer(retire, idleMillis, { background: true })),
    );
    if (instance.timer === undefined) retire();
  }

  #stopIdling(instance: SharedInstance<T>): void {
    cancelTimer(this.#owner.clock, instance.timer);
    instance.timer = undefined;
  }

  #retire(instance: SharedInstance<T>): void {
    if (instance.isRetired) return;
    instance.isRetired = true;
    if (instance.isLive) this.#owner.leaving++;
    this.#stopIdling(instance);
    if (this.#current === instance) this.#current = undefined;
    this.#retired.add(instance);
    if (instance.holds === 0) {
      if (instance.phase === 'ready') this.#dispose(instance);
      else if (instance.stopLimit !== undefined) this.#abandon(instance);
    }
    this.#owner.changed(this);
  }

  #dispose(instance: SharedInstance<T>): void {
    instance.phase = 'disposing';
    const { value } = instance;
    instance.value = undefined;
    this.#owner.watch?.ending(instance);
    runAsEndOf([instance, this.#owner], () => this.#owner.dispose(value as T)).then(
      () => this.#end(instance),
      (error: unknown) => {
        if (instance.endWaiters === 0) this.#owner.onError(error);
        instance.rejectEnded(error);
        this.#end(instance);
      },
    );
  }

  #end(instance: SharedInstance<T>): void {
    instance.phase = 'ended';
    this.#endLife(instance);
    instance.isRetired = true;
    this.#retired.delete(instance);
    instance.resolveEnded();
    this.#owner.changed(this);
  }

  /** Notes that there is no value of an instance any more. */
  #endLife(instance: SharedInstance<T>): void {
    this.#owner.watch?.freed(instance);
    if (!instance.isLive) return;
    this.#owner.live--;
    if (instance.isRetired) this.#owner.leaving--;
  }

  /** Whether code of the disposals `ends` cannot wait for the end of an instance, which waits for one of them. */
  #isHeldUp(instance: SharedInstance<T>, ends: ReadonlySet<object>): boolean {
    return ends.size > 0 && waitsFor(instance.waits ? this.#owner : instance, ends);
  }

  /** Waits for the end of an instance, until `signal` aborts. Rejects with what the disposal throws. */
  async untilEnded(
    instance: SharedInstance<T>,
    signal: AbortSignal | undefined = undefined,
    ends: ReadonlySet<object> = currentEnds(),
  ): Promise<void> {
    const { ended } = instance;
    instance.endWaiters++;
    try {
      await whileWaiting(ends, instance, () =>
        signal === undefined ? ended : followUntilAbort(ended, signal, () => {}),
      );
    } finally {
      instance.endWaiters--;
    }
  }

  /**
   * Gives a promise of the end of each instance that was retired and has not ended, but for those that a `dispose` which asks holds up,
   * after its awaits too. Each rejects with what the disposal throws, and with the reason of `signal` as soon as that aborts.
   */
  retiredEnds(signal: AbortSignal | undefined): Promise<void>[] {
    const ends = currentEnds();
    return [...this.#retired]
      .filter((instance) => !this.#isHeldUp(instance, ends))
      .map((instance) => this.untilEnded(instance, signal, ends));
  }
}
