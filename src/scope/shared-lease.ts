/** The right to use a shared value until it is released. */
/// <reference lib="esnext.disposable" preserve="true" />

/** The right to use a shared value until it is released. End it with `using`, `await using` or `release`. */
export interface SharedLease<T> extends Disposable, AsyncDisposable {
  /** The value. It stays usable until the last lease is released. */
  readonly value: T;
  /**
   * Releases the lease. If it was the last one and the value is disposed of now, gives a promise that resolves when that is over,
   * and that never rejects. Without effect the second time. O(1).
   */
  release(): void | Promise<void>;
  /** Releases the lease, and does not wait for the disposal of the value. */
  [Symbol.dispose](): void;
  /**
   * Releases the lease. If it was the last one, waits for the disposal of the value, and rejects with what that throws.
   */
  [Symbol.asyncDispose](): Promise<void>;
}
