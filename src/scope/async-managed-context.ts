/**
 * {@link ManagedContext} over an async generator. Here a second disposal can start while the first is under way. It waits
 * for the first, so that each caller that awaits a disposal knows that the tear-down is over. Only the first disposal reports
 * an error.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { aFunction, checkArgument } from '../core/options.js';
import type { EntryPoint, Origin } from '../core/probe.js';
import { ContextEndedError, NeverYieldedError, YieldedTwiceError } from './context-errors.js';
import { type AsyncEnterable, type TakenExit, takeExit } from './enterable.js';
import { keepCause } from './keep-cause.js';
import {
  type AsyncExit,
  type BlockOutcome,
  type Failure,
  resultOf,
  runBlockAsync,
} from './run-block.js';
import { scopeResources, type Tracked } from './scope-watch.js';
import { suppressing } from './suppressed-error.js';

type AsyncBody<T> = AsyncGenerator<T, void, void>;

/** How often a body that yields while it is closed is resumed. */
const MAX_YIELDS = 100;

/**
 * A value that was set up and has to be torn down. End it with `await using` or with `run`. Made by
 * {@link asyncContextManager}.
 */
export class AsyncManagedContext<T> implements AsyncDisposable, AsyncEnterable<T> {
  /** The value that the body yielded. It stays readable after the end. */
  readonly value: T;
  #body: AsyncBody<T> | undefined;
  #disposing: Promise<unknown> | undefined = undefined;
  readonly #tracked: Tracked | undefined;

  /** @internal */
  private constructor(body: AsyncBody<T>, value: T, origin: Origin | undefined) {
    this.#body = body;
    this.value = value;
    this.#tracked = scopeResources.opened('context', origin, this);
  }

  /** @internal */
  static async enter<T>(body: AsyncBody<T>, entry: EntryPoint): Promise<AsyncManagedContext<T>> {
    const origin = scopeResources.origin(entry);
    const first = await body.next();
    if (first.done === true) throw new NeverYieldedError();
    return new AsyncManagedContext(body, first.value, origin);
  }

  /**
   * Calls `block` with the value, then ends the context: the code after the body's yield runs.
   *
   * An error of the block is thrown into the body, at its yield. What the body does decides the outcome:
   *
   * | the body | `run` |
   * |---|---|
   * | lets the error pass | rejects with it |
   * | throws another error | rejects with that one, with the error of the block as its `cause` unless it has one |
   * | handles the error and ends | gives `undefined` |
   *
   * Rejects with {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the context was run or disposed of before, and
   * with {@link YieldedTwiceError} (`TENURE_CONTEXT_YIELDED_TWICE`) if the body yields again.
   *
   * @example
   * ```ts
   * import { asyncContextManager } from 'tenure/scope';
   *
   * const log: string[] = [];
   * const connection = asyncContextManager(async function* (host: string) {
   *   try {
   *     yield { query: async (sql: string) => `${sql} on ${host}` };
   *   } finally {
   *     log.push(`closed ${host}`);
   *   }
   * });
   * const db = await connection('db1');
   * await db.run((it) => it.query('select 1')); // => 'select 1 on db1'
   * log; // => ['closed db1']
   * ```
   */
  async run<R>(block: (value: T) => R): Promise<Awaited<R> | undefined> {
    checkArgument('run', 'block', block, aFunction);
    return resultOf(await this.outcome(block));
  }

  /**
   * Does what {@link run} does, and tells a handled error from a block that gave `undefined`: gives `{ handled: true, error }` or
   * `{ handled: false, value }`.
   */
  async outcome<R>(block: (value: T) => R): Promise<BlockOutcome<Awaited<R>>> {
    checkArgument('outcome', 'block', block, aFunction);
    const { exit } = this[takeExit]();
    return runBlockAsync(() => block(this.value), exit);
  }

  /**
   * Resumes the body after its yield, as after success, and resolves when it has ended. Without effect while `run` is under
   * way: it ends the context itself. A later disposal waits for the first, and does not report its error again.
   *
   * Rejects with {@link YieldedTwiceError} (`TENURE_CONTEXT_YIELDED_TWICE`) if the body yields again; otherwise with what it
   * throws.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#body === undefined) {
      await this.#disposing;
      return;
    }
    const disposing = Promise.resolve(this[takeExit]().exit(undefined));
    this.#disposing = disposing.catch(() => {});
    await disposing;
  }

  /** @hidden */
  [takeExit](): TakenExit<AsyncExit> {
    const body = this.#body;
    if (body === undefined) throw new ContextEndedError();
    this.#body = undefined;
    const exit: AsyncExit = (failure) => {
      this.#tracked?.ended();
      return endBody(body, failure);
    };
    return { exit, tracked: this.#tracked };
  }
}

/** Resumes a body after its yield. Gives true if it has handled the failure. */
async function endBody<T>(body: AsyncBody<T>, failure: Failure | undefined): Promise<boolean> {
  if (failure === undefined) {
    if ((await body.next()).done !== true) throw await closed(body, new YieldedTwiceError());
    return false;
  }
  let result: IteratorResult<T, void>;
  try {
    result = await body.throw(failure.error);
  } catch (thrown) {
    throw keepCause(thrown, failure.error);
  }
  if (result.done !== true) {
    throw await closed(body, new YieldedTwiceError({ cause: failure.error }));
  }
  return true;
}

async function closed<T>(body: AsyncBody<T>, error: YieldedTwiceError): Promise<unknown> {
  try {
    let result = await body.return();
    for (let yields = 0; result.done !== true && yields < MAX_YIELDS; yields++) {
      result = await body.next(); // It yields within `finally`.
    }
    return error;
  } catch (thrown) {
    return suppressing(thrown, error);
  }
}
