/**
 * A lease is the capability to give a resource back. The pool never refers to it, so V8 can collect a lease that its holder
 * lost. A watchdog then knows for certain that the resource will not come back. A lease has its slot and the number of its
 * loan. After the end of the loan the slot has another number, and the lease has no effect.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { captureStack } from '../../core/call-site.js';
import { isObject } from '../../core/is-object.js';
import { checkArgument, type OptionCheck } from '../../core/options.js';
import { type EntryPoint, type Holder, handOver } from '../../core/probe.js';
import { atLine } from '../../core/site-sample.js';
import { endThenLookUp } from '../../core/thenable.js';
import { withoutLease } from '../../core/without-object.js';
import { LeaseEndedError, ReleaseError } from '../pool-errors.js';
import { destroyReason } from './destroy-reason.js';
import type { Slot } from './slot.js';

const aHolder: OptionCheck = (value) =>
  typeof value === 'object' && value !== null ? undefined : 'a scope of a watchdog';

/** How a lease ended: stored in place of the number of its loan. */
const RELEASED = -1;
const DESTROYED = -2;
const DETACHED = -3;

interface Ending {
  readonly verb: string;
  /** What has become of the resource, and what to do instead. */
  readonly outcome: string;
}

interface OwnEnding extends Ending {
  readonly code: string;
  /** What to do instead of a second end. @default end the lease once */
  readonly advice?: string;
}

const ENDINGS: Readonly<Record<number, OwnEnding>> = {
  [RELEASED]: {
    verb: 'released',
    outcome:
      'another caller may hold its resource by now. Use it before the lease ends, or take a new lease.',
    code: 'TENURE_POOL_DOUBLE_RELEASE',
  },
  [DESTROYED]: {
    verb: 'destroyed',
    outcome: 'its resource was destroyed. Take a new lease.',
    code: 'TENURE_POOL_RELEASE_AFTER_DESTROY',
  },
  [DETACHED]: {
    verb: 'detached',
    outcome: 'its resource has left the pool. Use what detach() returned.',
    code: 'TENURE_POOL_RELEASE_AFTER_DETACH',
    advice: 'Its resource has left the pool: end the resource itself.',
  },
};

const FORCED: Ending = {
  verb: 'forced by close()',
  outcome: 'its resource was destroyed. Release each lease within the grace of close().',
};

const SECOND_END = 'End each lease once, or leave it to `using`.';

/** The stacks that ended leases, as far as they were captured. */
const endStacks = new WeakMap<object, string>();

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
  readonly #slot: Slot<T>;
  /** The number of the loan; after the end of the lease, how it ended (below 0). */
  #loan: number;

  /** @internal */
  constructor(slot: Slot<T>) {
    this.#slot = slot;
    this.#loan = slot.loan;
  }

  /** @internal Whether a value is a lease. Never throws, as `instanceof` does for a revoked proxy. */
  static isLease(value: unknown): boolean {
    return isObject(value) && #slot in value;
  }

  /**
   * The resource.
   *
   * @throws {@link LeaseEndedError} (`TENURE_POOL_LEASE_ENDED`) after the lease has ended.
   */
  get resource(): T {
    if (this.#slot.loan !== this.#loan) throw this.#ended();
    return this.#slot.resource;
  }

  /**
   * Gives the resource back at once. A pool that resets or validates returned resources does so before it lends the
   * resource again. If that takes time, a promise is returned that settles when it is done, and never rejects. After a forced `close()`
   * the call has no effect. O(1).
   *
   * @throws {@link ReleaseError} (`TENURE_POOL_DOUBLE_RELEASE`, `TENURE_POOL_RELEASE_AFTER_DESTROY`) after the lease
   * was released or destroyed.
   */
  release(): void | Promise<void> {
    const slot = (this ?? withoutLease()).#slot;
    const loan = this.#loan;
    if (slot.loan !== loan) return refuseSecondEnd(this, slot, loan);
    this.#loan = RELEASED;
    if (slot.tracking !== null) noteEnd(this, slot, Lease.prototype.release);
    return slot.lender.takeBack(slot);
  }

  /**
   * Gives the resource back as broken: the pool destroys it. Settles when it is gone; an error of the factory is an event
   * of the pool. `reason` is handed to the factory's `destroy`; `'discarded'` by default.
   *
   * Rejects with {@link ReleaseError} after the lease was released or destroyed.
   */
  destroy(reason: string = 'discarded'): Promise<void> {
    const slot = (this ?? withoutLease()).#slot;
    if (slot.loan === this.#loan) {
      this.#loan = DESTROYED;
      if (slot.tracking !== null) noteEnd(this, slot, Lease.prototype.destroy);
      return slot.lender.discard(slot, destroyReason(reason));
    }
    if (this.#loan < 0) {
      return Promise.reject(endedTwice(this, slot, this.#loan, Lease.prototype.destroy));
    }
    slot.endedLate();
    return slot.whenGone();
  }

  /**
   * Takes the resource out of the pool for good and returns it. The caller has to end it from now on, and its place in the
   * pool is free. O(1).
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
    const slot = this.#slot;
    if (slot.loan !== this.#loan) {
      throw this.#loan < 0
        ? endedTwice(this, slot, this.#loan, Lease.prototype.detach)
        : this.#ended();
    }
    this.#loan = DETACHED;
    if (slot.tracking !== null) noteEnd(this, slot, Lease.prototype.detach);
    slot.lender.detach(slot);
    return slot.resource;
  }

  /**
   * Tells the pool of an error that the resource gave. If `isBroken` of the factory answers true for it, the pool destroys the
   * resource when it comes back. `use()` does this by itself.
   */
  reportError(error: unknown): void {
    this.#slot.failed(this.#loan, error);
  }

  /**
   * Tells a watchdog that `to` holds the lease from now on: a scope of that watchdog, as `watchdog.openScope()` gives it. The scope that
   * took the lease may then end without it. No effect without a watchdog, or after the end.
   */
  transfer(to: Holder): void {
    checkArgument('transfer', 'to', to, aHolder);
    if (this.#slot.loan === this.#loan)
      this.#slot.lender.origins.watch?.transferred(this.#slot, to);
  }

  /** Does what `transfer` does. `watchdog.handOver()` calls it. */
  [handOver](to: Holder): void {
    this.transfer(to);
  }

  /** Tells a watchdog that the lease is in use; `hint` says by what. No effect without a watchdog, or after the end. */
  touch(hint?: string): void {
    this.#slot.touch(this.#loan, hint);
  }

  /** Tells a watchdog that the lease will be held for up to `holdMillis` milliseconds from now, on purpose. */
  expectHold(holdMillis: number): void {
    this.#slot.expectHold(this.#loan, holdMillis);
  }

  /** Releases the resource; does nothing after the lease has ended. */
  [Symbol.dispose](): void {
    const slot = (this ?? withoutLease()).#slot;
    if (slot.loan === this.#loan) void this.release();
    else if (this.#loan >= 0) slot.endedLate();
  }

  /** Releases the resource and waits until it has been reset; does nothing after the lease has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    const slot = (this ?? withoutLease()).#slot;
    if (slot.loan === this.#loan) await this.release();
    else if (this.#loan >= 0) slot.endedLate();
  }

  #ended(): LeaseEndedError {
    const { verb, outcome } = ENDINGS[this.#loan] ?? FORCED;
    const ending = `${verb}${atLine(endStacks.get(this))}`;
    return new LeaseEndedError(this.#slot.lender.name, ending, outcome);
  }
}

endThenLookUp(Lease.prototype);

function noteEnd<T>(lease: Lease<T>, slot: Slot<T>, entry: EntryPoint): void {
  if (slot.tracking?.stack !== undefined) endStacks.set(lease, captureStack(entry));
}

/** A lease that a forced `close()` ended may still be released; one that its holder ended may not. */
function refuseSecondEnd<T>(lease: Lease<T>, slot: Slot<T>, loan: number): void {
  if (loan < 0) throw endedTwice(lease, slot, loan, Lease.prototype.release);
  slot.endedLate();
}

function endedTwice<T>(
  lease: Lease<T>,
  { lender }: Slot<T>,
  loan: number,
  entry: EntryPoint,
): ReleaseError {
  const { verb, code, advice = SECOND_END } = ENDINGS[loan] as OwnEnding;
  const stack = captureStack(entry);
  const earlier = endStacks.get(lease);
  lender.origins.watch?.misused({ call: entry.name, stack, earlier });
  return new ReleaseError(
    `${lender.name}: this lease was ${verb} already${atLine(earlier)}, and is ended again${atLine(stack)}. ${advice}`,
    code,
  );
}
