/**
 * The public face of an adopted pool: leases, `use` and watching over a pool of another package. The adoption does the work.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { created, endAutomaticWatch } from '../../core/created-components.js';
import {
  aBoolean,
  aFunction,
  argumentError,
  type OptionTable,
  option,
  resolveOptions,
} from '../../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../../core/probe.js';
import { grantLease, grantUse } from '../../pool/loan/grant.js';
import type { Lease } from '../../pool/loan/lease.js';
import { type UseContext, useSlot } from '../../pool/loan/use-context.js';
import {
  CLOSE_OPTIONS,
  type CloseOptions,
  type LeaseOptions,
  resolveLeaseOptions,
} from '../../pool/pool-options.js';
import type { LoanInfo, PoolStats } from '../../pool/pool-stats.js';
import { type AdoptOptions, resolveAdoptOptions } from './adopt-options.js';
import { AdoptedWatch } from './adopted-watch.js';
import { Adoption } from './adoption.js';
import type { PeerPool } from './peer-pool.js';

/** Options of {@link AdoptedPool.close}. */
export interface AdoptedCloseOptions extends CloseOptions {
  /**
   * Ends the peer, too, when all loans have ended. It gets the grace once more for that, and at least a second.
   * @default false
   */
  readonly endPeer?: boolean;
}

const ADOPTED_CLOSE_OPTIONS: OptionTable<Required<AdoptedCloseOptions>> = {
  ...CLOSE_OPTIONS,
  endPeer: option(aBoolean, false),
};

/** The least that a peer gets to end, or to destroy the resources of a forced close, in milliseconds. */
const MIN_PEER_GRACE_MILLIS = 1_000;

/**
 * Leases, `use` and a watch over a pool of another package, the peer. The peer keeps its options, its order of serving and its other
 * users. The callers of loans that other users take from the peer directly are not known.
 */
export class AdoptedPool<T> implements AsyncDisposable, Watchable {
  readonly #adoption: Adoption<T>;
  readonly #peer: PeerPool<T>;

  /** @internal */
  constructor(
    peer: PeerPool<T>,
    options: AdoptOptions<T>,
    presets: Pick<AdoptOptions<T>, 'isBroken'> = {},
  ) {
    this.#peer = peer;
    this.#adoption = new Adoption(peer, resolveAdoptOptions(options, presets));
    created(this);
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
    try {
      const checked = resolveLeaseOptions('lease', options);
      return this.#adoption.request(grantLease<T>, checked, AdoptedPool.prototype.lease);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Calls `fn` with a resource, and gives the resource back when `fn` has returned, thrown or settled. Resolves to what `fn`
   * returned. Call `context.discard()` when the resource is broken. Rejects as {@link AdoptedPool.lease} does, and with what
   * `fn` threw.
   */
  use<R>(
    fn: (resource: T, context: UseContext<T>) => R,
    options?: LeaseOptions | number,
  ): Promise<Awaited<R>> {
    const error = argumentError('use', 'fn', fn, aFunction);
    if (error !== undefined) return Promise.reject(error);
    try {
      const checked = resolveLeaseOptions('use', options);
      const granted = this.#adoption.request(grantUse<T>, checked, AdoptedPool.prototype.use);
      return useSlot(granted, fn, checked.signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Lends nothing more. Waiters and later callers are rejected with {@link PoolClosedError}. Settles when all loans of this pool
   * have ended. The peer stays open, unless `endPeer` is set.
   *
   * Loans that are still out after the grace are reported by a rejection with {@link LeasesOutError}
   * (`TENURE_POOL_LEASES_OUT`). With `force`, their resources are destroyed instead. A peer that does not destroy them or does not end
   * in time is reported by a rejection with {@link PeerTimeoutError} (`TENURE_POOL_PEER_TIMEOUT`). `close` may be called again.
   */
  async close(options: AdoptedCloseOptions = {}): Promise<void> {
    const resolved = resolveOptions('close', options, ADOPTED_CLOSE_OPTIONS);
    const peerGraceMillis = Math.max(resolved.graceMillis, MIN_PEER_GRACE_MILLIS);
    await this.#adoption.close({ ...resolved, peerGraceMillis });
  }

  /** Closes it with the default grace; the peer stays open. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The figures at this moment. `size`, `available`, `borrowed`, `pending`, `creating`, `min` and `max` are the peer's, its other
   * users included. The other figures count the loans of this pool. A figure that the peer does not have is 0.
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
    endAutomaticWatch(this, observer);
    const { origins } = this.#adoption;
    origins.watch ??= new AdoptedWatch(this.#adoption, this.#peer, observer);
    return origins.watch.attach(observer);
  }
}
