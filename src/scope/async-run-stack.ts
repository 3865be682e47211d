/** {@link RunStack} with asynchronous members. After `contextlib.AsyncExitStack` of Python. */
/// <reference lib="esnext.disposable" preserve="true" />
import { aFunction, checkArgument } from '../core/options.js';
import { type Holder, handOver } from '../core/probe.js';
import { isThenable } from '../core/thenable.js';
import { runAsEndOf, untilEndOf } from './current-ends.js';
import { asyncDisposeMethod } from './dispose-method.js';
import {
  type AsyncEnterable,
  type Enterable,
  type TakenExit,
  takeAsyncExit,
  takeExit,
} from './enterable.js';
import type { EnteringContext } from './entering-context.js';
import {
  type AsyncExit,
  type BlockOutcome,
  type Failure,
  resultOf,
  runBlockAsync,
} from './run-block.js';
import { scopeResources } from './scope-watch.js';
import { StackMembers } from './stack-members.js';
import { unwindAsync } from './unwind.js';

/**
 * Collects contexts and resources, and ends them one after another, the newest first, and awaits each. After `run`, each gets
 * the error of the block.
 *
 * Its methods are those of {@link RunStack}. `enter` also takes the context of an {@link asyncContextManager}, or its promise, and then
 * gives a promise of the value. `use` takes what `await using` takes.
 *
 * @example
 * ```ts
 * import { AsyncRunStack } from 'tenure/scope';
 *
 * const log: string[] = [];
 * {
 *   await using stack = new AsyncRunStack();
 *   stack.defer(async (failure, name: string) => {
 *     log.push(`close ${name}`);
 *   }, 'socket');
 * }
 * log; // => ['close socket']
 * ```
 */
export class AsyncRunStack implements AsyncDisposable, AsyncEnterable<AsyncRunStack> {
  readonly #members: StackMembers<AsyncExit>;
  #ending: Promise<unknown> | undefined = undefined;
  /** Whether a member is being called that ends with the stack. It tells of this in a host without an async context, too. */
  #isInExit = false;

  /** Makes an empty stack. */
  constructor() {
    const tracked = scopeResources.opened('stack', scopeResources.origin(AsyncRunStack), this);
    this.#members = new StackMembers('AsyncRunStack', tracked);
  }

  /** Whether the stack has ended or was moved. */
  get disposed(): boolean {
    return this.#members.haveEnded;
  }

  /**
   * Adds a context, and gives its value, or a promise of its value if it is asynchronous.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the context or the stack has ended; an asynchronous one rejects
   * with it. A stack that has ended ends the context at once.
   */
  enter<T>(context: Enterable<T>): T;
  enter<T>(context: AsyncEnterable<T> | EnteringContext<T>): Promise<T>;
  enter<T>(context: Enterable<T> | AsyncEnterable<T> | EnteringContext<T>): T | Promise<T> {
    if (isThenable(context)) return context.then((entered) => this.#enter(entered));
    return isAsync(context) ? this.#enterAsync(context) : this.#enter(context);
  }

  /**
   * Adds a resource that is disposable, asynchronously or not, and gives it back.
   *
   * @throws `TypeError` if it has neither `[Symbol.asyncDispose]` nor `[Symbol.dispose]`.
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended. The resource is then disposed of at once.
   */
  use<T extends AsyncDisposable | Disposable | null | undefined>(resource: T): T {
    if (resource === null || resource === undefined) {
      this.#members.expectOpen();
      return resource;
    }
    const method = asyncDisposeMethod(resource);
    const dispose = (): unknown => Reflect.apply(method, resource, []);
    this.#members.add(neverHandling(dispose));
    this.#members.holdLoanOf(resource);
    return resource;
  }

  /**
   * Adds a value that `onDispose` disposes of, and gives it back.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended. The value is then disposed of at once.
   */
  adopt<T>(value: T, onDispose: (value: T, failure: Failure | undefined) => unknown): T {
    checkArgument('AsyncRunStack.adopt', 'onDispose', onDispose, aFunction);
    this.#members.add(neverHandling((failure) => onDispose(value, failure)));
    this.#members.holdLoanOf(value);
    return value;
  }

  /**
   * Adds a callback. It is called with the failure of the block, or `undefined`, and with `args`, and awaited. Its result does not
   * matter.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended. The callback is then called at once.
   */
  defer<A extends unknown[]>(
    fn: (failure: Failure | undefined, ...args: A) => unknown,
    ...args: A
  ): void {
    checkArgument('AsyncRunStack.defer', 'fn', fn, aFunction);
    this.#members.add(neverHandling((failure) => fn(failure, ...args)));
  }

  /**
   * Adds a callback that can handle the failure: it does if it returns or resolves to `true`, and nothing else.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended. The callback is then called at once.
   */
  push(exit: (failure: Failure | undefined) => unknown): void {
    checkArgument('AsyncRunStack.push', 'exit', exit, aFunction);
    this.#members.add(async (failure) => (await exit(failure)) === true);
  }

  /**
   * Moves all members to a new stack. This one has ended then.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended.
   */
  move(): AsyncRunStack {
    this.#members.expectOpen();
    const heir = new AsyncRunStack();
    this.#members.moveTo(heir.#members);
    return heir;
  }

  /**
   * Calls `block` with the stack, awaits it, then ends all members and gives them an error of the block. Gives the result of the
   * block, or `undefined` if a member has handled its error. Waits for an end that another caller has begun.
   *
   * Rejects with {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended.
   */
  async run<R>(block: (stack: this) => R): Promise<Awaited<R> | undefined> {
    return resultOf(await this.outcome(block));
  }

  /** Does what {@link run} does, and tells a handled error from a block that gave `undefined`. */
  async outcome<R>(block: (stack: this) => R): Promise<BlockOutcome<Awaited<R>>> {
    checkArgument('AsyncRunStack.run', 'block', block, aFunction);
    this.#members.expectOpen();
    return runBlockAsync(
      () => block(this),
      (failure) => this.#end(failure),
    );
  }

  /** Tells the watchdog over `scopeResources` that `to` holds the stack from now on, with what is in it. `watchdog.handOver()` calls it. */
  [handOver](to: Holder): void {
    this.#members.tracked?.handOver(to);
  }

  /**
   * Ends all members, as after success, and resolves when the last has ended. If the stack is being ended, waits for that. A member that
   * calls it does not wait for itself. Where the host has no async context, it has to call it before its first `await`. Rejects with what a
   * member throws.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end(undefined);
  }

  /** @hidden */
  [takeExit](): TakenExit<AsyncExit> {
    this.#members.expectOpen();
    return { exit: (failure) => this.#end(failure), tracked: this.#members.tracked };
  }

  /** Itself, so that a stack can be entered into another. */
  get value(): this {
    return this;
  }

  async #end(failure: Failure | undefined): Promise<boolean> {
    const exits = this.#members.takeAll();
    if (exits === undefined) {
      if (!this.#isInExit) await untilEndOf(this, this.#ending);
      return false;
    }
    const calls = exits.map(
      (exit): AsyncExit =>
        (given) =>
          this.#call(exit, given),
    );
    const end = (): Promise<boolean> => unwindAsync(calls, failure);
    const ending = runAsEndOf([this], end).finally(() => this.#members.ended());
    this.#ending = ending.catch(() => {});
    return ending;
  }

  #call(exit: AsyncExit, failure: Failure | undefined): ReturnType<AsyncExit> {
    this.#isInExit = true;
    try {
      return exit(failure);
    } finally {
      this.#isInExit = false;
    }
  }

  async #enterAsync<T>(context: Enterable<T> | AsyncEnterable<T>): Promise<T> {
    return this.#enter(context);
  }

  #enter<T>(context: Enterable<T> | AsyncEnterable<T>): T {
    const { exit, tracked } = takeAsyncExit('AsyncRunStack.enter', context);
    this.#members.add(exit, tracked);
    return context.value;
  }
}

/**
 * Calls `block` with a new {@link AsyncRunStack} and awaits it, then ends what the block has put into it, one after another, the newest
 * first. Each member gets the error of the block, and can handle it. Gives the result of the block, or `undefined` if its error
 * was handled; use {@link AsyncRunStack.outcome} to tell the two apart.
 *
 * Rejects with what the block throws, unless a member handles it or throws another error in its place.
 *
 * @example
 * ```ts
 * import { asyncContextManager, runWithAsync } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const connection = asyncContextManager(async function* (host: string) {
 *   yield host;
 *   log.push(`close ${host}`);
 * });
 * await runWithAsync(async (stack) => {
 *   const from = await stack.enter(connection('db1'));
 *   const to = await stack.enter(connection('db2'));
 *   return `${from} to ${to}`;
 * }); // => 'db1 to db2'
 * log; // => ['close db2', 'close db1']
 * ```
 */
export async function runWithAsync<R>(
  block: (stack: AsyncRunStack) => R,
): Promise<Awaited<R> | undefined> {
  checkArgument('runWithAsync', 'block', block, aFunction);
  return new AsyncRunStack().run(block);
}

function isAsync(context: unknown): boolean {
  return Symbol.asyncDispose in Object(context);
}

function neverHandling(call: (failure: Failure | undefined) => unknown): AsyncExit {
  return async (failure) => {
    await call(failure);
    return false;
  };
}
