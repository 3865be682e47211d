/** The members of a stack: how each is ended. What is the same for synchronous and asynchronous stacks. */
import { guardedCall } from '../core/guarded-call.js';
import { handOver, isTransferable } from '../core/probe.js';
import { ContextEndedError } from './context-errors.js';
import type { Tracked } from './scope-watch.js';

/** The exits of a stack's members, the newest last, until the stack has ended. */
export class StackMembers<E extends (failure: undefined) => unknown> {
  readonly #stackName: string;
  readonly tracked: Tracked | undefined;
  #exits: E[] | undefined = [];

  /** `stackName` is for errors, `tracked` the stack's node in the observer's heap. */
  constructor(stackName: string, tracked: Tracked | undefined) {
    this.#stackName = stackName;
    this.tracked = tracked;
  }

  /** Whether the stack has ended or was moved. */
  get haveEnded(): boolean {
    return this.#exits === undefined;
  }

  /**
   * Adds an exit. On a stack that has ended it calls it, since no other code would end the member. An error of it is printed.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended.
   */
  add(exit: E, tracked?: Tracked): void {
    if (this.#exits === undefined) {
      guardedCall(`a member of the ${this.#stackName}, which has ended`, () => exit(undefined));
    }
    this.expectOpen().push(exit);
    this.tracked?.holds(tracked);
  }

  /**
   * Gives the exits.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended.
   */
  expectOpen(): E[] {
    if (this.#exits === undefined) {
      throw new ContextEndedError(`The ${this.#stackName} has ended or was moved. Make a new one.`);
    }
    return this.#exits;
  }

  /** Ends the stack and gives the exits, which the caller runs; `undefined` if it has ended already. */
  takeAll(): E[] | undefined {
    const exits = this.#exits;
    this.#exits = undefined;
    return exits;
  }

  /** Reports the end of the stack, when its members have ended: until then it holds their loans. */
  ended(): void {
    this.tracked?.ended();
  }

  /** Reports that the stack holds the loan that `member` ends, if it is the end of one. */
  holdLoanOf(member: unknown): void {
    const { tracked } = this;
    if (tracked === undefined) return;
    guardedCall('the hand-over of a member of a stack', () => {
      if (isTransferable(member)) member[handOver](tracked);
    });
  }

  /** Gives all members and their loans to the stack that this one is moved to. */
  moveTo(heir: StackMembers<E>): void {
    const exits = this.expectOpen();
    this.#exits = undefined;
    heir.#exits = exits;
    if (heir.tracked !== undefined) this.tracked?.passOn(heir.tracked);
    this.ended();
  }
}
