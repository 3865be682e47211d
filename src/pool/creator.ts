/**
 * Creations: begun when callers wait for whom nothing is on its way, and to keep `min` resources warm.
 *
 * A creation is bound to the caller who caused it, and its failure is that caller's. Its success is nobody's in
 * particular: the resource goes to whoever is first in line, and a caller who was served by a returned resource
 * meanwhile, or gave up, is simply unbound. So every failure ends somebody's wait, and a factory that keeps failing is
 * called once per caller, never in a loop. Filling up to `min` has no caller; it backs off instead.
 *
 * A creation that timed out has lost its place. Its resource, if it comes after all, is taken in when there is room for
 * it and destroyed when there is not.
 */
import type { TimerHandle } from '../core/clock.js';
import { backoffMillis } from './backoff.js';
import { Creation } from './creation.js';
import type { FactoryCalls } from './factory-calls.js';
import type { OwnContext } from './own-context.js';
import { type CreateError, DuplicateResourceError, PoolClosedError } from './pool-errors.js';
import type { PoolSettings } from './pool-options.js';
import type { Waiter } from './waiter.js';

/** What creations need to know of their pool, and tell it. */
export interface CreatorHost<T> {
  /** How many more resources `max` allows. */
  readonly spareResourceCapacity: number;
  /** How many waiters there are for whom nothing is on its way. */
  shortfall(): number;
  /** How many resources there are, without those being destroyed. */
  readonly usable: number;
  /** How many resources are missing from `min`; 0 while the pool does not fill up. */
  shortfallOfMin(): number;
  firstWithoutCreation(): Waiter<T> | null;
  /** Takes the new resource in; false if the pool has it already. */
  adopt(resource: T): boolean;
  /** Takes the new resource in to destroy it. */
  condemn(resource: T): void;
  /** Destroys a resource that has no place. */
  turnAway(resource: T): void;
  /** Ends the wait of a caller. */
  refuse(waiter: Waiter<T>, error: CreateError): void;
  /** There may be room for another creation now, or nothing left to wait for. */
  roomChanged(): void;
}

/** Somebody who waits until `min` resources are there. */
interface ReadyListener {
  resolve(): void;
  reject(error: unknown): void;
}

/** The creations of one pool. */
export class Creator<T> {
  readonly #host: CreatorHost<T>;
  readonly #calls: FactoryCalls<T>;
  readonly #settings: PoolSettings;
  readonly #inOwnContext: OwnContext;
  readonly #underWay = new Set<Creation<Waiter<T>>>();
  #readyListeners: ReadyListener[] = [];
  #failuresInARow = 0;
  #backoff: TimerHandle | undefined = undefined;
  #closed = false;
  /** How many creations failed or timed out. */
  errors = 0;
  /** Why the last creation failed; `undefined` after a success. */
  lastError: unknown = undefined;

  constructor(
    host: CreatorHost<T>,
    calls: FactoryCalls<T>,
    settings: PoolSettings,
    inOwnContext: OwnContext,
  ) {
    this.#host = host;
    this.#calls = calls;
    this.#settings = settings;
    this.#inOwnContext = inOwnContext;
  }

  /** How many creations are under way. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Creates for callers who wait for whom nothing is on its way. */
  meetDemand(): void {
    while (this.#host.shortfall() > 0 && this.#mayBegin()) {
      this.#begin(this.#host.firstWithoutCreation());
    }
  }

  /** Fills up to `min`, unless the factory is being left alone. */
  fillUp(): void {
    while (this.#backoff === undefined && this.#host.shortfallOfMin() > 0 && this.#mayBegin()) {
      this.#begin(null);
    }
    if (this.#readyListeners.length > 0 && this.#isReady()) this.#settleReady();
  }

  /** Settles when `min` resources are there; rejects when creating one of them fails, or the pool closes. */
  whenReady(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#readyListeners.push({ resolve, reject });
      this.fillUp();
    });
  }

  /** Settles when all creations that are under way now have ended. Never rejects. */
  async whenEnded(): Promise<void> {
    await Promise.all([...this.#underWay].map((creation) => creation.ended));
  }

  /** What the creations under way bring is not wanted; others are begun for those who wait. */
  outdate(): void {
    for (const creation of this.#underWay) creation.isOutdated = true;
  }

  /** Creates nothing any more, and lets those under way know that nobody wants them. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.stopFilling();
    const error = new PoolClosedError(this.#settings.name, 'closed');
    for (const creation of [...this.#underWay]) {
      this.#inOwnContext(() => creation.controller.abort(error));
    }
  }

  /** Stops filling up; nobody will see the pool ready. */
  stopFilling(): void {
    if (this.#backoff !== undefined) this.#settings.clock.clearTimer(this.#backoff);
    this.#backoff = undefined;
    this.#failReady(new PoolClosedError(this.#settings.name, 'closed'));
  }

  /** Waits no longer for the creations under way; what they bring is turned away. */
  giveUp(): void {
    for (const creation of [...this.#underWay]) this.#end(creation);
  }

  #mayBegin(): boolean {
    return (
      this.#host.spareResourceCapacity > 0 &&
      this.#underWay.size < this.#settings.maxConcurrentCreates
    );
  }

  #begin(client: Waiter<T> | null): void {
    const creation = new Creation<Waiter<T>>(client);
    if (client !== null) client.creation = creation;
    this.#underWay.add(creation);
    this.#calls.create(creation.controller, client === null, {
      created: (resource) => this.#created(creation, resource),
      failed: (error) => this.#failed(creation, error),
      late: (resource) => this.#late(resource),
    });
  }

  #created(creation: Creation<Waiter<T>>, resource: T): void {
    if (!this.#underWay.has(creation)) {
      this.#host.turnAway(resource); // The close gave up waiting for it.
      return;
    }
    const client = this.#end(creation);
    if (creation.isOutdated) this.#host.condemn(resource);
    else if (!this.#host.adopt(resource)) {
      this.#countFailure(client, new DuplicateResourceError(this.#settings.name));
    } else {
      this.#failuresInARow = 0;
      this.lastError = undefined;
    }
    this.#host.roomChanged();
  }

  #failed(creation: Creation<Waiter<T>>, error: CreateError): void {
    if (!this.#underWay.has(creation)) return;
    this.#countFailure(this.#end(creation), error);
    this.#host.roomChanged();
  }

  #late(resource: T): void {
    if (this.#closed || this.#host.spareResourceCapacity <= 0) this.#host.turnAway(resource);
    else if (this.#host.adopt(resource)) this.#host.roomChanged();
  }

  /** Takes the creation off; returns for whom it was, if that caller still waits. */
  #end(creation: Creation<Waiter<T>>): Waiter<T> | null {
    const client = creation.client;
    if (client !== null) {
      client.creation = null;
      creation.client = null;
    }
    this.#underWay.delete(creation);
    creation.end();
    return client;
  }

  #countFailure(client: Waiter<T> | null, error: CreateError): void {
    this.errors++;
    this.#failuresInARow++;
    this.lastError = error.cause ?? error;
    if (this.#host.shortfallOfMin() > 0) this.#backOff();
    if (client !== null) this.#host.refuse(client, error);
    else this.#failReady(error);
  }

  #backOff(): void {
    if (this.#backoff !== undefined) return;
    const delayMillis = backoffMillis(this.#failuresInARow, this.#settings.random);
    this.#backoff = this.#inOwnContext(() =>
      this.#settings.clock.setTimer(
        () => {
          this.#backoff = undefined;
          this.fillUp();
        },
        delayMillis,
        { background: true },
      ),
    );
  }

  #isReady(): boolean {
    return this.#host.usable >= this.#settings.min;
  }

  #settleReady(): void {
    const listeners = this.#readyListeners;
    this.#readyListeners = [];
    for (const listener of listeners) listener.resolve();
  }

  #failReady(error: unknown): void {
    const listeners = this.#readyListeners;
    this.#readyListeners = [];
    for (const listener of listeners) listener.reject(error);
  }
}
