/// <reference lib="esnext.disposable" preserve="true" />
/**
 * DisposableStack as the TC39 proposal specifies it, for platforms without one. The doc comments for users are at
 * `disposable-stack.ts`.
 */
import {
  callable,
  type Disposal,
  type DisposeMethod,
  syncDisposeMethod,
} from './dispose-method.js';
import { suppressing } from './suppressed-error.js';

/** Our own DisposableStack. */
export class OwnDisposableStack implements DisposableStack {
  /** In order of arrival; `undefined` once disposed or moved. */
  #disposals: Disposal[] | undefined = [];

  /** The very function that `dispose` is. */
  declare readonly [Symbol.dispose]: () => void;
  /** `'DisposableStack'`. */
  declare readonly [Symbol.toStringTag]: string;

  get disposed(): boolean {
    return this.#disposals === undefined;
  }

  use<T extends Disposable | null | undefined>(value: T): T {
    const disposals = this.#open();
    if (value !== null && value !== undefined) {
      disposals.push({ resource: value, method: syncDisposeMethod(value) });
    }
    return value;
  }

  adopt<T>(value: T, onDispose: (value: T) => void): T {
    const disposals = this.#open();
    callable(onDispose);
    disposals.push({ resource: undefined, method: () => onDispose(value) });
    return value;
  }

  defer(onDispose: () => void): void {
    this.#open().push({ resource: undefined, method: callable(onDispose) as DisposeMethod });
  }

  move(): DisposableStack {
    const disposals = this.#open();
    this.#disposals = undefined;
    const heir = new OwnDisposableStack();
    heir.#disposals = disposals;
    return heir;
  }

  dispose(): void {
    const disposals = this.#disposals;
    if (disposals === undefined) return;
    this.#disposals = undefined;
    let failure: { readonly error: unknown } | undefined;
    for (let disposal = disposals.pop(); disposal !== undefined; disposal = disposals.pop()) {
      try {
        Reflect.apply(disposal.method as DisposeMethod, disposal.resource, []);
      } catch (error) {
        failure = { error: failure === undefined ? error : suppressing(error, failure.error) };
      }
    }
    if (failure !== undefined) throw failure.error;
  }

  #open(): Disposal[] {
    if (this.#disposals === undefined) {
      throw new ReferenceError('The DisposableStack was disposed already. Make a new one.');
    }
    return this.#disposals;
  }

  static {
    Object.defineProperty(OwnDisposableStack, 'name', {
      value: 'DisposableStack',
      configurable: true,
    });
    Object.defineProperties(OwnDisposableStack.prototype, {
      [Symbol.dispose]: {
        value: OwnDisposableStack.prototype.dispose,
        writable: true,
        configurable: true,
      },
      [Symbol.toStringTag]: { value: 'DisposableStack', configurable: true },
    });
  }
}
