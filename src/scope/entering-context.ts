/** The promise of an async context, with the methods of the context. */
/// <reference lib="esnext.disposable" preserve="true" />
import { InvalidArgumentError } from '../core/errors.js';
import { guardedCall } from '../core/guarded-call.js';
import { aFunction, checkArgument } from '../core/options.js';
import type { AsyncManagedContext } from './async-managed-context.js';
import type { BlockOutcome } from './run-block.js';

/** A promise of an {@link AsyncManagedContext}, which can be run without waiting for it first. Made by {@link asyncContextManager}. */
export class EnteringContext<T> extends Promise<AsyncManagedContext<T>> {
  /** Promises that `then` makes are plain ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  static {
    // It is not declared, so that TypeScript refuses `await using` without the inner `await` too.
    Object.defineProperty(EnteringContext.prototype, Symbol.asyncDispose, {
      get(this: EnteringContext<unknown>): never {
        // The block never gets the context, so no other code would end it.
        void guardedCall('an async context', () =>
          this.then((context) => context.outcome(() => {})),
        );
        throw new InvalidArgumentError(
          'An async context is set up by a promise: write `await using name = await manager(…)`, with the inner `await`, or `await manager(…).run(block)`.',
        );
      },
      configurable: true,
    });
  }

  /** @internal */
  static of<T>(context: Promise<AsyncManagedContext<T>>): EnteringContext<T> {
    return new EnteringContext<T>((resolve) => resolve(context));
  }

  /**
   * Waits for the context and runs `block` in it. See {@link AsyncManagedContext.run}.
   *
   * @example
   * ```ts
   * import { asyncContextManager } from 'tenure/scope';
   *
   * const session = asyncContextManager(async function* (user: string) {
   *   yield { user };
   * });
   * await session('ada').run(({ user }) => user); // => 'ada'
   * ```
   */
  async run<R>(block: (value: T) => R): Promise<Awaited<R> | undefined> {
    const context = await this;
    return context.run(block);
  }

  /** Waits for the context and runs `block` in it. See {@link AsyncManagedContext.outcome}. */
  async outcome<R>(block: (value: T) => R): Promise<BlockOutcome<Awaited<R>>> {
    checkArgument('outcome', 'block', block, aFunction);
    const context = await this;
    return context.outcome(block);
  }
}
