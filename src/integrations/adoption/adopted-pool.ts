/**
 * The public face of an adopted pool: leases, `use` and watching over a pool of another package. The adoption does the work.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { type Clock, systemClock } from '../../core/clock.js';
import { AlreadyWatchedError } from '../../core/errors.js';
import {
  aBoolean,
  aFunction,
  aName,
  checkArgument,
  type OptionTable,
  objectWith,
  oneOf,
  option,
  positiveMillis,
  resolveOptions,
} from '../../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../../core/probe.js';
import type { CallSites } from '../../core/site-sample.js';
import { grantLease, grantUse } from '../../pool/loan/grant.js';
import type { Lease } from '../../pool/loan/lease.js';
import { LoanWatch } from '../../pool/loan/loan-watch.js';
import { type UseContext, useNow } from '../../pool/loan/use-context.js';
import {
  type CloseOptions,
  type LeaseOptions,
  resolveCloseOptions,
  resolveLeaseOptions,
} from '../../pool/pool-options.js';
import type { LoanInfo, PoolStats } from '../../pool/pool-stats.js';
import { Adoption, type AdoptionSettings } from './adoption.js';
import type { PeerPool } from './peer-pool.js';

/** Options of `adoptPool`. Times are in milliseconds. */
export interface AdoptOptions {
  /** The pool's name in errors and reports. @default 'pool' */
  readonly name?: string;
  /** How long a caller waits, besides the peer's own timeout; `Infinity` for no limit. @default 30_000 */
  readonly acquireTimeoutMillis?: number;
  /**
   * Whose stacks are captured for errors and `loans()`: `'sampled'` captures those of the first 64 callers in each second,
   * `'all'` costs each caller some 10 µs.
   * @default 'sampled'
   */
  readonly callSites?: CallSites;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
}

/** Options of {@link AdoptedPool.close}. */
export interface AdoptedCloseOptions extends CloseOptions {
  /** Ends the peer, too, when all loans have ended. @default false */
  readonly endPeer?: boolean;
}

const ADOPT_OPTIONS: OptionTable<AdoptionSettings> = {
  name: option(aName, 'pool'),
  acquireTimeoutMillis: option(positiveMillis, 30_000),
  callSites: option(oneOf('sampled', 'all', 'none'), 'sampled'),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
};

/**
 * Leases, `use` and a watch over a pool of another package, the peer. The peer keeps its options, its order of serving and its other
 * users. Loans that other users take from the peer directly are not seen.
 */
export class AdoptedPool<T> implements AsyncDisposable, Watchable {
  readonly #adoption: Adoption<T>;

  /** @internal */
  constructor(peer: PeerPool<T>, options: AdoptOptions) {
    this.#adoption = new Adoption(peer, resolveOptions('adoptPool', options, ADOPT_OPTIONS));
  }

  /**
   * Lends a resource until the lease is released. The lease's `destroy()` has the peer destroy the resource. Its `detach()`
   * ends the lease only; the caller then gives the resource back to the peer.
   *
   * A wait ends by its `signal` or after `timeoutMillis`. The peer does not learn of it; a resource that it delivers later is given
   * back at once. With `timeoutMillis: 0` the wait lasts one turn of the event loop. Only generic-pool uses `priority`.
   *
   * Rejects with {@link AcquireTimeoutError}, {@link PoolClosedError}, the signal's reason, or the peer's error.
   */
  lease(options?: LeaseOptions): Promise<Lease<T>> {
    const adoption = this.#adoption;
    try {
      const checked = resolveLeaseOptions('lease', options);
      const origin = adoption.originOf(AdoptedPool.prototype.lease);
      return adoption.request(grantLease<T>, checked, origin);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Calls `fn` with a resource, and gives the resource back when `fn` has returned, thrown or settled. Resolves to what `fn`
   * returned. Call `context.discard()` when the resource is broken. Rejects as {@link AdoptedPool.lease} does, and with what
   * `fn` threw.
   */
  async use<R>(
    fn: (resource: T, context: UseContext<T>) => R,
    options?: LeaseOptions | number,
  ): Promise<Awaited<R>> {
    const adoption = this.#adoption;
    checkArgument('use', 'fn', fn, aFunction);
    const checked = resolveLeaseOptions('use', options);
    const origin = adoption.originOf(AdoptedPool.prototype.use);
    const slot = await adoption.request(grantUse<T>, checked, origin);
    return useNow(slot, fn, checked.signal);
  }

  /**
   * Lends nothing more. Waiters and later callers are rejected with {@link PoolClosedError}. Settles when all loans of this pool
   * have ended. The peer stays open, unless `endPeer` is set.
   *
   * Loans that are still out after the grace are reported by a rejection with {@link LeasesOutError}
   * (`TENURE_POOL_LEASES_OUT`). With `force`, their resources are destroyed instead. `close` may be called again.
   */
  async close(options: AdoptedCloseOptions = {}): Promise<void> {
    const { endPeer = false, ...closing } = options;
    checkArgument('close', 'endPeer', endPeer, aBoolean);
    await this.#adoption.close(resolveCloseOptions(closing));
    if (endPeer) await this.#adoption.endPeer();
  }

  /** Closes it with the default grace; the peer stays open. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The figures at this moment. `size`, `available`, `borrowed`, `pending`, `creating`, `min` and `max` are the peer's, its other
   * users included. The other figures count the loans of this pool. A figure that the peer does not have is 0: `pg.Pool` and
   * mysql2 count resources that are being created among the `borrowed`.
   */
  stats(): PoolStats {
    return this.#adoption.stats();
  }

  /** The loans of this pool that are out, longest first. O(n log n). */
  loans(): LoanInfo[] {
    return this.#adoption.loans();
  }

  /** The name in errors and reports. */
  get name(): string {
    return this.#adoption.name;
  }

  /** Attaches an observer, such as a watchdog. */
  [observe](observer: Observer): Observation {
    const { origins, name } = this.#adoption;
    if (origins.watch !== null) throw new AlreadyWatchedError(`The pool '${name}'`);
    origins.watch = new LoanWatch(this.#adoption, observer);
    return origins.watch;
  }
}
