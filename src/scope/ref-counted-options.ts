/** The options of RefCounted and RefCountedMap, and of their waits. */
import { type Clock, systemClock } from '../core/clock.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aBoolean,
  aFunction,
  aName,
  anAbortSignal,
  checkOptions,
  countOrInfinity,
  millis,
  type OptionCheck,
  type OptionTable,
  objectWith,
  option,
  optional,
  positiveMillis,
  resolveOptions,
} from '../core/options.js';
import { asyncDisposeMethod, isDisposable } from './dispose-method.js';

/** Options that {@link RefCounted} and {@link RefCountedMap} share. */
export interface SharedOptions<T> {
  /** Disposes of a value. @default its `[Symbol.asyncDispose]` or `[Symbol.dispose]`, if it has one */
  readonly dispose?: (value: T) => unknown;
  /**
   * Whether a new value may be created while an invalidated one is in use or is being disposed of. Without it, the next caller
   * waits until the old value has been disposed of. A holder that invalidates and then acquires has to release first.
   *
   * @default false
   */
  readonly overlap?: boolean;
  /**
   * How long a caller waits for a value, in milliseconds; then its `acquire` rejects with {@link RefCountedTimeoutError}. Infinity for no
   * limit.
   *
   * @default Infinity
   */
  readonly acquireTimeoutMillis?: number;
  /**
   * How long one `create` may take, in milliseconds. Until then it goes on for later callers, although its callers have left. Then its
   * signal aborts, and callers that wait are rejected with {@link RefCountedTimeoutError}. Infinity for no limit.
   *
   * @default none: the signal aborts as soon as the last caller has left
   */
  readonly createTimeoutMillis?: number | undefined;
  /** Called with an error of a disposal that no caller waits for. @default prints it with `console.error` */
  readonly onError?: (error: unknown) => void;
  /** The name in errors and reports. @default the kind: 'ref-counted' or 'ref-counted-map' */
  readonly name?: string;
  /** The source of time. Its timers do not keep the process alive. @default systemClock */
  readonly clock?: Clock;
}

/** Options of {@link RefCounted}. */
export interface RefCountedOptions<T> extends SharedOptions<T> {
  /** How long an unused value is kept for the next caller, in milliseconds. Infinity for ever. @default 0 */
  readonly idleMillis?: number;
}

/** Options of {@link RefCountedMap}. */
export interface RefCountedMapOptions<K, T> extends SharedOptions<T> {
  /**
   * How long an unused value is kept for the next caller, in milliseconds, or a function that gives it for a key. Infinity for
   * ever.
   *
   * @default 0
   */
  readonly idleMillis?: number | ((key: K) => number);
  /** How many values may exist at a time. A new key evicts the value that has been idle for longest. @default Infinity */
  readonly capacity?: number;
}

/** Options of an `acquire`. */
export interface AcquireOptions {
  /** Ends the wait for the value when it aborts. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** Options of a wait: `invalidate`, `close` and `idle`. */
export interface EndOptions {
  /** Ends the wait when it aborts. What was started goes on. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** What the options of a {@link RefCounted} and of a {@link RefCountedMap} resolve to alike. */
export interface SharedSettings<T> {
  readonly dispose: (value: T) => unknown;
  readonly overlap: boolean;
  readonly acquireTimeoutMillis: number;
  readonly createTimeoutMillis: number | undefined;
  readonly onError: (error: unknown) => void;
  readonly clock: Clock;
  readonly name: string;
}

/** What the options of a {@link RefCounted} resolve to. */
export interface RefCountedSettings<T> extends SharedSettings<T> {
  readonly idleMillis: number;
}

/** What the options of a {@link RefCountedMap} resolve to. */
export interface RefCountedMapSettings<K, T> extends SharedSettings<T> {
  readonly idleMillis: number | ((key: K) => number);
  readonly capacity: number;
}

function sharedTable(kind: string): OptionTable<SharedSettings<unknown>> {
  return {
    dispose: option(aFunction, disposeBySymbol),
    overlap: option(aBoolean, false),
    acquireTimeoutMillis: option(positiveMillis, Number.POSITIVE_INFINITY),
    createTimeoutMillis: optional(positiveMillis),
    onError: option(aFunction, (error: unknown) => reportIgnoredError('a disposal', error)),
    clock: option(objectWith('now', 'setTimer', 'clearTimer'), systemClock),
    name: option(aName, kind),
  };
}

const millisOrFunction: OptionCheck = (value) =>
  typeof value === 'function' || millis(value) === undefined
    ? undefined
    : 'a number of milliseconds ≥ 0, or a function that gives it';

/** Gives the options of a RefCounted with their defaults. Throws {@link InvalidArgumentError} for a wrong one. */
export function resolveRefCountedOptions<T>(options: RefCountedOptions<T>): RefCountedSettings<T> {
  return resolveOptions<RefCountedSettings<T>>('RefCounted', options, {
    ...(sharedTable('ref-counted') as OptionTable<SharedSettings<T>>),
    idleMillis: option(millis, 0),
  });
}

/** Gives the options of a RefCountedMap with their defaults. Throws {@link InvalidArgumentError} for a wrong one. */
export function resolveRefCountedMapOptions<K, T>(
  options: RefCountedMapOptions<K, T>,
): RefCountedMapSettings<K, T> {
  return resolveOptions<RefCountedMapSettings<K, T>>('RefCountedMap', options, {
    ...(sharedTable('ref-counted-map') as OptionTable<SharedSettings<T>>),
    idleMillis: option(millisOrFunction, 0),
    capacity: option(countOrInfinity(1), Number.POSITIVE_INFINITY),
  });
}

/** Gives the signal of a call's options. Throws {@link InvalidArgumentError} for an unknown or malformed option. */
export function signalOf(where: string, options: EndOptions | undefined): AbortSignal | undefined {
  return checkOptions<EndOptions>(where, options ?? {}, { signal: anAbortSignal }).signal;
}

function disposeBySymbol(value: unknown): unknown {
  return isDisposable(value) ? Reflect.apply(asyncDisposeMethod(value), value, []) : undefined;
}
