/// <reference lib="esnext.disposable" preserve="true" />
/**
 * One passage through a context manager's body: set up when made, torn down once.
 *
 * `using` tells a disposable nothing of how its block ended, so disposal can only resume the body as after success.
 * `run` knows: it throws the error of its block in at the yield, as Python's `with` does. Whichever comes first takes
 * the generator out of the handle, and with it the duty to end it, so nothing can end it twice.
 */
import { aFunction, checkArgument } from '../core/options.js';
import { isThenable } from '../core/thenable.js';
import { ContextEndedError, NeverYieldedError, YieldedTwiceError } from './context-errors.js';
import { keepCause } from './keep-cause.js';
import { suppressing } from './suppressed-error.js';

/**
 * What `run` of a {@link ManagedContext} gives: the block's own result, or `undefined` when the block failed and the
 * manager handled the error. A block that returns a promise gives a promise.
 */
export type RunOutcome<R> = [R] extends [never]
  ? undefined
  : R extends PromiseLike<infer V>
    ? Promise<V | undefined>
    : R | undefined;

type Body<T> = Generator<T, void, void>;

/**
 * A value and the duty to tear down what was set up for it. End it with `using`, or hand a block to `run`. Made by
 * {@link contextManager}.
 */
export class ManagedContext<T> implements Disposable {
  /** What the body yielded. It stays readable after the end. */
  readonly value: T;
  #body: Body<T> | undefined;

  /** @internal */
  constructor(body: Body<T>) {
    const first = body.next();
    if (first.done === true) throw new NeverYieldedError();
    this.value = first.value;
    this.#body = body;
  }

  /**
   * Calls `block` with the value and then ends the context, once: what comes after the body's yield runs. A block that
   * returns a promise keeps the context open until it has settled.
   *
   * An error of the block is thrown into the body, at its yield. If the body lets it pass, `run` throws it. If the body
   * throws another, `run` throws that, with the block's error as its `cause` unless it has one. If the body handles it
   * and ends, `run` gives `undefined`.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the context was run or disposed of before.
   * @throws {@link YieldedTwiceError} (`TENURE_CONTEXT_YIELDED_TWICE`) if the body yields again.
   *
   * @example
   * ```ts
   * import { contextManager } from 'tenure/scope';
   *
   * const transaction = contextManager(function* (log: string[]) {
   *   try {
   *     yield log;
   *     log.push('commit');
   *   } catch (error) {
   *     log.push('roll back');
   *     throw error;
   *   }
   * });
   * transaction([]).run((log) => log.concat('insert')); // => ['insert']
   * const log: string[] = [];
   * try {
   *   transaction(log).run(() => {
   *     throw new Error('duplicate key');
   *   });
   * } catch {}
   * log; // => ['roll back']
   * ```
   */
  run<R>(block: (value: T) => R): RunOutcome<R> {
    checkArgument('run', 'block', block, aFunction);
    const body = this.#take();
    if (body === undefined) throw new ContextEndedError();
    return runIn(body, block, this.value) as RunOutcome<R>;
  }

  /**
   * Resumes the body after its yield, as after success. Does nothing if the context has ended, or while `run` is under
   * way, which ends it itself.
   *
   * @throws {@link YieldedTwiceError} (`TENURE_CONTEXT_YIELDED_TWICE`) if the body yields again; else what it throws.
   */
  [Symbol.dispose](): void {
    const body = this.#take();
    if (body !== undefined) resume(body);
  }

  #take(): Body<T> | undefined {
    const body = this.#body;
    this.#body = undefined;
    return body;
  }
}

function runIn<T, R>(body: Body<T>, block: (value: T) => R, value: T): unknown {
  let result: R;
  try {
    result = block(value);
  } catch (error) {
    return throwInto(body, error);
  }
  if (isThenable(result)) return endAfter(body, result);
  resume(body);
  return result;
}

async function endAfter<T>(body: Body<T>, pending: PromiseLike<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await pending;
  } catch (error) {
    return throwInto(body, error);
  }
  resume(body);
  return result;
}

function resume<T>(body: Body<T>): void {
  if (body.next().done !== true) throw closed(body, new YieldedTwiceError());
}

function throwInto<T>(body: Body<T>, error: unknown): undefined {
  let result: IteratorResult<T, void>;
  try {
    result = body.throw(error);
  } catch (thrown) {
    throw keepCause(thrown, error);
  }
  if (result.done !== true) throw closed(body, new YieldedTwiceError({ cause: error }));
  return undefined;
}

function closed<T>(body: Body<T>, error: YieldedTwiceError): unknown {
  try {
    body.return();
    return error;
  } catch (thrown) {
    return suppressing(thrown, error);
  }
}
