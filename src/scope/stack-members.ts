/** The members of a stack: how each is ended. What is the same for synchronous and asynchronous stacks. */
import { ContextEndedError } from './context-errors.js';
import type { Tracked } from './scope-watch.js';

/** The exits of a stack's members, the newest last, until the stack has ended. */
export class StackMembers<E> {
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
   * Adds an exit. On a stack that has ended it calls `release`, since no other code would end the member.
   *
   * @throws {@link ContextEndedError} (`TENURE_CONTEXT_ENDED`) if the stack has ended.
   */
  add(exit: E, tracked?: Tracked, release?: () => unknown): void {
    if (this.#exits === undefined) release?.();
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
    if (exits === undefined) return undefined;
    this.#exits = undefined;
    this.tracked?.ended();
    return exits;
  }

  /** Takes over the exits of a stack that was moved. */
  inherit(exits: E[]): void {
    this.#exits = exits;
    for (const _ of exits) this.tracked?.holds(undefined);
  }
}
