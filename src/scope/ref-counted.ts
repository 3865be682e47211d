/**
 * A value that several holders share and none of them owns. The first `acquire` creates it, and the last release disposes of
 * it. A reference count says when: exactly and at once, without a garbage collector.
 *
 * ```
 *   acquire ──▶ create ──▶ in use ──last release──▶ idle ──idleMillis──▶ disposed
 *                            ▲                        │
 *                            └───────acquire──────────┘
 * ```
 *
 * A caller that acquires during the creation has a hold on the value before it exists. An `invalidate` in between therefore
 * takes the value from later callers only.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { type Clock, systemClock, type TimerHandle } from '../core/clock.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aFunction,
  checkArgument,
  millis,
  type OptionTable,
  objectWith,
  option,
  resolveOptions,
} from '../core/options.js';
import { asyncDisposeMethod } from './dispose-method.js';
import { type SharedLease, SharedValue } from './shared-value.js';

/** Options of {@link RefCounted}. */
export interface RefCountedOptions<T> {
  /** Disposes of the value. @default its `[Symbol.asyncDispose]` or `[Symbol.dispose]`, if it has one */
  readonly dispose?: (value: T) => void | PromiseLike<void>;
  /** How long an unused value is kept for the next caller, in milliseconds. Infinity for ever. @default 0 */
  readonly idleMillis?: number;
  /** The source of time. Its timer does not keep the process alive. @default systemClock */
  readonly clock?: Clock;
}

/** What the options resolve to. */
interface RefCountedSettings<T> {
  readonly dispose: (value: T) => unknown;
  readonly idleMillis: number;
  readonly clock: Clock;
}

const OPTIONS: OptionTable<RefCountedSettings<unknown>> = {
  dispose: option(aFunction, disposeBySymbol),
  idleMillis: option(millis, 0),
  clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
};

/** One value, from the start of its creation to the end of its disposal. */
interface Instance<T> {
  /** Settles with the creation. */
  readonly ready: Promise<SharedValue<T>>;
  /** Settles when the value has been disposed of. */
  readonly ended: Promise<void>;
  /** Settles `ended` with a disposal. */
  readonly resolveEnded: (disposal: Promise<void>) => void;
  /** The value and its count; `undefined` until it is created. */
  shared: SharedValue<T> | undefined;
  /** How many callers wait for the creation. */
  waiting: number;
  /** Whether later callers get another instance. */
  isRetired: boolean;
  /** Whether a caller of `invalidate` waits for `ended`, and is given an error of the disposal. */
  isEndAwaited: boolean;
  /** Retires the instance when it has been idle for long enough. */
  timer: TimerHandle | undefined;
}

/**
 * A shared value that is created on demand and disposed of after its last release.
 *
 * A failed creation rejects each `acquire` that waits for it; the next `acquire` creates again. Acquiring and releasing are
 * O(1).
 *
 * @example
 * ```ts
 * import { RefCounted } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const connection = new RefCounted(async () => {
 *   log.push('open');
 *   return { query: () => 42, [Symbol.dispose]: () => void log.push('close') };
 * });
 * {
 *   using first = await connection.acquire();
 *   using second = await connection.acquire();
 *   first.value === second.value; // => true
 *   connection.refs; // => 2
 * }
 * log; // => ['open', 'close']
 * ```
 */
export class RefCounted<T> implements AsyncDisposable {
  readonly #create: () => T | PromiseLike<T>;
  readonly #dispose: (value: T) => unknown;
  readonly #idleMillis: number;
  readonly #clock: Clock;
  #current: Instance<T> | undefined = undefined;

  /**
   * Creates no value yet.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   */
  constructor(create: () => T | PromiseLike<T>, options: RefCountedOptions<T> = {}) {
    checkArgument('RefCounted', 'create', create, aFunction);
    const settings: RefCountedSettings<T> = resolveOptions('RefCounted', options, OPTIONS);
    this.#create = create;
    this.#dispose = settings.dispose;
    this.#idleMillis = settings.idleMillis;
    this.#clock = settings.clock;
  }

  /** How many leases on the current value are out. Leases on invalidated values do not count. */
  get refs(): number {
    const shared = this.#current?.shared;
    return shared === undefined ? 0 : shared.holds - 1; // One hold is our own.
  }

  /** Gives a lease on the value, and creates the value if there is none. Rejects with what the creation throws. */
  async acquire(): Promise<SharedLease<T>> {
    const instance = this.#current ?? this.#createInstance();
    if (instance.timer !== undefined) this.#clock.clearTimer(instance.timer);
    instance.timer = undefined;
    if (instance.shared === undefined) {
      instance.waiting++;
      await instance.ready;
    } else {
      instance.shared.hold();
    }
    return this.#lease(instance);
  }

  /**
   * Makes later callers get a new value. Resolves when the old one has been disposed of, after its last lease. Rejects with
   * what the disposal throws.
   */
  async invalidate(): Promise<void> {
    const instance = this.#current;
    if (instance === undefined) return;
    instance.isEndAwaited = true;
    this.#retire(instance);
    await instance.ended;
  }

  /** Calls {@link invalidate}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.invalidate();
  }

  #createInstance(): Instance<T> {
    let resolveEnded!: (disposal: Promise<void>) => void;
    const ended = new Promise<void>((resolve) => {
      resolveEnded = resolve;
    });
    const created = (async () => this.#create())();
    const ready = created.then(
      (value) => {
        const shared = new SharedValue(value, () => this.#disposeOf(instance, value));
        for (let holds = instance.waiting + 1; holds > 0; holds--) shared.hold();
        instance.shared = shared;
        if (instance.isRetired) shared.drop();
        return shared;
      },
      (error: unknown) => {
        if (this.#current === instance) this.#current = undefined;
        resolveEnded(Promise.resolve());
        throw error;
      },
    );
    const instance: Instance<T> = {
      ready,
      ended,
      resolveEnded,
      shared: undefined,
      waiting: 0,
      isRetired: false,
      isEndAwaited: false,
      timer: undefined,
    };
    this.#current = instance;
    return instance;
  }

  #lease(instance: Instance<T>): SharedLease<T> {
    const shared = instance.shared as SharedValue<T>;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      shared.drop();
      if (!instance.isRetired && shared.holds === 1) this.#startIdling(instance);
    };
    return { value: shared.value, release, [Symbol.dispose]: release };
  }

  #startIdling(instance: Instance<T>): void {
    if (this.#idleMillis === 0) this.#retire(instance);
    else if (this.#idleMillis !== Number.POSITIVE_INFINITY) {
      instance.timer = this.#clock.setTimer(() => this.#retire(instance), this.#idleMillis, {
        background: true,
      });
    }
  }

  #retire(instance: Instance<T>): void {
    if (instance.isRetired) return;
    instance.isRetired = true;
    this.#current = undefined;
    if (instance.timer !== undefined) this.#clock.clearTimer(instance.timer);
    instance.shared?.drop();
  }

  #disposeOf(instance: Instance<T>, value: T): void {
    const disposal = (async () => {
      await this.#dispose(value);
    })();
    if (!instance.isEndAwaited) disposal.catch((error) => reportIgnoredError('a disposal', error));
    instance.resolveEnded(instance.isEndAwaited ? disposal : disposal.catch(() => {}));
  }
}

function disposeBySymbol(value: unknown): unknown {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return;
  if (!(Symbol.asyncDispose in value || Symbol.dispose in value)) return;
  return Reflect.apply(asyncDisposeMethod(value), value, []);
}
