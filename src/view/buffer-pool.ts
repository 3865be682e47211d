/**
 * A pool of buffers. `new Uint8Array` pays for fresh pages: 65 µs for 1 MiB on Node 20, and 600 ns for 1 KiB. A lease of memory that was
 * used before costs 2 µs there, and 30 ns for 1 KiB.
 *
 * Everything is synchronous: a miss makes memory at once, and no caller waits. So it is no {@link Pool} of buffers.
 */
/// <reference lib="esnext.disposable" preserve="true" />

import { type Clock, systemClock } from '../core/clock.js';
import { created, endAutomaticWatch } from '../core/created-components.js';
import { notGenerator } from '../core/not-generator.js';
import {
  aBoolean,
  aFunction,
  aName,
  checkArgument,
  integer,
  type OptionCheck,
  type OptionTable,
  objectWith,
  option,
  positiveMillis,
  resolveOptions,
} from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { isThenable } from '../core/thenable.js';
import { suppressing } from '../scope/suppressed-error.js';
import type { BufferLease } from './buffer-lease.js';
import { BufferPoolEngine } from './buffer-pool-engine.js';
import type { BufferPoolStats } from './buffer-stock.js';
import type { ClassesPerDoubling } from './size-classes.js';

/** Options of a {@link BufferPool}. */
export interface BufferPoolOptions {
  /**
   * The most bytes that are kept for later leases. Leases themselves are never refused.
   *
   * @default 64 MiB
   */
  readonly maxBytes?: number;
  /**
   * The most bytes of a lease whose memory is kept. More than these are oversize: made for the lease, and never kept. At most
   * 1 GiB.
   *
   * @default 4 MiB
   */
  readonly maxBuffer?: number;
  /**
   * How many sizes of buffers there are from one power of two to the next. 4 wastes up to a quarter of the bytes asked for; 1
   * wastes up to all of them, and has the fewest sizes.
   *
   * @default 4
   */
  readonly classesPerDoubling?: ClassesPerDoubling;
  /**
   * Whether bytes are overwritten with 0 when they come back. It costs most of the gain from 256 KiB on.
   *
   * @default false
   */
  readonly zero?: boolean;
  /**
   * How long memory is kept that no lease needs, in milliseconds. It is dropped after one to two such times.
   *
   * @default 30_000
   */
  readonly idleTimeoutMillis?: number;
  /**
   * Whether the memory is SharedArrayBuffer, to be read by other threads. The pool itself belongs to one thread.
   *
   * @default false
   */
  readonly shared?: boolean;
  /**
   * The name of the pool in reports and errors.
   *
   * @default 'buffers'
   */
  readonly name?: string;
  /** The source of time, for tests. The platform's clock by default. */
  readonly clock?: Clock;
}

const LARGEST_BUFFER = 2 ** 30;

const aDivision: OptionCheck = (value) =>
  value === 1 || value === 2 || value === 4 ? undefined : '1, 2 or 4';

const OPTIONS: OptionTable<Required<BufferPoolOptions>> = {
  maxBytes: option(integer(0), 64 * 2 ** 20),
  maxBuffer: option(integer(1, LARGEST_BUFFER), 4 * 2 ** 20),
  classesPerDoubling: option(aDivision, 4),
  zero: option(aBoolean, false),
  idleTimeoutMillis: option(positiveMillis, 30_000),
  shared: option(aBoolean, false),
  name: option(aName, 'buffers'),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
};

const aLength = integer(0);

/**
 * A pool of bytes: leases of any length, from memory that earlier leases have given back.
 *
 * - Sizes are rounded up to one of four for each doubling. Below 4 KiB, buffers are parts of slabs of 64 KiB.
 * - `maxBytes` limits the bytes that are kept, not the leases. Buffers above `maxBuffer` are never kept.
 * - A watchdog that watches the pool names the line of a lease that is dropped without release.
 *
 * @example
 * ```ts
 * import { BufferPool } from 'tenure/view';
 *
 * using pool = new BufferPool({ maxBytes: 16 * 2 ** 20 });
 * {
 *   using lease = pool.lease(1_000);
 *   lease.bytes.length; // => 1000
 *   lease.view.set(0, 65);
 * }
 * pool.use(1_000, (bytes) => bytes[0]); // => 65
 * pool.stats().hits; // => 1
 * ```
 */
export class BufferPool implements Disposable, Watchable {
  readonly #engine: BufferPoolEngine;

  /**
   * Makes a pool without memory.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
   */
  constructor(options: BufferPoolOptions = {}) {
    this.#engine = new BufferPoolEngine(resolveOptions('new BufferPool', options, OPTIONS));
    created(this);
  }

  /**
   * Lends `bytes` bytes, at once. They are those that an earlier holder left, unless the pool has `zero`. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a length that is no integer from 0 on;
   * {@link ViewReleasedError} (`TENURE_VIEW_RELEASED`) after the pool was disposed of; `RangeError` if the engine has no memory of
   * that length.
   */
  lease(bytes: number): BufferLease {
    if (typeof bytes !== 'number' || bytes >>> 0 !== bytes) {
      checkArgument('BufferPool.lease', 'bytes', bytes, aLength);
    }
    const engine = this.#engine;
    return engine.isNoting
      ? engine.lendNoted(bytes, BufferPool.prototype.lease)
      : engine.lend(bytes);
  }

  /**
   * Lends `bytes` bytes to `fn` while it runs, and until the promise that it returns settles, if it returns one. Gives what `fn`
   * returns. If both `fn` and the release fail, the error is a `SuppressedError` that has both.
   *
   * @throws what `fn` throws, and what {@link lease} throws; {@link ViewExportedError} (`TENURE_VIEW_EXPORTED`) if `fn` leaves
   * views of the bytes alive. The bytes are left to these views then.
   */
  use<R>(bytes: number, fn: (bytes: Uint8Array) => R): R {
    checkArgument('BufferPool.use', 'bytes', bytes, aLength);
    checkArgument('BufferPool.use', 'fn', fn, aFunction);
    const engine = this.#engine;
    const lease = engine.isNoting
      ? engine.lendNoted(bytes, BufferPool.prototype.use)
      : engine.lend(bytes);
    let result: R;
    try {
      result = notGenerator('BufferPool.use', fn(lease.bytes));
      if (isThenable(result)) return endWhenSettled(lease, result) as R;
    } catch (error) {
      throw endAfter(lease, error);
    }
    lease.endForGood();
    return result;
  }

  /** Gives the figures at this moment. O(sizes). */
  stats(): BufferPoolStats {
    return this.#engine.stock.stats();
  }

  /** Drops all memory that is kept for later leases. O(buffers). */
  trim(): void {
    this.#engine.trim();
  }

  /** Closes the pool: it keeps no memory and lends none. Leases that are out stay valid until their release. */
  [Symbol.dispose](): void {
    this.#engine.close();
  }

  /**
   * Attaches an observer, such as a watchdog, which is told of each lease and of each view of its bytes. Leases that are out
   * already are left out, because their callers are not known.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation {
    endAutomaticWatch(this, observer);
    return this.#engine.observe(observer);
  }
}

async function endWhenSettled<R>(lease: BufferLease, promise: PromiseLike<R>): Promise<R> {
  let result: R;
  try {
    result = await promise;
  } catch (error) {
    throw endAfter(lease, error);
  }
  lease.endForGood();
  return result;
}

/** Ends a lease after an error. Gives the error to throw. */
function endAfter(lease: BufferLease, error: unknown): unknown {
  try {
    lease.endForGood();
    return error;
  } catch (releaseError) {
    return suppressing(releaseError, error);
  }
}
