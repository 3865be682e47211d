/**
 * A stack whose members see the error of the block. `using` cannot do that: it does not tell a disposable how its block has
 * ended. Committing or rolling back several resources needs it. After `contextlib.ExitStack` of Python.
 *
 * | | `DisposableStack` | `RunStack` |
 * |---|---|---|
 * | members are told of the block's error | no | yes, after `run` |
 * | a member can handle the error | no | yes |
 * | an error of a member | `SuppressedError` | takes the place of the error before it, which becomes its `cause` |
 */
/// <reference lib="esnext.disposable" preserve="true" />
import { guardedCall } from '../core/guarded-call.js';
import { aFunction, checkArgument } from '../core/options.js';
import { type Holder, handOver } from '../core/probe.js';
import { disposeSync, syncDisposeMethod } from './dispose-method.js';
import { type Enterable, takeExit, takeSyncExit } from './enterable.js';
import {
  type Exit,
  type Failure,
  type OutcomeOf,
  type RunOutcome,
  runBlock,
  runOutcomeOf,
} from './run-block.js';
import { scopeResources, type Tracked } from './scope-watch.js';
import { StackMembers } from './stack-members.js';
import { unwind } from './unwind.js';

/**
 * Collects contexts and resources, and ends them together, the newest first. After `run`, each gets the error of the block.
 *
 * | method | effect |
 * |---|---|
 * | `enter(context)` | adds a context, whose body gets the error at its yield; gives its value |
 * | `use(resource)` | adds a disposable; takes `null` and `undefined` too |
 * | `adopt(value, onDispose)` | adds a value that is not disposable itself |
 * | `defer(fn, ...args)` | adds a callback, which is called with the failure, or `undefined`, and the arguments |
 * | `push(exit)` | adds a callback that handles the failure if it returns `true` |
 * | `move()` | moves all members to a new stack, which outlives the block |
 *
 * If a member handles the error, the members below see a success. If a member throws, the members below see that error, and the
 * error before it becomes its `cause`. Adding is O(1).
 *
 * @example
 * ```ts
 * import { RunStack } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const stack = new RunStack();
 * stack.defer((failure) => log.push(failure === undefined ? 'commit' : 'roll back'));
 * try {
 *   stack.run(() => {
 *     throw new Error('duplicate key');
 *   });
 * } catch {}
 * log; // => ['roll back']
 * ```
 */
export class RunStack implements Disposable {
  readonly #members: StackMembers<Exit>;

  /** Makes an empty stack. */
  constructor() {
    const tracked = scopeResources.opened('stack', scopeResources.origin(RunStack), this);
    this.#members = new StackMembers('RunStack', tracked);
  }

  /** Whether the stack has ended or was moved. */
  get disposed(): boolean {
    return this.#members.haveEnded;
  }

  /**
   * Adds a context and gives its value. The stack ends it.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the context or the stack has ended. A stack that has ended ends
   * the context at once.
   */
  enter<T>(context: Enterable<T>): T {
    const { exit, tracked } = takeSyncExit('RunStack.enter', context);
    this.#members.add(exit, tracked);
    return context.value;
  }

  /**
   * Adds a disposable and gives it back.
   *
   * @throws `TypeError` if it has no `[Symbol.dispose]`.
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended. The resource is then disposed of at once.
   */
  use<T extends Disposable | null | undefined>(resource: T): T {
    if (resource === null || resource === undefined) {
      this.#members.expectOpen();
      return resource;
    }
    const method = syncDisposeMethod(resource);
    const dispose = (): void => disposeSync(resource, method);
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
    checkArgument('RunStack.adopt', 'onDispose', onDispose, aFunction);
    this.#members.add(neverHandling((failure) => onDispose(value, failure)));
    this.#members.holdLoanOf(value);
    return value;
  }

  /**
   * Adds a callback. It is called with the failure of the block, or `undefined`, and with `args`. Its result does not matter.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended. The callback is then called at once.
   */
  defer<A extends unknown[]>(
    fn: (failure: Failure | undefined, ...args: A) => unknown,
    ...args: A
  ): void {
    checkArgument('RunStack.defer', 'fn', fn, aFunction);
    this.#members.add(neverHandling((failure) => fn(failure, ...args)));
  }

  /**
   * Adds a callback that can handle the failure: it does if it returns `true`, and nothing else.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended. The callback is then called at once.
   */
  push(exit: (failure: Failure | undefined) => unknown): void {
    checkArgument('RunStack.push', 'exit', exit, aFunction);
    this.#members.add((failure) => resultOfMember(exit(failure)) === true);
  }

  /**
   * Moves all members to a new stack. This one has ended then.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended.
   */
  move(): RunStack {
    this.#members.expectOpen();
    const heir = new RunStack();
    this.#members.moveTo(heir.#members);
    return heir;
  }

  /**
   * Calls `block` with the stack, then ends all members and gives them an error of the block. If the block returns a promise, they
   * are ended when that settles. Gives the result of the block, or `undefined` if a member has handled its error.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended.
   */
  run<R>(block: (stack: this) => R): RunOutcome<R> {
    return runOutcomeOf<R>(this.outcome(block));
  }

  /** Does what {@link run} does, and tells a handled error from a block that gave `undefined`. */
  outcome<R>(block: (stack: this) => R): OutcomeOf<R> {
    checkArgument('RunStack.run', 'block', block, aFunction);
    this.#members.expectOpen();
    return runBlock(
      () => block(this),
      (failure) => this.#end(failure),
    );
  }

  /** Tells the watchdog over `scopeResources` that `to` holds the stack from now on, with what is in it. `watchdog.handOver()` calls it. */
  [handOver](to: Holder): void {
    this.#members.tracked?.handOver(to);
  }

  /** Ends all members, as after success. Without effect if the stack has ended. Throws what a member throws. */
  [Symbol.dispose](): void {
    this.#end(undefined);
  }

  /** @hidden */
  [takeExit](): { exit: Exit; tracked: Tracked | undefined } {
    this.#members.expectOpen();
    return { exit: (failure) => this.#end(failure), tracked: this.#members.tracked };
  }

  /** Itself, so that a stack can be entered into another. */
  get value(): this {
    return this;
  }

  #end(failure: Failure | undefined): boolean {
    const exits = this.#members.takeAll();
    if (exits === undefined) return false;
    try {
      return unwind(exits, failure);
    } finally {
      this.#members.ended();
    }
  }
}

/**
 * Calls `block` with a new {@link RunStack}, then ends what the block has put into it, the newest first. Each member gets the
 * error of the block, and can handle it. Gives the result of the block, or `undefined` if its error was handled; use
 * {@link RunStack.outcome} to tell the two apart.
 *
 * Throws what the block throws, unless a member handles it or throws another error in its place.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) if `block` is no function.
 *
 * @example
 * ```ts
 * import { contextManager, runWith } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const transaction = contextManager(function* (name: string) {
 *   try {
 *     yield name;
 *     log.push(`commit ${name}`);
 *   } catch (error) {
 *     log.push(`roll back ${name}`);
 *     throw error;
 *   }
 * });
 * runWith((stack) => {
 *   stack.enter(transaction('orders'));
 *   stack.enter(transaction('payments'));
 *   return 'paid';
 * }); // => 'paid'
 * log; // => ['commit payments', 'commit orders']
 * ```
 */
export function runWith<R>(block: (stack: RunStack) => R): RunOutcome<R> {
  checkArgument('runWith', 'block', block, aFunction);
  return new RunStack().run(block);
}

function neverHandling(call: (failure: Failure | undefined) => unknown): Exit {
  return (failure) => {
    resultOfMember(call(failure));
    return false;
  };
}

/** Gives the result of a member. The rejection of a promise is printed, because a synchronous stack does not await it. */
function resultOfMember(result: unknown): unknown {
  return guardedCall('a member of a RunStack', () => result);
}
