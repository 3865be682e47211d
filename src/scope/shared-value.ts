/// <reference lib="esnext.disposable" preserve="true" />
/**
 * One value in several hands: it is counted who holds it, and with the last hold its end comes, once. The count is
 * exact at any moment, as CPython's reference counts are, so the end does not wait for a collector.
 */

/** The right to use a shared value until it is given back. */
export interface SharedLease<T> extends Disposable {
  /** The value. It stays usable until this lease, and every other, has been given back. */
  readonly value: T;
  /** Gives the lease back; a second time does nothing. */
  release(): void;
}

/** A value and the number of those who hold it. */
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

  /** How many hold it. */
  get holds(): number {
    return this.#holds;
  }

  /** Whether it has come to its end: nobody may take hold of it any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** One more holds it. */
  hold(): void {
    this.#holds++;
  }

  /** One less holds it; with the last it ends. */
  drop(): void {
    this.#holds--;
    if (this.#holds > 0 || this.#ended) return;
    this.#ended = true;
    this.#onUnused(this);
  }

  /** A lease on a hold that the caller has taken with {@link hold}. */
  leaseHeld(): SharedLease<T> {
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      this.drop();
    };
    return { value: this.value, release, [Symbol.dispose]: release };
  }

  /** A hold of its own, as a lease. */
  lease(): SharedLease<T> {
    this.hold();
    return this.leaseHeld();
  }
}
