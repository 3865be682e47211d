/**
 * Set-up and tear-down in one function: the code before the `yield` sets up, the code after it tears down. After
 * `contextlib.contextmanager` of Python.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument } from '../core/options.js';
import { ManagedContext } from './managed-context.js';
import { type AnyFunction, aroundIn, wraps } from './wrapped-function.js';

/** A function that sets up and gives a context. Made by {@link contextManager}. */
export interface ContextManager<A extends unknown[], T> {
  /** Runs the body up to its `yield`. */
  (...args: A): ManagedContext<T>;
  /**
   * Gives a decorator: the function that it makes runs in a fresh context for each call, and keeps its name and length. It works on
   * a function and, as `@manager.around()`, on a method. A call whose error the body handles gives `undefined`.
   *
   * @example
   * ```ts
   * import { contextManager } from 'tenure/scope';
   *
   * const log: string[] = [];
   * const logged = contextManager(function* (name: string) {
   *   log.push(`begin ${name}`);
   *   try {
   *     yield;
   *   } finally {
   *     log.push(`end ${name}`);
   *   }
   * });
   * const add = logged.around('add')((a: number, b: number) => a + b);
   * add(1, 2); // => 3
   * log; // => ['begin add', 'end add']
   * ```
   */
  around(...args: A): <F extends AnyFunction>(fn: F) => F;
}

/**
 * Makes a context manager out of a generator function that yields exactly once. A call of the result runs the body up to its
 * `yield` and gives a disposable. The end of the `using` block, or of `run`, runs the rest. `this` and the arguments are
 * passed on to the body. The result has the name, the length and the properties of `body`.
 *
 * Under `using` the body always resumes as after success, since JavaScript does not tell a disposable that its block has
 * failed. Put the tear-down into `finally`. Use {@link ManagedContext.run} for a body that commits or rolls back.
 *
 * A call of the result throws what the body throws before its `yield`.
 *
 * @throws {@link NeverYieldedError} (`TENURE_CONTEXT_NEVER_YIELDED`) by a call of the result if the body ends
 * without a yield.
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `body` is no function, and by a call of the
 * result if it is no generator function.
 *
 * @example
 * ```ts
 * import { contextManager } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const indented = contextManager(function* (by: number) {
 *   log.push('begin');
 *   try {
 *     yield ' '.repeat(by);
 *   } finally {
 *     log.push('end');
 *   }
 * });
 * {
 *   using margin = indented(2);
 *   log.push(`${margin.value}text`);
 * }
 * log; // => ['begin', '  text', 'end']
 * ```
 */
export function contextManager<A extends unknown[], T>(
  body: (...args: A) => Generator<T, void, void>,
): ContextManager<A, T> {
  checkArgument('contextManager', 'body', body, aFunction);
  const enter = function (this: unknown, ...args: A): ManagedContext<T> {
    const generator: Generator<T, void, void> = Reflect.apply(body, this, args);
    if (!isGenerator(generator)) {
      throw new InvalidArgumentError(
        'contextManager: `body` must be a generator function (function*), and an async one is for asyncContextManager.',
      );
    }
    return new ManagedContext(generator, enter);
  };
  return Object.assign(wraps(enter, body), { around: aroundIn(enter) });
}

function isGenerator(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.iterator in value &&
    typeof (value as Partial<Generator>).throw === 'function'
  );
}
