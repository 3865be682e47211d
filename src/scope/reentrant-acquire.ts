/**
 * The promise that `create` gets when it acquires the very value that it creates. A caller elsewhere may wait for it, and shares
 * the value. If `create` itself waits for it, that wait would never end, so it rejects.
 */
import { currentOwner, type Owner } from '../core/current-owner.js';

/** A promise that rejects where the code that waits runs within the creation of `instance`. */
export class ReentrantAcquire<T> extends Promise<T> {
  /** Promises that `then` makes are plain ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  #instance: Owner | undefined = undefined;
  #isPending: () => boolean = () => false;
  #refusal: () => Error = Error;
  #wasRefused = false;
  #isAwaited = false;

  /**
   * Follows `lease`. `refusal` makes the error of a wait within the creation of `instance`, while `isPending`. `abandon` ends a lease
   * whose only waits were refused.
   */
  static of<T>(
    lease: Promise<T>,
    instance: Owner,
    isPending: () => boolean,
    refusal: () => Error,
    abandon: (lease: T) => void,
  ): Promise<T> {
    const promise = new ReentrantAcquire<T>((resolve) => resolve(lease));
    promise.#instance = instance;
    promise.#isPending = isPending;
    promise.#refusal = refusal;
    lease.then(
      (arrived) => {
        if (promise.#wasRefused && !promise.#isAwaited) abandon(arrived);
      },
      () => {}, // The caller of the creation is told.
    );
    Reflect.apply(Promise.prototype.then, promise, [undefined, () => {}]);
    return promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: it overrides the method of Promise.
  override then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    if (this.#isPending() && currentOwner() === this.#instance) {
      this.#wasRefused = true;
      return Promise.reject<T>(this.#refusal()).then(onFulfilled, onRejected);
    }
    this.#isAwaited = true;
    return super.then(onFulfilled, onRejected);
  }
}
