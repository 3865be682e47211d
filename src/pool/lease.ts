/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A lease is the capability to give a resource back. Nothing in the pool refers to it, so when a caller loses it, V8
 * can collect it, and a watchdog learns for certain that the resource will never come back. It carries its slot and the
 * number of its loan; when the slot has moved on, the numbers differ and the lease is dead.
 */
import { checkArgument, millis } from '../core/options.js';
import type { Lender } from './lender.js';
import { LeaseEndedError, ReleaseError } from './pool-errors.js';
import type { Slot } from './slot.js';

type LeaseEnding = 'released' | 'destroyed' | 'detached';

const ENDED_CODES: Readonly<Record<LeaseEnding, string>> = {
  released: 'TENURE_POOL_DOUBLE_RELEASE',
  destroyed: 'TENURE_POOL_RELEASE_AFTER_DESTROY',
  detached: 'TENURE_POOL_RELEASE_AFTER_DETACH',
};

/**
 * One resource, held until it is released. Dispose of it with `using` or `await using`, or call `release()`.
 *
 * @example
 * ```ts
 * import { createPool } from 'tenure/pool';
 *
 * const pool = createPool({ create: () => ({ queries: 0 }), destroy: () => {} });
 * const lease = await pool.lease();
 * lease.resource.queries++;
 * lease.release();
 * pool.available; // => 1
 * await pool.close();
 * ```
 */
export class Lease<T> implements Disposable, AsyncDisposable {
  readonly #lender: Lender<T>;
  readonly #slot: Slot<T>;
  readonly #loan: number;
  #ending: LeaseEnding | undefined = undefined;

  /** @internal */
  constructor(lender: Lender<T>, slot: Slot<T>) {
    this.#lender = lender;
    this.#slot = slot;
    this.#loan = slot.loan;
  }

  /**
   * The resource.
   *
   * @throws {@link LeaseEndedError} (`TENURE_POOL_LEASE_ENDED`) after the lease has ended.
   */
  get resource(): T {
    if (this.#slot.loan !== this.#loan) {
      throw new LeaseEndedError(this.#lender.name, this.#ending ?? 'forced by close()');
    }
    return this.#slot.resource;
  }

  /**
   * Gives the resource back at once. Where the pool resets or validates what comes back, that happens before it is lent
   * again, and a promise of it is returned; it never rejects. After a forced `close()` there is nothing to give back,
   * and the call is ignored. O(1).
   *
   * @throws {@link ReleaseError} (`TENURE_POOL_DOUBLE_RELEASE`, `TENURE_POOL_RELEASE_AFTER_DESTROY`) after the lease
   * was released or destroyed.
   */
  release(): void | Promise<void> {
    if (this.#slot.loan === this.#loan) {
      this.#ending = 'released';
      return this.#lender.takeBack(this.#slot);
    }
    if (this.#ending !== undefined) throw this.#endedAlready(this.#ending);
  }

  /**
   * Gives the resource back as broken: it is destroyed instead of being lent again. Settles when it is gone; errors of
   * the factory are events of the pool. `reason` is handed to the factory's `destroy`; `'discarded'` by default.
   *
   * Rejects with {@link ReleaseError} after the lease was released or destroyed.
   */
  destroy(reason: string = 'discarded'): Promise<void> {
    if (this.#slot.loan === this.#loan) {
      this.#ending = 'destroyed';
      return this.#lender.discard(this.#slot, reason);
    }
    return this.#ending === undefined
      ? this.#slot.whenGone()
      : Promise.reject(this.#endedAlready(this.#ending));
  }

  /**
   * Takes the resource out of the pool for good and returns it: it is the caller's to end from now on, and its place in
   * the pool is free. O(1).
   *
   * @example
   * ```ts
   * import { createPool } from 'tenure/pool';
   *
   * const pool = createPool({ create: () => ({ socket: 1 }), destroy: () => {} });
   * const lease = await pool.lease();
   * lease.detach(); // => { socket: 1 }
   * pool.size; // => 0
   * await pool.close();
   * ```
   *
   * @throws {@link ReleaseError} after the lease has ended, by its code.
   */
  detach(): T {
    if (this.#slot.loan !== this.#loan) {
      if (this.#ending !== undefined) throw this.#endedAlready(this.#ending);
      throw new LeaseEndedError(this.#lender.name, 'forced by close()');
    }
    this.#ending = 'detached';
    this.#lender.detach(this.#slot);
    return this.#slot.resource;
  }

  /** Tells a watchdog that the lease is in use; `hint` says by what. Without one, and after the end, nothing happens. */
  touch(hint?: string): void {
    if (this.#slot.loan === this.#loan) this.#lender.touched(this.#slot, hint);
  }

  /** Tells a watchdog that the lease will be held for up to `holdMillis` milliseconds from now, on purpose. */
  expectHold(holdMillis: number): void {
    checkArgument('expectHold', 'holdMillis', holdMillis, millis);
    if (this.#slot.loan === this.#loan) this.#lender.expected(this.#slot, holdMillis);
  }

  /** Releases the resource; does nothing after the lease has ended. */
  [Symbol.dispose](): void {
    if (this.#slot.loan === this.#loan) void this.release();
  }

  /** Releases the resource and waits until it has been reset; does nothing after the lease has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#slot.loan === this.#loan) await this.release();
  }

  #endedAlready(ending: LeaseEnding): ReleaseError {
    return new ReleaseError(
      `${this.#lender.name}: this lease was ${ending} already. End each lease once, or leave it to \`using\`.`,
      ENDED_CODES[ending],
    );
  }
}
