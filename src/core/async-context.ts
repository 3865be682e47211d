/**
 * Variables that follow an async flow: a call, and the awaits, timers and callbacks that it starts. They are made of
 * AsyncLocalStorage where the host has it. Elsewhere a value holds for the synchronous part of `run` only.
 */
import { builtinModule } from './host.js';

/** A variable with one value for each async flow. */
export interface AsyncVariable<T> {
  /** Calls `body`, without arguments, with the value set for its async flow, and gives its result. */
  run<R>(value: T, body: () => R): R;
  /** Does what {@link run} does, and passes the value to `body`. */
  runWithValue<R>(value: T, body: (value: T) => R): R;
  /**
   * Sets the value for the rest of the current async flow; `undefined` removes it. Where the host has no AsyncLocalStorage, it has no
   * effect: a value that no call bounds would reach unrelated work.
   */
  enter(value: T | undefined): void;
  /** Gives the value of the current async flow; `undefined` if none is set. */
  get(): T | undefined;
  /**
   * Removes the values of all flows, until the next `run` or `enter`. On Node 20 and 22 each promise and each callback of the process
   * is slower while a variable has been used and does not rest.
   */
  rest(): void;
}

interface AsyncLocalStorage<T> {
  run<R, A extends unknown[]>(store: T, body: (...args: A) => R, ...args: A): R;
  enterWith(store: T | undefined): void;
  getStore(): T | undefined;
  disable?(): void;
}

interface AsyncHooks {
  readonly AsyncLocalStorage: {
    new <T>(): AsyncLocalStorage<T>;
    snapshot?(): <R>(body: () => R) => R;
  };
  readonly AsyncResource?: new (
    type: string,
  ) => {
    runInAsyncScope<R>(body: () => R): R;
  };
}

/**
 * The values of one async flow: the key of each variable, and its value behind it. All variables share one AsyncLocalStorage: on
 * Node 20 and 22 each one that is in use makes every promise of the process slower.
 */
type Frame = readonly unknown[];

/** Stands for a variable in frames. A variable that has rested has a new key, and its old values are forgotten. */
class Key {
  isStale = false;
}

let storage: AsyncLocalStorage<Frame | undefined> | undefined;

/** How many variables have been used and do not rest. */
let inUse = 0;

/** Makes a variable without a value. */
export function createAsyncVariable<T>(): AsyncVariable<T> {
  const hooks = builtinModule<AsyncHooks>('async_hooks');
  if (hooks === undefined) return synchronousVariable();
  storage ??= new hooks.AsyncLocalStorage<Frame | undefined>();
  return new FlowVariable<T>(storage);
}

class FlowVariable<T> implements AsyncVariable<T> {
  readonly #storage: AsyncLocalStorage<Frame | undefined>;
  #key = new Key();
  #isUsed = false;

  constructor(storage: AsyncLocalStorage<Frame | undefined>) {
    this.#storage = storage;
  }

  run<R>(value: T, body: () => R): R {
    return this.#storage.run(this.#frameWith(value), body);
  }

  runWithValue<R>(value: T, body: (value: T) => R): R {
    return this.#storage.run(this.#frameWith(value), body, value); // A closure for each call takes longer.
  }

  enter(value: T | undefined): void {
    this.#storage.enterWith(this.#frameWith(value));
  }

  get(): T | undefined {
    const frame = this.#isUsed ? this.#storage.getStore() : undefined;
    if (frame === undefined) return undefined;
    const place = frame.indexOf(this.#key);
    return place < 0 ? undefined : (frame[place + 1] as T);
  }

  rest(): void {
    if (!this.#isUsed) return;
    this.#key.isStale = true;
    this.#key = new Key();
    this.#isUsed = false;
    inUse--;
    if (inUse === 0) this.#storage.disable?.();
  }

  /** Gives the values of the current flow, with another one for this variable; `undefined` if there are none. */
  #frameWith(value: T | undefined): Frame | undefined {
    if (!this.#isUsed) {
      this.#isUsed = true;
      inUse++;
    }
    const key = this.#key;
    const frame: unknown[] = value === undefined ? [] : [key, value];
    const outer = this.#storage.getStore();
    if (outer === undefined) return frame.length === 0 ? undefined : frame;
    for (let i = 0; i < outer.length; i += 2) {
      const other = outer[i] as Key;
      if (other !== key && !other.isStale) frame.push(other, outer[i + 1]);
    }
    return frame.length === 0 ? undefined : frame;
  }
}

/** Calls its argument in an async context that was captured earlier, and returns its result. */
export type RunInContext = <R>(body: () => R) => R;

/**
 * Captures the current async context. A component uses it to keep its own work out of the context of a request that happens
 * to cause the work. Where the host has no async context, the result just calls its argument.
 */
export function captureAsyncContext(): RunInContext {
  const hooks = builtinModule<AsyncHooks>('async_hooks');
  return hooks?.AsyncLocalStorage.snapshot?.() ?? ((body) => body());
}

/** The symbols of an AsyncResource: `kResourceStore` up to Node 22, one for each AsyncLocalStorage, and `context_frame` since. */
const HOLDS_VALUES = /store|frame/i;

/**
 * Makes a context without a value of any variable. {@link captureAsyncContext} at the top of a module does not give one: the first
 * request may have imported the module, and its context would be kept, and seen by the work of all others.
 *
 * Node has no function for it. An AsyncResource keeps the values of the context in which it was made under symbols, and they are
 * removed here. Where it keeps them elsewhere, the result is that of `captureAsyncContext`.
 */
export function emptyAsyncContext(): RunInContext {
  const hooks = builtinModule<AsyncHooks>('async_hooks');
  if (hooks?.AsyncResource === undefined) return captureAsyncContext();
  const resource = new hooks.AsyncResource('TENURE');
  const values = resource as unknown as Record<symbol, unknown>;
  for (const symbol of Object.getOwnPropertySymbols(resource)) {
    if (HOLDS_VALUES.test(symbol.description ?? '')) values[symbol] = undefined;
  }
  return (body) => resource.runInAsyncScope(body);
}

function synchronousVariable<T>(): AsyncVariable<T> {
  let current: T | undefined;
  const runWithValue = <R>(value: T, body: (value: T) => R): R => {
    const outer = current;
    current = value;
    try {
      return body(value);
    } finally {
      current = outer;
    }
  };
  return {
    run: (value, body) => runWithValue(value, () => body()),
    runWithValue,
    enter() {},
    rest() {},
    get: () => current,
  };
}
