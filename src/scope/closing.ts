/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A handle that closes something which has a method for it but no `[Symbol.dispose]`. After `contextlib.closing` of
 * Python.
 *
 * Many a `close` returns a promise, and its type does not always say so (it may be overloaded). The handle is therefore
 * disposable both ways. Under `await using` the promise is awaited and its error thrown; under `using` nobody can be
 * given the error, so it is printed: an unhandled rejection would end the process for a socket that closed badly, and
 * dropping it would hide that.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import { isThenable } from '../core/thenable.js';

/** The names of the methods of `T` that can be called without arguments. */
export type MethodName<T> = {
  [K in keyof T]: T[K] extends () => unknown ? K : never;
}[keyof T];

/** What has a method `close`. */
export interface Closable {
  /** Closes it; a promise that it returns is awaited where that is possible. */
  close(): unknown;
}

/** A value and the duty to close it, once. */
export interface Closing<T> extends Disposable, AsyncDisposable {
  /** What is to be closed. */
  readonly value: T;
  /**
   * Closes the value, unless that was done before, and throws what its method throws. If the method returns a promise
   * which rejects, the error is printed with `console.error`: use `await using` for such a value.
   */
  [Symbol.dispose](): void;
  /**
   * Closes the value and waits until that is done; rejects with what its method throws or rejects with. If it was closed
   * before, it waits for that close and does not report its error again.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Gives a handle that closes `thing` at the end of its `using` or `await using` block: by its method `close`, by the
 * method that is named, or by a function. The close happens once, even if it fails.
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
  /** The close that is under way; it never rejects. */
  #pending: Promise<unknown> | undefined = undefined;

  constructor(value: T, close: (thing: T) => unknown) {
    this.value = value;
    this.#close = close;
  }

  [Symbol.dispose](): void {
    const result = this.#closeOnce();
    if (isThenable(result)) {
      this.#pending = Promise.resolve(result).catch((error) =>
        reportIgnoredError('closing', error),
      );
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#close === undefined) {
      await this.#pending;
      return;
    }
    const result = this.#closeOnce();
    if (!isThenable(result)) return;
    const pending = Promise.resolve(result);
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
