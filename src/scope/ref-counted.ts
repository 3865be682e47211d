/// <reference lib="esnext.disposable" preserve="true" />
/**
 * A resource that many use and nobody owns: made when the first asks for it, shared by all who come while it lives, and
 * disposed of when the last has given it back. The count says so exactly and at once; no collector is waited for.
 *
 * ```
 *   acquire ──▶ create ──▶ in use ──last release──▶ idle ──idleMillis──▶ disposed
 *                            ▲                        │
 *                            └───────acquire──────────┘
 * ```
 *
 * Who acquires while it is being created has a hold on it before it is there, so an `invalidate` in between takes it from
 * those who come later and from nobody else.
 */
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
  /** Ends the value's life. @default its `[Symbol.asyncDispose]` or `[Symbol.dispose]`, if it has one */
  readonly dispose?: (value: T) => void | PromiseLike<void>;
  /** How long an unused value is kept for the next to ask, in milliseconds. @default 0 */
  readonly idleMillis?: number;
  /** The source of time; its timer is a background timer. @default systemClock */
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

/** One value, from the beginning of its creation to the end of its disposal. */
interface Tenancy<T> {
  readonly ready: Promise<SharedValue<T>>;
  /** Settles when the value has been disposed of. */
  readonly ended: Promise<void>;
  readonly end: (disposal: Promise<void>) => void;
  shared: SharedValue<T> | undefined;
  /** Those who wait for its creation. */
  reserved: number;
  /** Nobody is given it any more. */
  retired: boolean;
  /** Somebody waits for its end, and is told how it went. */
  awaited: boolean;
  timer: TimerHandle | undefined;
}

/**
 * A shared value that is created on demand and disposed of after its last release.
 *
 * A creation that fails rejects all who wait for it; the next `acquire` tries anew. Acquiring and releasing take O(1).
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
  #current: Tenancy<T> | undefined = undefined;

  /**
   * Nothing is created yet.
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

  /** How many leases on the present value are out; those on values that were invalidated do not count. */
  get refs(): number {
    const shared = this.#current?.shared;
    return shared === undefined ? 0 : shared.holds - 1; // One hold is this cell's own.
  }

  /** A lease on the value, which is created if there is none. Rejects with what the creation throws. */
  async acquire(): Promise<SharedLease<T>> {
    const tenancy = this.#current ?? this.#open();
    if (tenancy.timer !== undefined) this.#clock.clearTimer(tenancy.timer);
    tenancy.timer = undefined;
    if (tenancy.shared === undefined) {
      tenancy.reserved++;
      await tenancy.ready;
    } else {
      tenancy.shared.hold();
    }
    return this.#lease(tenancy);
  }

  /**
   * Takes the value from those who come later; they get a new one. Resolves when the old one has been disposed of, after
   * its last lease, and rejects with what its disposal throws.
   */
  async invalidate(): Promise<void> {
    const tenancy = this.#current;
    if (tenancy === undefined) return;
    tenancy.awaited = true;
    this.#retire(tenancy);
    await tenancy.ended;
  }

  /** The same as {@link invalidate}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.invalidate();
  }

  #open(): Tenancy<T> {
    let end!: (disposal: Promise<void>) => void;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const created = (async () => this.#create())();
    const ready = created.then(
      (value) => {
        const shared = new SharedValue(value, () => this.#end(tenancy, value));
        for (let holds = tenancy.reserved + 1; holds > 0; holds--) shared.hold();
        tenancy.shared = shared;
        if (tenancy.retired) shared.drop();
        return shared;
      },
      (error: unknown) => {
        if (this.#current === tenancy) this.#current = undefined;
        end(Promise.resolve());
        throw error;
      },
    );
    const tenancy: Tenancy<T> = {
      ready,
      ended,
      end,
      shared: undefined,
      reserved: 0,
      retired: false,
      awaited: false,
      timer: undefined,
    };
    this.#current = tenancy;
    return tenancy;
  }

  #lease(tenancy: Tenancy<T>): SharedLease<T> {
    const shared = tenancy.shared as SharedValue<T>;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      shared.drop();
      if (!tenancy.retired && shared.holds === 1) this.#idle(tenancy);
    };
    return { value: shared.value, release, [Symbol.dispose]: release };
  }

  #idle(tenancy: Tenancy<T>): void {
    if (this.#idleMillis === 0) this.#retire(tenancy);
    else if (this.#idleMillis !== Number.POSITIVE_INFINITY) {
      tenancy.timer = this.#clock.setTimer(() => this.#retire(tenancy), this.#idleMillis, {
        background: true,
      });
    }
  }

  #retire(tenancy: Tenancy<T>): void {
    if (tenancy.retired) return;
    tenancy.retired = true;
    this.#current = undefined;
    if (tenancy.timer !== undefined) this.#clock.clearTimer(tenancy.timer);
    tenancy.shared?.drop();
  }

  #end(tenancy: Tenancy<T>, value: T): void {
    const disposal = (async () => {
      await this.#dispose(value);
    })();
    if (!tenancy.awaited) disposal.catch((error) => reportIgnoredError('a disposal', error));
    tenancy.end(tenancy.awaited ? disposal : disposal.catch(() => {}));
  }
}

function disposeBySymbol(value: unknown): unknown {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return;
  if (!(Symbol.asyncDispose in value || Symbol.dispose in value)) return;
  return Reflect.apply(asyncDisposeMethod(value), value, []);
}
