/**
 * AsyncDisposableStack as the TC39 proposal specifies it, for platforms without one. The documentation for users is in
 * `async-disposable-stack.ts`.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  asyncDisposeMethod,
  callable,
  type DisposeMethod,
  type StackDisposal,
} from './dispose-method.js';
import { useIntrinsicPrototype } from './intrinsic-prototype.js';
import { suppressing } from './suppressed-error.js';

/** The specification does not look at what a synchronous method returns, its `then` included. */
function callIgnoringResult(resource: unknown, method: DisposeMethod): void {
  Reflect.apply(method, resource, []);
}

/** Our own AsyncDisposableStack. */
export class OwnAsyncDisposableStack implements AsyncDisposableStack {
  /** The resources, the oldest first; `undefined` once disposed or moved. */
  #disposals: StackDisposal[] | undefined = [];

  /** The method `disposeAsync`. */
  declare readonly [Symbol.asyncDispose]: () => Promise<void>;
  /** `'AsyncDisposableStack'`. */
  declare readonly [Symbol.toStringTag]: string;

  constructor() {
    useIntrinsicPrototype(this, new.target, OwnAsyncDisposableStack.prototype);
  }

  get disposed(): boolean {
    return this.#disposals === undefined;
  }

  use<T extends AsyncDisposable | Disposable | null | undefined>(value: T): T {
    const disposals = this.#openDisposals();
    const absent = value === null || value === undefined;
    const method = absent ? undefined : asyncDisposeMethod(value, callIgnoringResult);
    disposals.push({ resource: value, method });
    return value;
  }

  adopt<T>(value: T, onDisposeAsync: (value: T) => PromiseLike<void> | void): T {
    const disposals = this.#openDisposals();
    callable(onDisposeAsync);
    disposals.push({ resource: undefined, method: () => onDisposeAsync(value) });
    return value;
  }

  defer(onDisposeAsync: () => PromiseLike<void> | void): void {
    this.#openDisposals().push({
      resource: undefined,
      method: callable(onDisposeAsync) as DisposeMethod,
    });
  }

  move(): AsyncDisposableStack {
    const disposals = this.#openDisposals();
    this.#disposals = undefined;
    const heir = new OwnAsyncDisposableStack();
    heir.#disposals = disposals;
    return heir;
  }

  async disposeAsync(): Promise<void> {
    const disposals = this.#disposals;
    if (disposals === undefined) return;
    this.#disposals = undefined;
    let failure: { readonly error: unknown } | undefined;
    let awaited = false;
    let owesAwait = false;
    for (let disposal = disposals.pop(); disposal !== undefined; disposal = disposals.pop()) {
      if (disposal.method === undefined) {
        owesAwait = true;
        continue;
      }
      try {
        const disposing: unknown = Reflect.apply(disposal.method, disposal.resource, []);
        awaited = true;
        await disposing;
      } catch (error) {
        failure = { error: failure === undefined ? error : suppressing(error, failure.error) };
      }
    }
    // The specification: a resource `null` makes the disposal take a microtask, unless another resource has done so.
    if (owesAwait && !awaited) await undefined;
    if (failure !== undefined) throw failure.error;
  }

  #openDisposals(): StackDisposal[] {
    if (this.#disposals === undefined) {
      throw new ReferenceError('The AsyncDisposableStack was disposed already. Make a new one.');
    }
    return this.#disposals;
  }

  static {
    Object.defineProperty(OwnAsyncDisposableStack, 'name', {
      value: 'AsyncDisposableStack',
      configurable: true,
    });
    Object.defineProperties(OwnAsyncDisposableStack.prototype, {
      [Symbol.asyncDispose]: {
        value: OwnAsyncDisposableStack.prototype.disposeAsync,
        writable: true,
        configurable: true,
      },
      [Symbol.toStringTag]: { value: 'AsyncDisposableStack', configurable: true },
    });
  }
}
