/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A pool of another package as its users see it once it is adopted: leases, `use` and watching over it, as over a pool of
 * our own. All work is the adoption's.
 */
import { type Clock, systemClock } from '../../core/clock.js';
import { AlreadyWatchedError } from '../../core/errors.js';
import {
  aBoolean,
  aFunction,
  aName,
  checkArgument,
  checkOptions,
  type OptionChecks,
  objectWith,
  oneOf,
} from '../../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../../core/probe.js';
import { grantLease, grantUse } from '../../pool/loan/grant.js';
import type { Lease } from '../../pool/loan/lease.js';
import { LoanWatch } from '../../pool/loan/loan-watch.js';
import { type UseContext, useNow } from '../../pool/loan/use-context.js';
import type { CallSites } from '../../pool/pool-options.js';
import {
  type CloseOptions,
  type LeaseOptions,
  resolveCloseOptions,
  resolveLeaseOptions,
} from '../../pool/pool-options.js';
import type { LoanInfo, PoolStats } from '../../pool/pool-stats.js';
import { Adoption } from './adoption.js';
import type { PeerPool } from './peer-pool.js';

/** Options of `adoptPool`. Times are in milliseconds. */
export interface AdoptOptions {
  /** What the pool is called in errors and reports. @default 'pool' */
  readonly name?: string;
  /** How long a caller waits, whatever the pool underneath does; `Infinity` for no limit. @default 30_000 */
  readonly acquireTimeoutMillis?: number;
  /**
   * Whose lines are taken, for errors and `loans()` to name: `'sampled'` takes those of the first 64 callers in each
   * second, `'all'` each, for some 10 µs.
   * @default 'sampled'
   */
  readonly callSites?: CallSites;
  /** The source of time. @default systemClock */
  readonly clock?: Clock;
}

/** Options of {@link AdoptedPool.close}. */
export interface AdoptedCloseOptions extends CloseOptions {
  /** Ends the pool underneath, too, when everything is back. @default false */
  readonly endPeer?: boolean;
}

const ADOPT_CHECKS: OptionChecks<AdoptOptions> = {
  name: aName,
  acquireTimeoutMillis: (value) =>
    typeof value === 'number' && value > 0
      ? undefined
      : 'a number of milliseconds > 0 (Infinity for no limit)',
  callSites: oneOf('sampled', 'all', 'none'),
  clock: objectWith('now', 'setTimer', 'clearTimer'),
};

/**
 * Leases, `use` and watching over a pool of another package. That pool goes on as it is: its options, its order of serving and
 * its other users stay, and what they take is not seen here.
 */
export class AdoptedPool<T> implements AsyncDisposable, Watchable {
  readonly #adoption: Adoption<T>;

  /** @internal */
  constructor(peer: PeerPool<T>, options: AdoptOptions) {
    checkOptions<AdoptOptions>('adoptPool', options, ADOPT_CHECKS);
    const {
      name = 'pool',
      acquireTimeoutMillis = 30_000,
      callSites = 'sampled',
      clock = systemClock,
    } = options;
    this.#adoption = new Adoption(peer, { name, acquireTimeoutMillis, callSites, clock });
  }

  /**
   * Lends a resource until the lease is released. Its `destroy()` has the pool underneath destroy the resource; its
   * `detach()` ends the lease alone, and the resource is yours to give back to the pool underneath.
   *
   * A caller who leaves by `signal`, or whose `timeoutMillis` are over, has left; the pool underneath does not know, and what
   * it delivers is given back at once. `timeoutMillis: 0` takes what comes within a turn of the event
   * loop. `priority` matters to generic-pool alone.
   *
   * Rejects with {@link AcquireTimeoutError}, {@link PoolClosedError}, the signal's reason, or what the pool underneath
   * rejects with.
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
   * Calls `fn` with a resource and gives it back when `fn` is done, whether it returned, threw or rejected; resolves to
   * what `fn` returned. Call `context.discard()` when the resource is broken. Rejects as {@link AdoptedPool.lease} does,
   * and with what `fn` threw.
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
   * Lends nothing more: who waits or comes later gets {@link PoolClosedError}. Settles when everything that was lent here is
   * back. The pool underneath stays open, unless `endPeer` is set.
   *
   * What is still out after the grace is reported by a rejection with {@link LeasesOutError}
   * (`TENURE_POOL_LEASES_OUT`); with `force` it is destroyed instead. May be called again.
   */
  async close(options: AdoptedCloseOptions = {}): Promise<void> {
    const { endPeer = false, ...closing } = options;
    checkArgument('close', 'endPeer', endPeer, aBoolean);
    await this.#adoption.close(resolveCloseOptions(closing));
    if (endPeer) await this.#adoption.endPeer();
  }

  /** Closes it with the default grace; the pool underneath stays open. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The figures at this moment. `size`, `available`, `borrowed`, `pending`, `creating`, `min` and `max` are those of the
   * pool underneath, with what others take of it; the rest counts what went through here. What cannot be known is 0:
   * `pg.Pool` and mysql2 do not tell `creating`, and count what they are connecting among the `borrowed`.
   */
  stats(): PoolStats {
    return this.#adoption.stats();
  }

  /** What was lent here and is out, longest first. O(n log n). */
  loans(): LoanInfo[] {
    return this.#adoption.loans();
  }

  /** What the pool is called in errors and reports. */
  get name(): string {
    return this.#adoption.name;
  }

  /** Attaches an observer, such as a watchdog's. */
  [observe](observer: Observer): Observation {
    const { origins, name } = this.#adoption;
    if (origins.watch !== null) throw new AlreadyWatchedError(`The pool '${name}'`);
    origins.watch = new LoanWatch(this.#adoption, observer);
    return origins.watch;
  }
}
