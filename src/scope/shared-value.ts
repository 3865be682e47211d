/**
 * A value with a reference count. When the last hold is dropped the value is unused, once and for all. The count is exact at
 * any moment, as CPython's reference counts are, so no garbage collector is waited for.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { checkArgument, millis } from '../core/options.js';
import { handOver } from '../core/probe.js';
import type { SharedLease } from './shared-lease.js';

/** A value and the number of its holders. */
export class SharedValue<T> {
  readonly value: T;
  readonly #onUnused: (shared: SharedValue<T>) => void;
  #holds = 0;
  #ended = false;

  /** `onUnused` is called once, when the last hold is dropped. */
  constructor(value: T, onUnused: (shared: SharedValue<T>) => void) {
    this.value = value;
    this.#onUnused = onUnused;
  }

  /** Whether the last hold was dropped; the value must not be held any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Adds a hold. */
  hold(): void {
    this.#holds++;
  }

  /** Drops a hold. After the last one the value has ended. */
  drop(): void {
    this.#holds--;
    if (this.#holds > 0 || this.#ended) return;
    this.#ended = true;
    this.#onUnused(this);
  }

  /** Gives a lease on a hold that the caller has added with {@link hold}. */
  leaseHeld(): SharedLease<T, void> {
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      this.drop();
    };
    return {
      value: this.value,
      expectHold: (holdMillis) => checkArgument('expectHold', 'holdMillis', holdMillis, millis),
      release,
      [handOver]: () => {},
      [Symbol.dispose]: release,
      [Symbol.asyncDispose]: async () => release(),
    };
  }

  /** Adds a hold and gives it as a lease. */
  lease(): SharedLease<T, void> {
    this.hold();
    return this.leaseHeld();
  }
}
