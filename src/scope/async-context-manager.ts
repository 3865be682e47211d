/** {@link contextManager} with an asynchronous set-up or tear-down. After `contextlib.asynccontextmanager` of Python. */
/// <reference lib="esnext.disposable" preserve="true" />
import { InvalidArgumentError } from '../core/errors.js';
import { aFunction, checkArgument } from '../core/options.js';
import { AsyncManagedContext } from './async-managed-context.js';
import { EnteringContext } from './entering-context.js';
import { aroundIn, wraps } from './wrapped-function.js';

/** Any function that gives a promise. */
export type AsyncFunction = (...args: never[]) => PromiseLike<unknown>;

/** A function that sets up and gives a promise of a context. Made by {@link asyncContextManager}. */
export interface AsyncContextManager<A extends unknown[], T> {
  /** Runs the body up to its `yield`. */
  (...args: A): EnteringContext<T>;
  /**
   * Gives a decorator: the async function that it makes runs in a fresh context for each call, and keeps its name and length. A call
   * whose error the body handles gives `undefined`.
   */
  around(...args: A): <F extends AsyncFunction>(fn: F) => F;
}

/**
 * Makes a context manager out of an async generator function that yields exactly once. A call of the result runs the body up
 * to its `yield` and gives a promise of an async disposable. The end of the `await using` block, or of `run`, runs the rest.
 * The promise has `run` and `outcome` too, so `manager(…).run(block)` needs no inner `await`.
 * `this` and the arguments are passed on to the body.
 *
 * As with {@link contextManager}, only {@link AsyncManagedContext.run} throws an error of the block into the body.
 *
 * The promise rejects with what the body throws before its `yield`. It rejects with {@link NeverYieldedError}
 * (`TENURE_CONTEXT_NEVER_YIELDED`) if the body ends without a yield.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `body` is no function, and by a call of the
 * result if it is no async generator function.
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
): AsyncContextManager<A, T> {
  checkArgument('asyncContextManager', 'body', body, aFunction);
  const enter = function (this: unknown, ...args: A): EnteringContext<T> {
    const generator: AsyncGenerator<T, void, void> = Reflect.apply(body, this, args);
    if (!isAsyncGenerator(generator)) {
      throw new InvalidArgumentError(
        'asyncContextManager: `body` must be an async generator function (async function*), and a synchronous one is for contextManager.',
      );
    }
    return EnteringContext.of(AsyncManagedContext.enter(generator, enter));
  };
  return Object.assign(wraps(enter, body), { around: aroundIn(enter) });
}

function isAsyncGenerator(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof (value as Partial<AsyncGenerator>).throw === 'function'
  );
}
