/// <reference lib="esnext.disposable" preserve="true" />
/** The pools of other packages that are watched, by the object that the package's user has. */
import { notePeerWatch, requestOfAdoption } from '../../core/adopted-peers.js';
import { guardedCall } from '../../core/guarded-call.js';
import type { Origin } from '../../core/probe.js';
import { IterableWeakSet } from '../../weak/iterable-weak-set.js';
import { ForeignPool, type ForeignPoolFacts } from './foreign-pool.js';

/** Called with each pool when its first caller asks for a resource. Gives the watch over it. */
export type PoolSeen = (pool: ForeignPool) => Disposable;

/** The pools that have been seen. A pool that V8 has collected is forgotten. */
export class KnownPools {
  readonly #seen: PoolSeen;
  readonly #givesWay: boolean;
  readonly #pools = new WeakMap<object, ForeignPool>();
  readonly #watched = new IterableWeakSet<ForeignPool>();
  readonly #nameCounts = new Map<string, number>();
  /** Above 0 while a method of a package calls another one for itself. */
  #internalCalls = 0;
  /** The caller for whom a package acquires at present, in a later turn than that of its call. */
  #callerServed: Origin | undefined;
  #isOpen = true;

  /** `givesWay` says that the loans which an adopted pool reports to any watchdog are left out. */
  constructor(seen: PoolSeen, givesWay: boolean) {
    this.#seen = seen;
    this.#givesWay = givesWay;
  }

  /** Gives the record of a pool that was seen; `undefined` if it was not. */
  known(pool: object): ForeignPool | undefined {
    return this.#pools.get(pool);
  }

  /**
   * Gives the record of a pool for a call that has to be reported, made when the pool is seen for the first time. `undefined` if a
   * method of the package makes the call for itself, if an adopted pool makes it that tells of the loan itself, or if `close` was
   * called. Never throws.
   */
  caller(pool: object, factsOf: (pool: never) => ForeignPoolFacts): ForeignPool | undefined {
    if (!this.#isOpen || this.isInternal) return undefined;
    const request = requestOfAdoption(pool);
    if (request !== undefined && (this.#givesWay || request.receiver === undefined)) {
      return undefined;
    }
    const record = this.#pools.get(pool) ?? this.#add(pool, factsOf);
    return request !== undefined && request.receiver === record?.receiver ? undefined : record;
  }

  /** Whether a method of a package makes the present call for itself. */
  get isInternal(): boolean {
    return this.#internalCalls > 0;
  }

  #add(pool: object, factsOf: (pool: never) => ForeignPoolFacts): ForeignPool | undefined {
    return guardedCall('the watch of a pool', () => {
      if (Object(pool) !== pool) return undefined; // The method was called without its pool, and will throw.
      const facts = factsOf(pool as never);
      const record = new ForeignPool({ ...facts, name: this.#unique(facts.name) });
      this.#pools.set(pool, record);
      notePeerWatch(pool, record);
      record.watch = this.#seen(record);
      this.#watched.add(record);
      return record;
    });
  }

  /**
   * Calls a method that acquires for itself and gives back by itself, such as `pool.query()`. Its loans are not reported: their
   * line is a line of the package, and their release is not the caller's part.
   */
  internally<R>(call: () => R): R {
    this.#internalCalls++;
    try {
      return call();
    } finally {
      this.#internalCalls--;
    }
  }

  /** Calls a method in which the package acquires for a caller whose origin was taken before. */
  serving<R>(caller: Origin, call: () => R): R {
    const before = this.#callerServed;
    this.#callerServed = caller;
    try {
      return call();
    } finally {
      this.#callerServed = before;
    }
  }

  /** The caller for whom the present call acquires, if {@link serving} makes it. */
  get callerServed(): Origin | undefined {
    return this.#callerServed;
  }

  /** Ends the watches. Calls are not reported any more. */
  close(): void {
    this.#isOpen = false;
    for (const pool of this.#watched) pool.watch?.[Symbol.dispose]();
    this.#watched.clear();
  }

  /** Pools of one name are numbered from the second on. */
  #unique(name: string): string {
    const count = (this.#nameCounts.get(name) ?? 0) + 1;
    this.#nameCounts.set(name, count);
    return count === 1 ? name : `${name} #${count}`;
  }
}
