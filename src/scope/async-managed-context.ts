/**
 * {@link ManagedContext} over an async generator. Here a second disposal can start while the first is under way. It waits
 * for the first, so that each caller that awaits a disposal knows that the tear-down is over. Only the first disposal reports
 * an error.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { aFunction, checkArgument } from '../core/options.js';
import { ContextEndedError, NeverYieldedError, YieldedTwiceError } from './context-errors.js';
import { keepCause } from './keep-cause.js';
import { suppressing } from './suppressed-error.js';

type AsyncBody<T> = AsyncGenerator<T, void, void>;

/**
 * A value that was set up and has to be torn down. End it with `await using` or with `run`. Made by
 * {@link asyncContextManager}.
 */
export class AsyncManagedContext<T> implements AsyncDisposable {
  /** The value that the body yielded. It stays readable after the end. */
  readonly value: T;
  #body: AsyncBody<T> | undefined;
  #disposing: Promise<void> | undefined = undefined;

  /** @internal */
  private constructor(body: AsyncBody<T>, value: T) {
    this.#body = body;
    this.value = value;
  }

  /** @internal */
  static async enter<T>(body: AsyncBody<T>): Promise<AsyncManagedContext<T>> {
    const first = await body.next();
    if (first.done === true) throw new NeverYieldedError();
    return new AsyncManagedContext(body, first.value);
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
    const body = this.#takeBody();
    if (body === undefined) throw new ContextEndedError();
    let result: Awaited<R>;
    try {
      result = await block(this.value);
    } catch (error) {
      return throwInto(body, error);
    }
    await resume(body);
    return result;
  }

  /**
   * Resumes the body after its yield, as after success, and resolves when it has ended. Without effect while `run` is under
   * way: it ends the context itself. A later disposal waits for the first, and does not report its error again.
   *
   * Rejects with {@link YieldedTwiceError} (`TENURE_CONTEXT_YIELDED_TWICE`) if the body yields again; otherwise with what it
   * throws.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const body = this.#takeBody();
    if (body === undefined) return this.#disposing;
    const disposing = resume(body);
    this.#disposing = disposing.catch(() => {});
    return disposing;
  }

  #takeBody(): AsyncBody<T> | undefined {
    const body = this.#body;
    this.#body = undefined;
    return body;
  }
}

async function resume<T>(body: AsyncBody<T>): Promise<void> {
  if ((await body.next()).done !== true) throw await closed(body, new YieldedTwiceError());
}

async function throwInto<T>(body: AsyncBody<T>, error: unknown): Promise<undefined> {
  let result: IteratorResult<T, void>;
  try {
    result = await body.throw(error);
  } catch (thrown) {
    throw keepCause(thrown, error);
  }
  if (result.done !== true) throw await closed(body, new YieldedTwiceError({ cause: error }));
  return undefined;
}

async function closed<T>(body: AsyncBody<T>, error: YieldedTwiceError): Promise<unknown> {
  try {
    await body.return();
    return error;
  } catch (thrown) {
    return suppressing(thrown, error);
  }
}
