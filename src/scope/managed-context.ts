/**
 * One run of a context manager's body: set up when it is made, torn down once.
 *
 * | ended by | the body |
 * |---|---|
 * | `using` | resumes as after success, since a disposable is not told how its block ended |
 * | `run`, `outcome`, a stack | gets the error of the block thrown in at its yield, as with Python's `with` |
 *
 * The first of them takes the generator out of the handle, so the body cannot be ended twice.
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { aFunction, checkArgument } from '../core/options.js';
import type { EntryPoint } from '../core/probe.js';
import { ContextEndedError, NeverYieldedError, YieldedTwiceError } from './context-errors.js';
import { type Enterable, type TakenExit, takeExit } from './enterable.js';
import { keepCause } from './keep-cause.js';
import {
  type Exit,
  type Failure,
  type OutcomeOf,
  type RunOutcome,
  runBlock,
  runOutcomeOf,
} from './run-block.js';
import { scopeResources, type Tracked } from './scope-watch.js';
import { suppressing } from './suppressed-error.js';

type Body<T> = Generator<T, void, void>;

/** How often a body that yields while it is closed is resumed. */
const MAX_YIELDS = 100;

/** A value that was set up and has to be torn down. End it with `using` or with `run`. Made by {@link contextManager}. */
export class ManagedContext<T> implements Disposable, Enterable<T> {
  /** The value that the body yielded. It stays readable after the end. */
  readonly value: T;
  #body: Body<T> | undefined;
  readonly #tracked: Tracked | undefined;

  /** @internal */
  constructor(body: Body<T>, entry: EntryPoint) {
    const first = body.next();
    if (first.done === true) throw new NeverYieldedError();
    this.value = first.value;
    this.#body = body;
    this.#tracked = scopeResources.opened('context', scopeResources.origin(entry), this);
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
    return runOutcomeOf<R>(this.#runIn('run', block));
  }

  /**
   * Does what {@link run} does, and tells a handled error from a block that gave `undefined`.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the context was run or disposed of before.
   * @throws {@link YieldedTwiceError} (`TENURE_CONTEXT_YIELDED_TWICE`) if the body yields again.
   *
   * @example
   * ```ts
   * import { contextManager } from 'tenure/scope';
   *
   * const ignoring = contextManager(function* () {
   *   try {
   *     yield 'value';
   *   } catch {}
   * });
   * ignoring().outcome(() => undefined); // => { handled: false, value: undefined }
   * const outcome = ignoring().outcome(() => {
   *   throw new RangeError('too far');
   * });
   * outcome.handled; // => true
   * ```
   */
  outcome<R>(block: (value: T) => R): OutcomeOf<R> {
    return this.#runIn('outcome', block);
  }

  /**
   * Resumes the body after its yield, as after success. Without effect if the context has ended, or while `run` is under way:
   * it ends the context itself.
   *
   * @throws {@link YieldedTwiceError} (`TENURE_CONTEXT_YIELDED_TWICE`) if the body yields again; otherwise what it throws.
   */
  [Symbol.dispose](): void {
    if (this.#body !== undefined) this[takeExit]().exit(undefined);
  }

  /** @hidden */
  [takeExit](): TakenExit<Exit> {
    const body = this.#body;
    if (body === undefined) throw new ContextEndedError();
    this.#body = undefined;
    const exit: Exit = (failure) => {
      this.#tracked?.ended();
      return endBody(body, failure);
    };
    return { exit, tracked: this.#tracked };
  }

  #runIn<R>(where: string, block: (value: T) => R): OutcomeOf<R> {
    checkArgument(where, 'block', block, aFunction);
    const { exit } = this[takeExit]();
    return runBlock(() => block(this.value), exit);
  }
}

/** Resumes a body after its yield. Gives true if it has handled the failure. */
function endBody<T>(body: Body<T>, failure: Failure | undefined): boolean {
  if (failure === undefined) {
    if (body.next().done !== true) throw closed(body, new YieldedTwiceError());
    return false;
  }
  let result: IteratorResult<T, void>;
  try {
    result = body.throw(failure.error);
  } catch (thrown) {
    throw keepCause(thrown, failure.error);
  }
  if (result.done !== true) throw closed(body, new YieldedTwiceError({ cause: failure.error }));
  return true;
}

function closed<T>(body: Body<T>, error: YieldedTwiceError): unknown {
  try {
    let result = body.return();
    for (let yields = 0; result.done !== true && yields < MAX_YIELDS; yields++) {
      result = body.next(); // It yields within `finally`.
    }
    return error;
  } catch (thrown) {
    return suppressing(thrown, error);
  }
}
