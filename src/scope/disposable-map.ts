/** Disposables by key. After `DisposableMap` of VS Code. */
/// <reference lib="esnext.disposable" preserve="true" />
import { disposeSync, syncDisposeMethod } from './dispose-method.js';
import { suppressing } from './suppressed-error.js';

/**
 * A map that owns its values: a value is disposed of when it is replaced or deleted, or when the map is. A value that is set after the
 * end of the map is disposed of at once.
 *
 * A disposal that throws does not stop the others. If several throw, their errors are thrown as one `SuppressedError`. `get`, `has`,
 * `set` and `deleteAndDispose` are O(1).
 *
 * @example
 * ```ts
 * import { DisposableMap } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const editor = (path: string) => ({ path, [Symbol.dispose]: () => void log.push(`close ${path}`) });
 * {
 *   using editors = new DisposableMap<string, { path: string } & Disposable>();
 *   editors.set('a', editor('a.ts')).set('b', editor('b.ts'));
 *   editors.deleteAndDispose('a'); // => true
 *   editors.size; // => 1
 * }
 * log; // => ['close a.ts', 'close b.ts']
 * ```
 */
export class DisposableMap<K, V extends Disposable> implements Disposable, Iterable<[K, V]> {
  readonly #values = new Map<K, V>();
  #disposed = false;

  /** Whether it has been disposed of. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** How many values there are. */
  get size(): number {
    return this.#values.size;
  }

  /** Gives the value of `key`; `undefined` if there is none. */
  get(key: K): V | undefined {
    return this.#values.get(key);
  }

  /** Whether there is a value for `key`. */
  has(key: K): boolean {
    return this.#values.has(key);
  }

  /**
   * Sets the value of `key`, and disposes of a former one, unless that is the same. Throws what that disposal throws; the new value is
   * set then.
   *
   * @throws `TypeError` if the value has no `[Symbol.dispose]`.
   */
  set(key: K, value: V): this {
    const method = syncDisposeMethod(value);
    if (this.#disposed) {
      disposeSync(value, method);
      return this;
    }
    const former = this.#values.get(key);
    this.#values.set(key, value);
    if (former !== undefined && former !== value) disposeAll([former]);
    return this;
  }

  /** Removes the value of `key` and disposes of it. True if there was one. Throws what the disposal throws. */
  deleteAndDispose(key: K): boolean {
    const value = this.deleteAndLeak(key);
    if (value === undefined) return false;
    disposeAll([value]);
    return true;
  }

  /** Removes the value of `key` without disposing of it, and gives it. The caller owns it now. */
  deleteAndLeak(key: K): V | undefined {
    const value = this.#values.get(key);
    this.#values.delete(key);
    return value;
  }

  /** Removes all values and disposes of them, in the order in which their keys were set. O(n). */
  clearAndDisposeAll(): void {
    const values = [...this.#values.values()];
    this.#values.clear();
    disposeAll(values);
  }

  /** Gives the keys, in the order in which they were set. */
  keys(): IterableIterator<K> {
    return this.#values.keys();
  }

  /** Gives the values, in the order in which their keys were set. */
  values(): IterableIterator<V> {
    return this.#values.values();
  }

  /** Gives the keys with their values, in the order in which the keys were set. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#values[Symbol.iterator]();
  }

  /** Disposes of all values, and of every value that is set later. */
  dispose(): void {
    this.#disposed = true;
    this.clearAndDisposeAll();
  }

  /** Calls {@link dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

function disposeAll(values: readonly Disposable[]): void {
  let failure: { readonly error: unknown } | undefined;
  for (const value of values) {
    try {
      disposeSync(value);
    } catch (error) {
      failure = { error: failure === undefined ? error : suppressing(error, failure.error) };
    }
  }
  if (failure !== undefined) throw failure.error;
}
