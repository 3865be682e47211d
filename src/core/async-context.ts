/**
 * A value that follows a logical flow of control across awaits, timers and callbacks: AsyncLocalStorage where the host
 * has it. Elsewhere the value holds for the synchronous part of `run` only.
 */
import { builtinModule } from './host.js';

/** A value bound to the current async flow. */
export interface AsyncVariable<T> {
  /** Calls `body` with the value set, for it and for all that it starts. */
  run<R>(value: T, body: () => R): R;
  /** The value that the current flow was started with. */
  get(): T | undefined;
}

interface AsyncLocalStorage<T> {
  run<R>(store: T, body: () => R): R;
  getStore(): T | undefined;
}

interface AsyncHooks {
  readonly AsyncLocalStorage: {
    new <T>(): AsyncLocalStorage<T>;
    snapshot?(): <R>(body: () => R) => R;
  };
}

/** A new variable, unset. */
export function createAsyncVariable<T>(): AsyncVariable<T> {
  const hooks = builtinModule<AsyncHooks>('async_hooks');
  if (hooks === undefined) return synchronousVariable();
  const storage = new hooks.AsyncLocalStorage<T>();
  return {
    run: (value, body) => storage.run(value, body),
    get: () => storage.getStore(),
  };
}

/** Calls its argument in an async context that was captured earlier, and returns its result. */
export type RunInContext = <R>(body: () => R) => R;

/**
 * A function that calls its argument in the async flow that is current now, whoever calls it later; where the host has
 * no such flows, it just calls. What a component starts by itself then belongs to nobody's request.
 */
export function captureAsyncContext(): RunInContext {
  const hooks = builtinModule<AsyncHooks>('async_hooks');
  return hooks?.AsyncLocalStorage.snapshot?.() ?? ((body) => body());
}

function synchronousVariable<T>(): AsyncVariable<T> {
  let current: T | undefined;
  return {
    run(value, body) {
      const outer = current;
      current = value;
      try {
        return body();
      } finally {
        current = outer;
      }
    },
    get: () => current,
  };
}
