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
 * A creation that timed out gives its place away. If its resource comes after all, the pool keeps it if it is below `max`, and
 * destroys it otherwise.
 */
import type { RunInContext } from '../../core/async-context.js';
import type { Capacity } from '../capacity.js';
import type { PoolCounters } from '../pool-counters.js';
import { type CreateError, DuplicateResourceError, PoolClosedError } from '../pool-errors.js';
import type { PoolSettings } from '../pool-options.js';
import { type Client, Creation } from './creation.js';
import type { FactoryCalls } from './factory-calls.js';
import { FactoryPause } from './factory-pause.js';

/** What the creator asks of its pool, and tells it. */
export interface CreatorHost<T, C extends Client> {
  /** The state of the pool. Only an `'open'` pool keeps `min` resources warm. */
  readonly state: string;
  readonly waiters: { firstWithoutCreation(): C | null };
  /** Takes the new resource in; false if the pool has it already. */
  addCreated(resource: T): boolean;
  /** Destroys a new resource whose creation began before an invalidation. */
  destroyOutdated(resource: T): void;
  /** Destroys a resource that has no place in the pool. */
  destroyUnplaced(resource: T): void;
  /** Ends the wait of a caller with an error. */
  rejectWaiter(waiter: C, error: CreateError): void;
  /** Told that another creation may be possible now, or that nothing is left to wait for. */
  roomChanged(): void;
}

/** A caller of `ready` or `warmUp`, which waits until `count` resources exist. */
interface ReadyListener {
  readonly count: number;
  resolve(): void;
  reject(error: unknown): void;
}

/** The creations of one pool. */
export class Creator<T, C extends Client> {
  readonly #host: CreatorHost<T, C>;
  readonly #calls: FactoryCalls<T>;
  readonly #settings: PoolSettings;
  readonly #capacity: Capacity;
  readonly #counters: PoolCounters;
  readonly #runInContext: RunInContext;
  readonly #running = new Set<Creation<C>>();
  #readyListeners: ReadyListener[] = [];
  readonly #pause: FactoryPause;
  #isFillingUp = false;
  /** How often all resources were invalidated. */
  #invalidations = 0;
  #closed = false;
  /** Why the last creation failed; `undefined` after a success. */
  lastError: unknown = undefined;

  constructor(
    host: CreatorHost<T, C>,
    calls: FactoryCalls<T>,
    settings: PoolSettings,
    capacity: Capacity,
    counters: PoolCounters,
    runInContext: RunInContext,
  ) {
    this.#host = host;
    this.#calls = calls;
    this.#settings = settings;
    this.#capacity = capacity;
    this.#counters = counters;
    this.#runInContext = runInContext;
    this.#pause = new FactoryPause(settings, runInContext, () => host.roomChanged());
  }

  /** Whether the factory is in a pause after a failure. */
  get isBackingOff(): boolean {
    return this.#pause.isOn;
  }

  /** Begins a creation for each waiter for whom no resource is on its way, as far as there is room. */
  createForWaiters(): void {
    this.#updatePause();
    while (this.#mayTry() && this.#capacity.shortfall > 0 && this.#mayBegin()) {
      this.#begin(this.#host.waiters.firstWithoutCreation());
    }
  }

  /** Told that the last waiter has left the queue. */
  queueEmptied(): void {
    this.#updatePause();
  }

  /** Creates up to `min` resources, or more for callers of `warmUp`, unless the factory is in a pause. */
  fillToMin(): void {
    if (this.#isFillingUp) return; // A factory that settles at once calls back in the middle.
    this.#isFillingUp = true;
    while (!this.isBackingOff && this.#missing() > 0 && this.#mayBegin()) this.#begin(null);
    this.#isFillingUp = false;
    this.#settleReady();
  }

  /** Settles when `count` resources exist. Rejects when creating one of them fails, or when the pool closes. */
  whenReady(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#readyListeners.push({ count, resolve, reject });
      this.#updatePause();
      this.fillToMin();
    });
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
    const error = new PoolClosedError(this.#settings.name, 'closed');
    for (const creation of [...this.#running]) {
      this.#runInContext(() => creation.controller.abort(error));
    }
  }

  /** Rejects the callers of `ready` and `warmUp`. */
  stopFilling(): void {
    this.#failReady(new PoolClosedError(this.#settings.name, 'closed'));
  }

  /** Stops waiting for the creations that run. Their resources are destroyed when they come. */
  abandonAll(): void {
    for (const creation of [...this.#running]) this.#end(creation);
  }

  #updatePause(): void {
    this.#pause.setAwaited(this.#capacity.shortfall > 0 || this.#readyListeners.length > 0);
  }

  #mayTry(): boolean {
    return !this.isBackingOff || this.#settings.createAttempts === 1;
  }

  #mayBegin(): boolean {
    return (
      this.#capacity.spare > 0 && this.#counters.creating < this.#settings.maxConcurrentCreates
    );
  }

  #begin(client: C | null): void {
    const creation = new Creation<C>(client, this.#invalidations);
    if (client !== null) client.creation = creation;
    this.#running.add(creation);
    this.#counters.creating++;
    this.#calls.create(creation.controller, this.#pause.failuresInARow + 1, client === null, {
      created: (resource) => this.#created(creation, resource),
      failed: (error) => this.#failed(creation, error),
      late: (resource) => this.#late(creation, resource),
    });
  }

  #created(creation: Creation<C>, resource: T): void {
    if (!this.#running.has(creation)) {
      this.#host.destroyUnplaced(resource); // `abandonAll` has ended the creation.
      return;
    }
    const client = this.#end(creation);
    if (this.#isOutdated(creation)) this.#host.destroyOutdated(resource);
    else if (!this.#host.addCreated(resource)) {
      this.#countFailure(client, new DuplicateResourceError(this.#settings.name));
    } else {
      this.lastError = undefined;
      this.#pause.succeeded();
    }
    this.#host.roomChanged();
  }

  #failed(creation: Creation<C>, error: CreateError): void {
    if (!this.#running.has(creation)) return;
    this.#countFailure(this.#end(creation), error);
    this.#host.roomChanged();
  }

  /** Takes in the resource of a creation that had timed out, if there is room for it. */
  #late(creation: Creation<C>, resource: T): void {
    const isWanted = !this.#closed && !this.#isOutdated(creation);
    if (!isWanted || this.#capacity.spare <= 0) this.#host.destroyUnplaced(resource);
    else if (this.#host.addCreated(resource)) this.#host.roomChanged();
  }

  #isOutdated(creation: Creation<C>): boolean {
    return creation.invalidations !== this.#invalidations;
  }

  /** Ends a creation; returns the waiter it was begun for, if that one still waits. */
  #end(creation: Creation<C>): C | null {
    const client = creation.client;
    if (client !== null) {
      client.creation = null;
      creation.client = null;
    }
    if (this.#running.delete(creation)) this.#counters.creating--;
    creation.end();
    return client;
  }

  #countFailure(client: C | null, error: CreateError): void {
    this.#counters.createErrors++;
    this.lastError = error.cause ?? error;
    if (!this.#closed) this.#pause.failed();
    if (client === null) this.#failReady(error);
    else if (this.#pause.failuresInARow >= this.#settings.createAttempts) {
      this.#host.rejectWaiter(client, error);
    }
  }

  /** How many resources are missing to reach `min`, or the count that a caller of `warmUp` waits for. */
  #missing(): number {
    if (this.#host.state !== 'open') return 0;
    let wanted = this.#settings.min;
    for (const { count } of this.#readyListeners) wanted = Math.max(wanted, count);
    const { usable } = this.#capacity;
    return Math.min(wanted, this.#settings.max) - usable - this.#counters.creating;
  }

  #settleReady(): void {
    if (this.#readyListeners.length === 0) return;
    const { usable } = this.#capacity;
    const ready = this.#readyListeners.filter(({ count }) => count <= usable);
    this.#readyListeners = this.#readyListeners.filter(({ count }) => count > usable);
    for (const listener of ready) listener.resolve();
  }

  #failReady(error: unknown): void {
    const listeners = this.#readyListeners;
    this.#readyListeners = [];
    for (const listener of listeners) listener.reject(error);
  }
}
