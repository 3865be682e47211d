/** A place for one disposable that is replaced from time to time. After `MutableDisposable` of VS Code. */
/// <reference lib="esnext.disposable" preserve="true" />
import { disposeSync, syncDisposeMethod } from './dispose-method.js';

/**
 * Holds one disposable. A new value disposes of the former one. A value that is set after the end is disposed of at once, so a value
 * that arrives late is not lost.
 *
 * @example
 * ```ts
 * import { MutableDisposable } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const listener = (name: string) => ({ [Symbol.dispose]: () => void log.push(`end ${name}`) });
 * {
 *   using current = new MutableDisposable();
 *   current.value = listener('first');
 *   current.value = listener('second');
 * }
 * log; // => ['end first', 'end second']
 * ```
 */
export class MutableDisposable<T extends Disposable> implements Disposable {
  #value: T | undefined = undefined;
  #disposed = false;

  /** Whether it has been disposed of. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** The disposable; `undefined` if there is none. */
  get value(): T | undefined {
    return this.#value;
  }

  /** Disposes of the former value, unless it is the same. After the end, disposes of the new value at once. */
  set value(value: T | undefined) {
    if (value === this.#value) return;
    if (value !== undefined) syncDisposeMethod(value); // Throws before anything has changed.
    if (this.#disposed) disposeOf(value);
    else {
      const former = this.#value;
      this.#value = value;
      disposeOf(former);
    }
  }

  /** Disposes of the value. Another can be set then. */
  clear(): void {
    this.value = undefined;
  }

  /** Removes the value without disposing of it, and gives it. The caller owns it now. */
  clearAndLeak(): T | undefined {
    const value = this.#value;
    this.#value = undefined;
    return value;
  }

  /** Disposes of the value, and of every value that is set later. */
  dispose(): void {
    this.#disposed = true;
    disposeOf(this.clearAndLeak());
  }

  /** Calls {@link dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function disposeOf(value: Disposable | undefined): void {
  if (value !== undefined) disposeSync(value);
}
