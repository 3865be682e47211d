/**
 * A value that several holders share and none of them owns. The first `acquire` creates it, and the last release disposes of
 * it. A reference count says when: exactly and at once, without a garbage collector. How it works: `shared-cell.ts`.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { created, endAutomaticWatch } from '../core/created-components.js';
import { aFunction, checkArgument } from '../core/options.js';
import { type Observation, type Observer, observe, type Watchable } from '../core/probe.js';
import { gatheredEnds } from './gathered-ends.js';
import {
  type AcquireOptions,
  type EndOptions,
  type RefCountedOptions,
  resolveRefCountedOptions,
  signalOf,
} from './ref-counted-options.js';
import { SharedCell, type ValueContext } from './shared-cell.js';
import type { SharedLease } from './shared-lease.js';
import { ValueOwner } from './value-owner.js';

/**
 * A shared value that is created on demand and disposed of after its last release.
 *
 * - Callers that acquire during the creation share it. A failed creation rejects each of them, and the next `acquire` creates
 *   again.
 * - At most one value exists at a time, unless `overlap` is set: a new one waits for the disposal of the old one.
 * - What `create` leases belongs to the value, and a watchdog sees it so.
 *
 * Acquiring and releasing are O(1).
 *
 * @example
 * ```ts
 * import { RefCounted } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const connection = new RefCounted(async () => {
 *   log.push('open');
 *   return { query: () => 42, [Symbol.dispose]: () => void log.push('close') };
 * });
 * {
 *   using first = await connection.acquire();
 *   using second = await connection.acquire();
 *   first.value === second.value; // => true
 *   connection.refs; // => 2
 * }
 * log; // => ['open', 'close']
 * ```
 */
export class RefCounted<T> implements AsyncDisposable, Watchable {
  readonly #owner: ValueOwner<T>;
  readonly #cell: SharedCell<T>;

  /**
   * Creates no value yet.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   */
  constructor(
    create: (context: ValueContext) => T | PromiseLike<T>,
    options: RefCountedOptions<T> = {},
  ) {
    checkArgument('RefCounted', 'create', create, aFunction);
    const settings = resolveRefCountedOptions(options);
    this.#owner = new ValueOwner<T>('ref-counted', settings);
    this.#cell = new SharedCell<T>(this.#owner, { idleMillis: settings.idleMillis, create });
    created(this);
  }

  /** How many leases on the current value are out. Leases on invalidated values do not count. O(1). */
  get refs(): number {
    return this.#cell.refs;
  }

  /**
   * Gives a lease on the value, and creates the value if there is none. Rejects with what the creation throws.
   *
   * A caller whose `signal` aborts leaves with the signal's reason. When the last caller of a creation has left, the signal that
   * `create` got aborts; with `createTimeoutMillis` not before that time is over. If the value is created after all, later callers get it, and it
   * is idle without any.
   *
   * Rejects with {@link RefCountedClosedError} (`TENURE_REF_COUNTED_CLOSED`) after `close`, with {@link RefCountedTimeoutError}
   * (`TENURE_REF_COUNTED_TIMEOUT`) when `acquireTimeoutMillis` or `createTimeoutMillis` are over, and with
   * {@link RefCountedReentrantError} (`TENURE_REF_COUNTED_REENTRANT`) if `create` waits for a lease on the value that it creates.
   */
  acquire(options?: AcquireOptions): Promise<SharedLease<T>> {
    try {
      const signal = signalOf('RefCounted.acquire', options);
      return this.#cell.acquire(signal, RefCounted.prototype.acquire);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Makes later callers get a new value. Resolves when all former values have been disposed of, each after its last lease.
   * Rejects with what a disposal throws, or with an `AggregateError` of several. Each caller that waits gets it.
   */
  async invalidate(options?: EndOptions): Promise<void> {
    const signal = signalOf('RefCounted.invalidate', options);
    this.#cell.retire();
    await gatheredEnds(this.#cell.retiredEnds(signal), signal);
  }

  /** Starts the idle time of an unused value again. O(1). */
  touch(): void {
    this.#cell.touch();
  }

  /**
   * Resolves when no lease is out, and neither a creation nor a disposal is under way. A `dispose` that calls this does not wait for
   * itself, as with {@link close}.
   */
  async idle(options?: EndOptions): Promise<void> {
    const signal = signalOf('RefCounted.idle', options);
    await this.#owner.untilQuiet((ends) => this.#cell.isQuietBut(ends), signal);
  }

  /**
   * Gives no more leases, and resolves when the value has been disposed of, after its last lease. Callers that wait for a creation
   * are refused with {@link RefCountedClosedError}, and the signal of the creation aborts.
   *
   * Rejects with what the disposal throws. With `signal` a caller can stop waiting for a lease that is never released. A `dispose` that
   * calls this does not wait for itself. Where the host has no async context, it has to call it before its first `await`.
   */
  async close(options?: EndOptions): Promise<void> {
    const signal = signalOf('RefCounted.close', options);
    this.#cell.close();
    await gatheredEnds(this.#cell.retiredEnds(signal), signal);
  }

  /** Calls {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Attaches an observer, such as a watchdog, which is told of the value and of each lease.
   *
   * @throws {@link AlreadyWatchedError} (`TENURE_ALREADY_WATCHED`) while another observer is attached that does not share it.
   */
  [observe](observer: Observer): Observation {
    endAutomaticWatch(this, observer);
    return this.#owner.observe(observer, {
      instances: () => this.#cell.instances(),
      stats: () => ({ values: this.#owner.live, leases: this.#cell.leases }),
    });
  }
}
