/**
 * A handle that closes a value which has a closing method but no `[Symbol.dispose]`. After `contextlib.closing` of Python.
 *
 * A `close` method may return a promise, and an overloaded one does not show that in its type. The handle is therefore
 * disposable both ways:
 *
 * | block | what happens to the promise |
 * |---|---|
 * | `await using` | it is awaited, and its error is thrown |
 * | `using` | its error is printed, since no caller waits for it |
 *
 * An unhandled rejection would end the process for a socket that closed badly. Dropping the error would hide it.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { InvalidArgumentError } from '../core/errors.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import { notGenerator } from '../core/not-generator.js';
import { aFunction, checkArgument } from '../core/options.js';
import { isThenable, onceSettled } from '../core/thenable.js';
import { ContextEndedError } from './context-errors.js';
import { keepCause } from './keep-cause.js';
import { type Failure, resultOf, runBlockAsync } from './run-block.js';

/** The names of the methods of `T` that can be called without arguments. */
export type MethodName<T> = {
  [K in keyof T]-?: T[K] extends () => unknown ? K : never;
}[keyof T];

/** A value with a method `close`. */
export interface Closable {
  /** Closes the value. A promise that it returns is awaited under `await using`. */
  close(): unknown;
}

/** A handle that closes its value once. */
export interface Closing<T> extends Disposable, AsyncDisposable {
  /** The value that the handle closes. */
  readonly value: T;
  /**
   * Calls `block` with the value, then closes the value. If the block returns a promise, the value is closed when that has settled, and
   * a promise of the closing method is awaited. An error of the closing method takes the place of the block's, which becomes its
   * `cause`.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the value was closed before.
   */
  run<R>(block: (value: T) => R): R;
  /**
   * Closes the value, unless it was closed before. Throws what the closing method throws. If the method returns a promise
   * that rejects, the error is printed with `console.error`: use `await using` for such a value.
   */
  [Symbol.dispose](): void;
  /**
   * Closes the value and resolves when that is done. Rejects with what the closing method throws or rejects with. If the value
   * was closed before, it waits for that close, and does not report an error again.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Gives a handle that closes `thing` at the end of its `using` or `await using` block. The second
 * argument says how: a method of `thing` by name, by default `close`, or a function. It closes once, even if that fails.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) at once if there is no such method.
 *
 * @example
 * ```ts
 * import { closing } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const socket = { end: () => log.push('ended') };
 * {
 *   using handle = closing(socket, 'end');
 *   log.push(handle.value === socket ? 'open' : 'lost');
 * }
 * {
 *   using descriptor = closing(7, (fd) => log.push(`closed ${fd}`));
 * }
 * log; // => ['open', 'ended', 'closed 7']
 * closing(socket, 'end').run(() => 'used'); // => 'used'
 * ```
 */
export function closing<T extends Closable>(thing: T): Closing<T>;
export function closing<T>(thing: T, close: (thing: T) => unknown): Closing<T>;
export function closing<T>(thing: T, close: MethodName<T>): Closing<T>;
export function closing<T>(
  thing: T,
  close: PropertyKey | ((thing: T) => unknown) = 'close',
): Closing<T> {
  if (typeof close === 'function') return new ClosingHandle(thing, close);
  methodOf(thing, close);
  return new ClosingHandle(thing, () => Reflect.apply(methodOf(thing, close), thing, []));
}

class ClosingHandle<T> implements Closing<T> {
  readonly value: T;
  #close: ((thing: T) => unknown) | undefined;
  /** The asynchronous close, once it has started. It never rejects. */
  #pending: Promise<unknown> | undefined = undefined;

  constructor(value: T, close: (thing: T) => unknown) {
    this.value = value;
    this.#close = close;
  }

  run<R>(block: (value: T) => R): R {
    checkArgument('closing.run', 'block', block, aFunction);
    const close = this.#close;
    if (close === undefined) {
      throw new ContextEndedError('closing.run: the value was closed before. Make a new handle.');
    }
    this.#close = undefined; // A disposal within the block must not close the value under it.
    let result: R;
    let isPending: boolean;
    try {
      result = notGenerator('closing.run', block(this.value));
      isPending = isThenable(result);
    } catch (error) {
      throw this.#closeAfter(close, { error });
    }
    if (isPending) return this.#runPending(result as PromiseLike<unknown>, close) as R;
    this.#closeAfter(close, undefined);
    return result;
  }

  /** Closes the value and gives the error to throw for a failure of the block. Throws an error of the closing method. */
  #closeAfter(close: (thing: T) => unknown, failure: Failure | undefined): unknown {
    this.#close = close;
    try {
      this[Symbol.dispose]();
    } catch (error) {
      throw failure === undefined ? error : keepCause(error, failure.error);
    }
    return failure?.error;
  }

  async #runPending(pending: PromiseLike<unknown>, close: (thing: T) => unknown): Promise<unknown> {
    const outcome = await runBlockAsync(
      () => pending,
      async (failure) => {
        this.#close = close;
        try {
          await this[Symbol.asyncDispose]();
        } catch (error) {
          throw failure === undefined ? error : keepCause(error, failure.error);
        }
        return false;
      },
    );
    return resultOf(outcome);
  }

  [Symbol.dispose](): void {
    const result = this.#closeOnce();
    if (isThenable(result)) {
      this.#pending = onceSettled(result, undefined, (error) =>
        reportIgnoredError('closing', error),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#close === undefined) {
      await this.#pending;
      return;
    }
    const pending = Promise.resolve(this.#closeOnce());
    this.#pending = pending.catch(() => {});
    await pending;
  }

  #closeOnce(): unknown {
    const close = this.#close;
    this.#close = undefined;
    return close?.(this.value);
  }
}

function methodOf(thing: unknown, name: PropertyKey): () => unknown {
  const method: unknown =
    thing === null || thing === undefined ? undefined : Reflect.get(Object(thing), name, thing);
  if (typeof method !== 'function') {
    throw new InvalidArgumentError(
      `closing: the value has no method \`${String(name)}\`. Name the method that closes it, or give a function.`,
    );
  }
  return method as () => unknown;
}
