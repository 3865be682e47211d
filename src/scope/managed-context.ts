/**
 * One run of a context manager's body: set up when it is made, torn down once.
 *
 * | ended by | the body |
 * |---|---|
 * | `using` | resumes as after success, since a disposable is not told how its block ended |
 * | `run` | gets the error of the block thrown in at its yield, as with Python's `with` |
 *
 * The first of the two takes the generator out of the handle, so the body cannot be ended twice.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { aFunction, checkArgument } from '../core/options.js';
import { isThenable } from '../core/thenable.js';
import { ContextEndedError, NeverYieldedError, YieldedTwiceError } from './context-errors.js';
import { keepCause } from './keep-cause.js';
import { suppressing } from './suppressed-error.js';

/**
 * The result of {@link ManagedContext.run}: the result of the block, or `undefined` if the block failed and the body handled
 * the error. A promise if the block returns one.
 */
export type RunOutcome<R> = [R] extends [never]
  ? undefined
  : R extends PromiseLike<infer V>
    ? Promise<V | undefined>
    : R | undefined;

type Body<T> = Generator<T, void, void>;

/** A value that was set up and has to be torn down. End it with `using` or with `run`. Made by {@link contextManager}. */
export class ManagedContext<T> implements Disposable {
  /** The value that the body yielded. It stays readable after the end. */
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
   * Calls `block` with the value, then ends the context: the code after the body's yield runs. If the block returns a
   * promise, the context ends when that settles.
   *
   * An error of the block is thrown into the body, at its yield. What the body does decides the outcome:
   *
   * | the body | `run` |
   * |---|---|
   * | lets the error pass | throws it |
   * | throws another error | throws that one, with the error of the block as its `cause` unless it has one |
   * | handles the error and ends | gives `undefined` |
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
    const body = this.#takeBody();
    if (body === undefined) throw new ContextEndedError();
    return runIn(body, block, this.value) as RunOutcome<R>;
  }

  /**
   * Resumes the body after its yield, as after success. Without effect if the context has ended, or while `run` is under way:
   * it ends the context itself.
   *
   * @throws {@link YieldedTwiceError} (`TENURE_CONTEXT_YIELDED_TWICE`) if the body yields again; otherwise what it throws.
   */
  [Symbol.dispose](): void {
    const body = this.#takeBody();
    if (body !== undefined) resume(body);
  }

  #takeBody(): Body<T> | undefined {
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
