/// <reference lib="esnext.disposable" preserve="true" />
/**
 * Set-up and tear-down as one function: what stands before the `yield` sets up, what stands after it tears down. After
 * `contextlib.contextmanager` of Python.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument } from '../core/options.js';
import { ManagedContext } from './managed-context.js';

/**
 * Makes a disposable out of a generator function that yields exactly once. Calling the result runs the body up to its
 * `yield`; the end of the `using` block, or of `run`, runs the rest. `this` and the arguments are passed on.
 *
 * Under `using` the body is always resumed as after success, because JavaScript does not tell a disposable that its
 * block has failed: put the tear-down into `finally`. A body that must tell success from failure (commit or roll back)
 * is to be used through {@link ManagedContext.run}.
 *
 * The result throws what the body throws before its `yield`.
 *
 * @throws {@link NeverYieldedError} (`TENURE_CONTEXT_NEVER_YIELDED`), from the result, if the body ends before it
 * yields.
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `body` is no function or, from the result, if it
 * is no generator function.
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
): (...args: A) => ManagedContext<T> {
  checkArgument('contextManager', 'body', body, aFunction);
  return function enter(this: unknown, ...args: A): ManagedContext<T> {
    const generator: Generator<T, void, void> = Reflect.apply(body, this, args);
    if (!isGenerator(generator)) {
      throw new InvalidArgumentError(
        'contextManager: `body` must be a generator function (function*), and an async one is for asyncContextManager.',
      );
    }
    return new ManagedContext(generator);
  };
}

function isGenerator(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.iterator in value &&
    typeof (value as Partial<Generator>).throw === 'function'
  );
}
