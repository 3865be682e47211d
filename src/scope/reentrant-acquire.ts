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

  /** Follows `lease`. `refusal` makes the error of a wait within the creation of `instance`, while `isPending`. */
  static of<T>(
    lease: Promise<T>,
    instance: Owner,
    isPending: () => boolean,
    refusal: () => Error,
  ): Promise<T> {
    const promise = new ReentrantAcquire<T>((resolve) => resolve(lease));
    promise.#instance = instance;
    promise.#isPending = isPending;
    promise.#refusal = refusal;
    lease.catch(() => {}); // The caller of the creation is told.
    Reflect.apply(Promise.prototype.then, promise, [undefined, () => {}]);
    return promise;
  }

  // biome-ignore lint/suspicious/noThenProperty: it overrides the method of Promise.
  override then<R = T, E = never>(
    onFulfilled?: ((value: T) => R | PromiseLike<R>) | null,
    onRejected?: ((reason: unknown) => E | PromiseLike<E>) | null,
  ): Promise<R | E> {
    if (this.#isPending() && currentOwner() === this.#instance) {
      return Promise.reject<T>(this.#refusal()).then(onFulfilled, onRejected);
    }
    return super.then(onFulfilled, onRejected);
  }
}
