/**
 * Creations: begun when callers wait for whom nothing is on its way, and to keep `min` resources warm.
 *
 * A creation is bound to the caller who caused it, and its failure is that caller's. Its success is nobody's in
 * particular: the resource goes to whoever is first in line, and a caller who was served by a returned resource
 * meanwhile, or gave up, is simply unbound.
 *
 * After a failure the factory is left alone for a while, longer after each one in a row, and tried again for those who
 * wait. A transient failure is thus nobody's trouble. Once so many in a row have failed (`createAttempts`), the failure is
 * told to the caller who caused it, and from then on each further one is, so an outage is known within one wait. Failures
 * of creations that were under way together count as one.
 *
 * A creation that timed out has lost its place. Its resource, if it comes after all, is taken in when there is room for
 * it and destroyed when there is not.
 */

import type { RunInContext } from '../../core/async-context.js';
import { type CreateError, DuplicateResourceError, PoolClosedError } from '../pool-errors.js';
import type { PoolSettings } from '../pool-options.js';
import { type Client, Creation } from './creation.js';
import type { FactoryCalls } from './factory-calls.js';
import { FactoryPause } from './factory-pause.js';

/** What creations need to know of their pool, and tell it. */
export interface CreatorHost<T, C extends Client> {
  /** How many more resources `max` allows. */
  readonly spareResourceCapacity: number;
  /** How many waiters there are for whom nothing is on its way. */
  shortfall(): number;
  /** How many resources there are, without those being destroyed. */
  readonly usable: number;
  /** Whether the pool keeps resources warm now. */
  readonly isFilling: boolean;
  firstWithoutCreation(): C | null;
  /** Takes the new resource in; false if the pool has it already. */
  addCreated(resource: T): boolean;
  /** Takes the new resource in to destroy it. */
  destroyOutdated(resource: T): void;
  /** Destroys a resource that has no place. */
  destroyUnplaced(resource: T): void;
  /** Ends the wait of a caller. */
  rejectWaiter(waiter: C, error: CreateError): void;
  /** There may be room for another creation now, or nothing left to wait for. */
  roomChanged(): void;
}

/** Somebody who waits until so many resources are there. */
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
  readonly #runInContext: RunInContext;
  readonly #running = new Set<Creation<C>>();
  #readyListeners: ReadyListener[] = [];
  readonly #pause: FactoryPause;
  #isFillingUp = false;
  /** How often everything was invalidated. */
  #invalidations = 0;
  #closed = false;
  /** How many creations are under way. */
  creating = 0;
  /** How many creations failed or timed out. */
  errors = 0;
  /** Why the last creation failed; `undefined` after a success. */
  lastError: unknown = undefined;

  constructor(
    host: CreatorHost<T, C>,
    calls: FactoryCalls<T>,
    settings: PoolSettings,
    runInContext: RunInContext,
  ) {
    this.#host = host;
    this.#calls = calls;
    this.#settings = settings;
    this.#runInContext = runInContext;
    this.#pause = new FactoryPause(settings, runInContext, () => host.roomChanged());
  }

  /** Whether the factory is being left alone. */
  get isBackingOff(): boolean {
    return this.#pause.isOn;
  }

  /** Creates for callers who wait for whom nothing is on its way. */
  createForWaiters(): void {
    this.#noteWhetherAwaited();
    while (this.#mayTry() && this.#host.shortfall() > 0 && this.#mayBegin()) {
      this.#begin(this.#host.firstWithoutCreation());
    }
  }

  /** Nobody waits for a creation any more. */
  queueEmptied(): void {
    this.#noteWhetherAwaited();
  }

  /** Fills up to `min`, or further for those who asked for more, unless the factory is being left alone. */
  fillToMin(): void {
    if (this.#isFillingUp) return; // A factory that settles at once calls back in the middle.
    this.#isFillingUp = true;
    while (!this.isBackingOff && this.#missing() > 0 && this.#mayBegin()) this.#begin(null);
    this.#isFillingUp = false;
    this.#settleReady();
  }

  /** Settles when `count` resources are there; rejects when creating one of them fails, or the pool closes. */
  whenReady(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#readyListeners.push({ count, resolve, reject });
      this.#noteWhetherAwaited();
      this.fillToMin();
    });
  }

  /** Settles when all creations that are under way now have ended. Never rejects. */
  async whenEnded(): Promise<void> {
    await Promise.all([...this.#running].map((creation) => creation.ended));
  }

  /** What the creations under way bring, however late, is not wanted; others are begun for those who wait. */
  invalidate(): void {
    this.#invalidations++;
  }

  /** Creates nothing any more, and lets those under way know that nobody wants them. */
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

  /** Stops filling up; nobody will see the pool ready. */
  stopFilling(): void {
    this.#failReady(new PoolClosedError(this.#settings.name, 'closed'));
  }

  /** Waits no longer for the creations under way; what they bring is turned away. */
  abandonAll(): void {
    for (const creation of [...this.#running]) this.#end(creation);
  }

  #noteWhetherAwaited(): void {
    this.#pause.setAwaited(this.#host.shortfall() > 0 || this.#readyListeners.length > 0);
  }

  #mayTry(): boolean {
    return !this.isBackingOff || this.#settings.createAttempts === 1;
  }

  #mayBegin(): boolean {
    return (
      this.#host.spareResourceCapacity > 0 && this.creating < this.#settings.maxConcurrentCreates
    );
  }

  #begin(client: C | null): void {
    const creation = new Creation<C>(client, this.#invalidations);
    if (client !== null) client.creation = creation;
    this.#running.add(creation);
    this.creating++;
    this.#calls.create(creation.controller, this.#pause.failuresInARow + 1, client === null, {
      created: (resource) => this.#created(creation, resource),
      failed: (error) => this.#failed(creation, error),
      late: (resource) => this.#late(creation, resource),
    });
  }

  #created(creation: Creation<C>, resource: T): void {
    if (!this.#running.has(creation)) {
      this.#host.destroyUnplaced(resource); // The close gave up waiting for it.
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

  /** The creation has timed out; what it brings is kept if there is room for it. */
  #late(creation: Creation<C>, resource: T): void {
    const isWanted = !this.#closed && !this.#isOutdated(creation);
    if (!isWanted || this.#host.spareResourceCapacity <= 0) this.#host.destroyUnplaced(resource);
    else if (this.#host.addCreated(resource)) this.#host.roomChanged();
  }

  #isOutdated(creation: Creation<C>): boolean {
    return creation.invalidations !== this.#invalidations;
  }

  /** Takes the creation off; returns for whom it was, if that caller still waits. */
  #end(creation: Creation<C>): C | null {
    const client = creation.client;
    if (client !== null) {
      client.creation = null;
      creation.client = null;
    }
    if (this.#running.delete(creation)) this.creating--;
    creation.end();
    return client;
  }

  #countFailure(client: C | null, error: CreateError): void {
    this.errors++;
    this.lastError = error.cause ?? error;
    if (!this.#closed) this.#pause.failed();
    if (client === null) this.#failReady(error);
    else if (this.#pause.failuresInARow >= this.#settings.createAttempts) {
      this.#host.rejectWaiter(client, error);
    }
  }

  /** How many resources are missing from what is to be kept warm. */
  #missing(): number {
    if (!this.#host.isFilling) return 0;
    let wanted = this.#settings.min;
    for (const { count } of this.#readyListeners) wanted = Math.max(wanted, count);
    return Math.min(wanted, this.#settings.max) - this.#host.usable - this.creating;
  }

  #settleReady(): void {
    if (this.#readyListeners.length === 0) return;
    const there = this.#host.usable;
    const ready = this.#readyListeners.filter(({ count }) => count <= there);
    this.#readyListeners = this.#readyListeners.filter(({ count }) => count > there);
    for (const listener of ready) listener.resolve();
  }

  #failReady(error: unknown): void {
    const listeners = this.#readyListeners;
    this.#readyListeners = [];
    for (const listener of listeners) listener.reject(error);
  }
}
