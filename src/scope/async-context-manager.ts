/// <reference lib="esnext.disposable" preserve="true" />
/**
 * {@link contextManager} for a set-up or tear-down that takes time. After `contextlib.asynccontextmanager` of Python.
 */
import { InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument } from '../core/options.js';
import { AsyncManagedContext } from './async-managed-context.js';

/**
 * Makes an async disposable out of an async generator function that yields exactly once. Calling the result runs the
 * body up to its `yield` and gives a promise; the end of the `await using` block, or of `run`, runs the rest. `this` and
 * the arguments are passed on.
 *
 * As with {@link contextManager}, only {@link AsyncManagedContext.run} tells the body of an error.
 *
 * The promise rejects with what the body throws before its `yield`, and with {@link NeverYieldedError}
 * (`TENURE_CONTEXT_NEVER_YIELDED`) if the body ends before it yields.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `body` is no function or, from the result, if it
 * is no async generator function.
 *
 * @example
 * ```ts
 * import { asyncContextManager } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const session = asyncContextManager(async function* (user: string) {
 *   try {
 *     yield { user };
 *   } finally {
 *     await null;
 *     log.push(`${user} logged out`);
 *   }
 * });
 * {
 *   await using open = await session('ada');
 *   log.push(`${open.value.user} is here`);
 * }
 * log; // => ['ada is here', 'ada logged out']
 * ```
 */
export function asyncContextManager<A extends unknown[], T>(
  body: (...args: A) => AsyncGenerator<T, void, void>,
): (...args: A) => Promise<AsyncManagedContext<T>> {
  checkArgument('asyncContextManager', 'body', body, aFunction);
  return function enter(this: unknown, ...args: A): Promise<AsyncManagedContext<T>> {
    const generator: AsyncGenerator<T, void, void> = Reflect.apply(body, this, args);
    if (!isAsyncGenerator(generator)) {
      throw new InvalidArgumentError(
        'asyncContextManager: `body` must be an async generator function (async function*), and a synchronous one is for contextManager.',
      );
    }
    return AsyncManagedContext.enter(generator);
  };
}

function isAsyncGenerator(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof (value as Partial<AsyncGenerator>).throw === 'function'
  );
}
