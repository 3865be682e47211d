/**
 * Listeners that do not keep their owner alive. A plain listener is held by its emitter, and holds what it uses: a view that
 * listens to a long-lived socket lives as long as the socket.
 *
 * ```
 *   emitter ──▶ listener ──▶ call          ┄┄▶ weak
 *                   ┊
 *                   └┄┄▶ owner             the owner's death removes the listener
 * ```
 *
 * The record that waits for the owner's death holds the emitter and the listener weakly, so it keeps neither alive.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { DeathRecord } from '../core/death-record.js';
import { DeathRegistry } from '../core/death-registry.js';
import { InvalidArgumentError } from '../core/errors.js';
import { guardedCall } from '../core/guarded-call.js';
import { aFunction, checkArgument, objectWith } from '../core/options.js';
import { aWeakKey } from '../core/weak-key.js';

/** A function that is added to an emitter. */
type Listener = (...args: unknown[]) => unknown;

/** An emitter with `on` and `off`, or with `on` and `removeListener`, as Node's EventEmitter. */
export interface EventEmitterLike {
  /** Adds a listener. */
  on(event: never, listener: never): unknown;
  /** Removes a listener. */
  off?(event: never, listener: never): unknown;
  /** Removes a listener. Used if there is no `off`. */
  removeListener?(event: never, listener: never): unknown;
}

/** An emitter with `addEventListener`, as the DOM's and Node's EventTarget. */
export interface EventTargetLike {
  /** Adds a listener. */
  addEventListener(event: never, listener: never): unknown;
  /** Removes a listener. */
  removeEventListener(event: never, listener: never): unknown;
}

type AnyEmitter = Record<string, (event: PropertyKey, listener: Listener) => unknown>;

/** How to add a listener to an emitter and how to remove it: the names of its methods. */
const METHODS = [
  ['addEventListener', 'removeEventListener'],
  ['on', 'off'],
  ['on', 'removeListener'],
] as const;

/** One listener. It removes itself when its owner has died. */
class Subscription extends DeathRecord {
  #emitter: WeakRef<AnyEmitter> | undefined;
  readonly #event: PropertyKey;
  readonly #listener: WeakRef<Listener>;
  readonly #remove: string;

  constructor(emitter: AnyEmitter, event: PropertyKey, listener: Listener, remove: string) {
    super();
    this.#emitter = new WeakRef(emitter);
    this.#event = event;
    this.#listener = new WeakRef(listener);
    this.#remove = remove;
  }

  override died(): void {
    guardedCall('the removal of a weak listener', () => this.end());
  }

  end(): void {
    this.unwatch();
    const emitter = this.#emitter?.deref();
    this.#emitter = undefined;
    const listener = this.#listener.deref();
    if (emitter !== undefined && listener !== undefined) {
      emitter[this.#remove]?.(this.#event, listener);
    }
  }
}

/** Removes the records of listeners whose emitter has died before their owner. */
const droppedListeners = new DeathRegistry<Subscription>((subscription) => subscription.unwatch());

/**
 * Adds a listener to `emitter` that does not keep `owner` alive. Each event calls `call(owner, ...args)`. The listener is removed
 * some turns after V8 has collected `owner`, or when the result is disposed of, which the caller need not keep. After the death
 * of the owner nothing is called.
 *
 * `call` must not reach the owner otherwise than by its first argument, or V8 never collects it: write a function that uses no
 * variable around it. Its result and its errors are the emitter's, as with any listener: an EventEmitter with `captureRejections` sees its
 * promise.
 *
 * O(1), besides what the emitter does.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `owner` cannot be referred to weakly, if `emitter` has
 * neither `addEventListener` nor `on`, if `call` is no function, or if `call` is the owner.
 *
 * @example
 * ```ts
 * import { EventEmitter } from 'node:events';
 * import { weakListener } from 'tenure/weak';
 *
 * const prices = new EventEmitter();
 * const view = { shown: 0 };
 * const subscription = weakListener(view, prices, 'price', (owner, price: number) => {
 *   owner.shown = price;
 * });
 * prices.emit('price', 12);
 * view.shown; // => 12
 * subscription[Symbol.dispose]();
 * prices.listenerCount('price'); // => 0
 * ```
 */
export function weakListener<O extends WeakKey, A extends unknown[]>(
  owner: O,
  emitter: EventTargetLike | EventEmitterLike,
  event: string | symbol,
  call: (owner: O, ...args: A) => unknown,
): Disposable {
  checkArgument('weakListener', 'owner', owner, aWeakKey);
  checkArgument('weakListener', 'call', call, aFunction);
  if ((call as unknown) === owner) {
    throw new InvalidArgumentError(
      'weakListener: `call` must not be the owner, which could then never be collected. Give a function that gets it as its argument.',
    );
  }
  const methods = METHODS.find((names) => objectWith(...names)(emitter) === undefined);
  if (methods === undefined) {
    throw new InvalidArgumentError(
      'weakListener: `emitter` must have addEventListener() and removeEventListener(), or on() and off().',
    );
  }
  const [add, remove] = methods;
  const target = new WeakRef(owner);
  const listener: Listener = (...args) => {
    const alive = target.deref();
    return alive === undefined ? undefined : call(alive, ...(args as A));
  };
  const from = emitter as unknown as AnyEmitter;
  const subscription = new Subscription(from, event, listener, remove);
  from[add]?.(event, listener);
  subscription.watch(owner);
  droppedListeners.register(listener, subscription);
  return { [Symbol.dispose]: () => subscription.end() };
}
