/**
 * Creates resources: for waiters for whom none is on its way, and to keep `min` resources warm.
 *
 * A creation is bound to the waiter that caused it, and its failure is that waiter's. Its resource is not: it goes to the
 * first waiter in the queue. A waiter that got a returned resource in the meantime, or gave up, is unbound.
 *
 * After a failure the factory gets a pause, longer after each failure in a row. Then it is tried again for the waiters. So a
 * short outage rejects no caller. After `createAttempts` failures in a row, each further failure rejects the waiter that caused
 * the creation. So callers learn of a long outage within one wait. Failures of creations that ran concurrently count as one.
 *
 * A creation that timed out gives its place away, as one does whose waiters have left. If its resource comes after all, the pool keeps
 * it if it is below `max`, or can give up a creation that still runs, and destroys it otherwise.
 */
import type { RunInContext } from '../../core/async-context.js';
import type { PendingNode } from '../../core/pending-node.js';
import type { Capacity } from '../capacity.js';
import type { PoolCounters } from '../pool-counters.js';
import {
  type CreateError,
  CreateTimeoutError,
  DuplicateResourceError,
  PoolClosedError,
  WarmUpError,
} from '../pool-errors.js';
import type { PoolSettings } from '../pool-options.js';
import { Creation, type CreationWaiter } from './creation.js';
import type { FactoryCalls } from './factory-calls.js';
import { FactoryPause } from './factory-pause.js';
import { type ReadyCount, ReadyWaits } from './ready-waits.js';

/** What the creator asks of its pool, and tells it. */
export interface CreatorHost<T, W extends CreationWaiter> {
  readonly settings: PoolSettings;
  readonly capacity: Capacity;
  readonly counters: PoolCounters;
  /** The state of the pool. Only an `'open'` pool keeps `min` resources warm. */
  readonly state: string;
  readonly waiters: { firstWithoutCreation(): W | null };
  /** Reports to the pool's observer, if it has one, that a resource is being created. */
  newNode(): PendingNode | undefined;
  /** Takes the new resource in; false if the pool has it already. */
  addCreated(resource: T, pendingNode: PendingNode | undefined): boolean;
  /** Destroys a new resource whose creation began before an invalidation. */
  destroyOutdated(resource: T, pendingNode: PendingNode | undefined): void;
  /** Destroys a resource that has no place in the pool. */
  destroyUnplaced(resource: T): void;
  /** Ends the wait of a caller with an error. */
  rejectWaiter(waiter: W, error: CreateError): void;
  /** Told that a creation has begun or ended. */
  changed(): void;
  /** Told that another creation may be possible now, or that nothing is left to wait for. */
  roomChanged(): void;
}

/** The creations of one pool. */
export class Creator<T, W extends CreationWaiter> {
  readonly #host: CreatorHost<T, W>;
  readonly #calls: FactoryCalls<T>;
  readonly #settings: PoolSettings;
  readonly #capacity: Capacity;
  readonly #counters: PoolCounters;
  readonly #runInContext: RunInContext;
  readonly #running = new Set<Creation<W>>();
  readonly #ready: ReadyWaits;
  readonly #pause: FactoryPause;
  #isFillingUp = false;
  /** Whether creations that no waiter needs keep the process alive: for a caller of `ready` or `warmUp`. */
  #isForeground = false;
  /**
   * Creations that run on although their waiters have left. At most `max`, and `maxTotal` of all keys, so that callers in a hurry cannot
   * cause a storm.
   */
  #abandoned = 0;
  /**
   * The creation that continues although its waiter has left, if there is one: a server may need longer for a connection than any caller
   * waits.
   */
  #continued: Creation<W> | undefined = undefined;
  /** How often all resources were invalidated. */
  #invalidations = 0;
  #closed = false;
  /** Why the last creation failed; `undefined` after a success. */
  lastError: unknown = undefined;

  constructor(host: CreatorHost<T, W>, calls: FactoryCalls<T>, runInContext: RunInContext) {
    this.#host = host;
    this.#calls = calls;
    this.#settings = host.settings;
    this.#capacity = host.capacity;
    this.#counters = host.counters;
    this.#runInContext = runInContext;
    this.#ready = new ReadyWaits(host.settings);
    this.#pause = new FactoryPause(host.settings, runInContext, () => host.roomChanged());
  }

  /** Whether the factory is in a pause after a failure. */
  get isBackingOff(): boolean {
    return this.#pause.isOn;
  }

  /** Begins a creation for each waiter for whom no resource is on its way, as far as there is room. */
  createForWaiters(): void {
    this.#updateAwaited();
    while (this.mayTry && this.#capacity.shortfall > 0 && this.mayBegin) {
      this.#begin(this.#host.waiters.firstWithoutCreation());
    }
  }

  /** Whether a caller waits for `ready` or `warmUp`. */
  get isAwaited(): boolean {
    return !this.#ready.isEmpty;
  }

  /** Whether creations run on whose waiters have left. */
  get hasAbandoned(): boolean {
    return this.#abandoned > 0;
  }

  /** Told that the last waiter has left the queue. */
  queueEmptied(): void {
    this.#updateAwaited();
  }

  /** Creates up to `min` resources, or more for callers of `warmUp`, unless the factory is in a pause. */
  fillToMin(): void {
    if (this.#isFillingUp) return; // A factory that settles at once calls back in the middle.
    this.#isFillingUp = true;
    while (!this.isBackingOff && this.#missing() > 0 && this.mayBegin) this.#begin(null);
    this.#isFillingUp = false;
    const { shared } = this.#capacity;
    // A pool that its own limit stops would hold up those behind it: it fills up when a resource of its own has left.
    if (shared !== null && shared.room <= 0 && this.#missing() > 0) shared.awaitRoom();
    this.#ready.settle(this.#capacity.usable);
    this.#updateAwaited();
  }

  /**
   * Settles when `count` resources exist. Rejects when creating one of them fails, when the limits leave no place for so many, or
   * when the pool closes. `begun` is given the function that ends the wait without a result.
   */
  whenReady(count: ReadyCount, begun: (leave: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = this.#ready.add(count, { resolve, reject });
      begun(() => {
        leave();
        this.#updateAwaited();
      });
      this.limitsChanged();
      this.#updateAwaited();
      this.fillToMin();
    });
  }

  /** The most resources that the limits allow: `max`, or `maxTotal` of a shared ceiling if that is less. */
  get most(): number {
    const { max } = this.#settings;
    return Math.min(max, this.#capacity.shared?.maxTotal ?? max);
  }

  /** The limits may have changed: rejects the callers of `ready` and `warmUp` that wait for more resources than they allow. */
  limitsChanged(): void {
    const { most } = this;
    const { name, max } = this.#settings;
    const limit = most < max ? 'maxTotal' : 'max';
    this.#ready.rejectAbove(most, (count) => new WarmUpError(name, count, limit, most));
  }

  /**
   * A waiter has left without a resource; `creation` was begun for it. Unless another waiter or `min` needs the creation, its place is
   * free, and the factory is told by its signal. While nothing comes of the factory, one creation continues for later callers. A
   * resource that comes all the same is kept if there is room. A waiter for whom none was begun may be the last that needed one of
   * another waiter, which has left or was served otherwise. A creation whose resource would be destroyed is given up before all others.
   */
  waiterLeft(creation: Creation | null, reason: unknown): void {
    const own = creation as Creation<W>;
    const left =
      this.#outdatedWithoutWaiter() ?? (this.#running.has(own) ? own : this.#firstWithoutWaiter());
    if (left === undefined || left.waiter !== null) return;
    const isSlow = left.call?.isSlow === true;
    const isNeeded = !isSlow && (this.#capacity.shortfall >= 0 || this.#isFilling());
    left.call?.setBackground(true);
    if (isNeeded || !this.#mayAbandon) return;
    if (!this.#closed) {
      if (this.#pause.isSilent) this.#continued ??= left;
      this.#pause.gaveUp();
    }
    this.#abandon(left, reason);
    this.#host.roomChanged();
  }

  #abandon(creation: Creation<W>, reason: unknown): void {
    this.#countAbandoned(1);
    this.#end(creation);
    creation.call?.abandon();
    if (creation === this.#continued) return;
    this.#runInContext(() => creation.controller.abort(reason));
  }

  /** The first creation whose waiter has left or was served otherwise; a slow one if there is any. O(1) while waiters need all of them. */
  #firstWithoutWaiter(): Creation<W> | undefined {
    if (this.#capacity.shortfall >= 0 && this.#counters.slow === 0) return undefined;
    return (
      this.#withoutWaiter(({ call }) => call?.isSlow === true) ?? this.#withoutWaiter(() => true)
    );
  }

  /** A creation whose waiter has left, and whose resource would be destroyed. O(1) while waiters need all creations. */
  #outdatedWithoutWaiter(): Creation<W> | undefined {
    if (this.#invalidations === 0 || this.#capacity.shortfall >= 0) return undefined;
    return this.#withoutWaiter((creation) => this.#isOutdated(creation));
  }

  #withoutWaiter(isMeant: (creation: Creation<W>) => boolean): Creation<W> | undefined {
    for (const creation of this.#running) {
      if (!creation.isForMin && creation.waiter === null && isMeant(creation)) return creation;
    }
    return undefined;
  }

  /**
   * Whether an idle resource may leave now. If `min` needs it, its replacement is created first, if there is room for one.
   */
  mayLeave(): boolean {
    const { spare } = this.#capacity;
    const { creating } = this.#counters;
    if (this.#host.state !== 'open' || this.#hasSurplus()) return true;
    if (creating === 0 && spare <= 0) return true;
    if (creating === 0 && !this.isBackingOff && this.mayBegin) this.#begin(null);
    return this.#hasSurplus();
  }

  #hasSurplus(): boolean {
    return this.#capacity.usable > Math.max(this.#settings.min, this.#ready.wanted);
  }

  /** A resource broke before its first loan, `lifeMillis` after it was good: its replacement for `min` would perhaps break as soon. */
  brokeUnused(lifeMillis: number): void {
    if (!this.#closed) this.#pause.brokeUnused(lifeMillis, this.#counters.loans);
  }

  /** Settles when all creations that run now have ended. Never rejects. */
  async whenEnded(): Promise<void> {
    await Promise.all([...this.#running].map((creation) => creation.ended));
  }

  /** Has the resources of all running creations destroyed, however late they come. */
  invalidate(): void {
    this.#invalidations++;
  }

  /** Begins no more creations, and aborts the signals of those that run. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stopFilling();
    this.#pause.cancel();
    const continued = this.#continued === undefined ? [] : [this.#continued];
    const calls = [...continued, ...this.#running];
    if (calls.length === 0) return;
    const error = this.#closedError();
    for (const { controller } of calls) this.#runInContext(() => controller.abort(error));
  }

  /** Rejects the callers of `ready` and `warmUp`. */
  stopFilling(): void {
    if (!this.#ready.isEmpty) this.#ready.rejectAll(this.#closedError());
    this.#updateAwaited();
  }

  #closedError(): PoolClosedError {
    return new PoolClosedError(this.#settings.name, 'closed');
  }

  /** Stops waiting for the creations that run. Their resources are destroyed when they come. */
  abandonAll(): void {
    for (const creation of [...this.#running]) {
      this.#end(creation);
      creation.call?.abandon();
    }
    this.#host.roomChanged();
  }

  /** What callers wait for keeps the process alive: the pause, and the creations for `ready` and `warmUp`. */
  #updateAwaited(): void {
    const { isAwaited } = this;
    this.#pause.setAwaited(this.#capacity.shortfall > 0 || isAwaited);
    if (this.#isForeground === isAwaited) return;
    this.#isForeground = isAwaited;
    for (const { isForMin, call } of this.#running) if (isForMin) call?.setBackground(!isAwaited);
  }

  /** Whether the factory may be tried for a waiter: it is in no pause, or each failure goes to its caller. */
  get mayTry(): boolean {
    return !this.isBackingOff || (this.#settings.createAttempts === 1 && !this.#pause.isForAll);
  }

  /** Whether another creation may begin now. */
  get mayBegin(): boolean {
    return (
      this.#capacity.spare > 0 && this.#counters.creating < this.#settings.maxConcurrentCreates
    );
  }

  #begin(waiter: W | null): void {
    const creation = new Creation<W>(
      waiter,
      this.#invalidations,
      this.#counters.capacityErrors,
      this.#host.newNode(),
    );
    if (waiter !== null) waiter.creation = creation;
    this.#running.add(creation);
    this.#counters.creating++;
    this.#host.changed();
    const attempt = this.#pause.failuresInARow + 1;
    creation.call = this.#calls.create(creation, attempt, waiter === null && !this.isAwaited, {
      created: (resource) => this.#created(creation, resource),
      failed: (error) => this.#failed(creation, error),
      late: (resource) => this.#late(creation, resource),
      lateFailure: () => creation.pendingNode?.fail(),
    });
  }

  #created(creation: Creation<W>, resource: T): void {
    if (!this.#running.has(creation)) {
      this.#endAbandoned(creation);
      this.#pause.succeeded();
      this.#late(creation, resource);
      return;
    }
    const waiter = this.#end(creation);
    const { pendingNode } = creation;
    if (this.#isOutdated(creation)) this.#host.destroyOutdated(resource, pendingNode);
    else if (!this.#host.addCreated(resource, pendingNode)) {
      pendingNode?.fail();
      this.#countFailure(creation, waiter, new DuplicateResourceError(this.#settings.name));
    } else {
      this.lastError = undefined;
      this.#pause.succeeded();
      if (creation.capacityErrors < this.#counters.capacityErrors)
        this.#capacity.max.acceptedBefore();
    }
    this.#host.roomChanged();
  }

  #failed(creation: Creation<W>, error: CreateError): void {
    if (!(error instanceof CreateTimeoutError)) creation.pendingNode?.fail(); // A late resource may still come.
    if (this.#running.has(creation)) this.#countFailure(creation, this.#end(creation), error);
    else this.#endAbandoned(creation);
    this.#host.roomChanged();
  }

  /** Takes in the resource of a creation that had given its place away. A creation that still runs makes room for it. */
  #late(creation: Creation<W>, resource: T): void {
    const isWanted = !this.#closed && !this.#isOutdated(creation);
    if (isWanted && this.#capacity.spare === 0) this.#abandonNewest();
    if (!isWanted || this.#capacity.spare <= 0) {
      this.#host.destroyUnplaced(resource);
      creation.pendingNode?.fail();
    } else if (!this.#host.addCreated(resource, creation.pendingNode)) creation.pendingNode?.fail();
    this.#host.roomChanged();
  }

  #abandonNewest(): void {
    const newest = [...this.#running].at(-1);
    if (newest === undefined || !this.#mayAbandon) return;
    this.#abandon(newest, new DOMException('Another creation has succeeded.', 'AbortError'));
  }

  /** Whether a creation may run on beside those that have a place: the signals of its calls are perhaps ignored. */
  get #mayAbandon(): boolean {
    return this.#abandoned < this.#settings.max && this.#capacity.shared?.mayAbandon !== false;
  }

  #endAbandoned(creation: Creation<W>): void {
    if (creation === this.#continued) this.#continued = undefined;
    if (this.#abandoned > 0) this.#countAbandoned(-1);
  }

  #countAbandoned(change: 1 | -1): void {
    this.#abandoned += change;
    this.#capacity.shared?.countAbandoned(change);
  }

  #isOutdated(creation: Creation<W>): boolean {
    return creation.invalidations !== this.#invalidations;
  }

  /** Ends a creation; returns the waiter it was begun for, if that one still waits. */
  #end(creation: Creation<W>): W | null {
    const waiter = creation.waiter;
    if (waiter !== null) {
      waiter.creation = null;
      creation.waiter = null;
    }
    if (this.#running.delete(creation)) this.#counters.creating--;
    this.#host.changed();
    creation.end();
    return waiter;
  }

  #countFailure(creation: Creation<W>, waiter: W | null, error: CreateError): void {
    this.lastError = error.cause ?? error;
    const isServerFull = this.#calls.isFull(this.lastError);
    if (!this.#closed) this.#pause.failed(!isServerFull);
    if (isServerFull) {
      // Creations that ran at the same time tell of the same full server.
      const isFirst = this.#counters.capacityErrors++ === creation.capacityErrors;
      const { size } = this.#capacity;
      if (isFirst) this.#capacity.max.serverIsFull(size - this.#counters.creating);
      return; // The waiter waits for a resource to come back, or for the next attempt.
    }
    this.#counters.createErrors++;
    if (waiter === null) this.#ready.rejectAll(error);
    else if (
      this.#pause.countedInARow >= this.#settings.createAttempts ||
      this.#calls.isPermanent(this.lastError)
    ) {
      this.#host.rejectWaiter(waiter, error);
    }
  }

  /** Whether the running creations are no more than `min`, or a caller of `warmUp`, needs. */
  #isFilling(): boolean {
    return this.#host.state === 'open' && this.#missing() >= 0;
  }

  /** How many resources are missing to reach `min`, or the count that a caller of `warmUp` waits for. */
  #missing(): number {
    if (this.#host.state !== 'open') return 0;
    const wanted = Math.max(this.#settings.min, this.#ready.wanted);
    const { usable, max } = this.#capacity;
    return Math.min(wanted, max.value) - usable - this.#counters.creating;
  }
}
