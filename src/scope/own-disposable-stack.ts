/**
 * DisposableStack as the TC39 proposal specifies it, for platforms without one. The documentation for users is in
 * `disposable-stack.ts`.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import {
  callable,
  type DisposeMethod,
  type StackDisposal,
  syncDisposeMethod,
} from './dispose-method.js';
import { useIntrinsicPrototype } from './intrinsic-prototype.js';
import { suppressing } from './suppressed-error.js';

/** Our own DisposableStack. */
export class OwnDisposableStack implements DisposableStack {
  /** The resources, the oldest first; `undefined` once disposed or moved. */
  #disposals: StackDisposal[] | undefined = [];

  /** The method `dispose`. */
  declare readonly [Symbol.dispose]: () => void;
  /** `'DisposableStack'`. */
  declare readonly [Symbol.toStringTag]: string;

  constructor() {
    useIntrinsicPrototype(this, new.target, OwnDisposableStack.prototype);
  }

  get disposed(): boolean {
    return this.#disposals === undefined;
  }

  use<T extends Disposable | null | undefined>(value: T): T {
    const disposals = this.#openDisposals();
    if (value !== null && value !== undefined) {
      disposals.push({ resource: value, method: syncDisposeMethod(value) });
    }
    return value;
  }

  adopt<T>(value: T, onDispose: (value: T) => void): T {
    const disposals = this.#openDisposals();
    callable(onDispose);
    disposals.push({ resource: undefined, method: () => onDispose(value) });
    return value;
  }

  defer(onDispose: () => void): void {
    this.#openDisposals().push({
      resource: undefined,
      method: callable(onDispose) as DisposeMethod,
    });
  }

  move(): DisposableStack {
    const disposals = this.#openDisposals();
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

  #openDisposals(): StackDisposal[] {
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
