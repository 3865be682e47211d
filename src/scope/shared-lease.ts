/** The right to use a shared value until it is released. */
/// <reference lib="esnext.disposable" preserve="true" />
import type { Transferable } from '../core/probe.js';

/**
 * The right to use a shared value until it is released. End it with `using`, `await using` or `release`. `R` is what `release` gives:
 * `void` for a component that does not tell when a disposal is over.
 */
export interface SharedLease<T, R extends void | Promise<void> = void | Promise<void>>
  extends Disposable,
    AsyncDisposable,
    Transferable {
  /** The value. It stays usable until the last lease is released. */
  readonly value: T;
  /**
   * Releases the lease. If it was the last one and the value is disposed of now, gives a promise that resolves when that is over,
   * and that never rejects. Without effect the second time. O(1).
   */
  release(): R;
  /**
   * Tells a watchdog that the lease will be held for up to `holdMillis` milliseconds from now, on purpose. Without effect without a
   * watchdog, or after the end. O(1).
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a time that is negative or no number.
   */
  expectHold(holdMillis: number): void;
  /** Releases the lease, and does not wait for the disposal of the value. */
  [Symbol.dispose](): void;
  /**
   * Releases the lease. If it was the last one, waits for the disposal of the value, and rejects with what that throws. A lease on a
   * cached result does not wait: an error of the disposal goes to the option `onError` of the cache.
   */
  [Symbol.asyncDispose](): Promise<void>;
}
