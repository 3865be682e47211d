/** What a stack can enter: contexts, whose exit gets the error of the block. */
import type { AsyncExit, Exit } from './run-block.js';
import type { Tracked } from './scope-watch.js';

/** The key of the method by which a stack takes over the end of a context. */
export const takeExit: unique symbol = Symbol('tenure.takeExit');

/** A context that a stack can enter. */
export interface Enterable<T> {
  /** The value of the context. */
  readonly value: T;
  /** @internal */
  [takeExit](): TakenExit<Exit>;
}

/** A context with an asynchronous exit. */
export interface AsyncEnterable<T> {
  /** The value of the context. */
  readonly value: T;
  /** @internal */
  [takeExit](): TakenExit<AsyncExit>;
}

/** The end of a context, for the stack that has entered it. */
export interface TakenExit<E> {
  readonly exit: E;
  /** What is reported of the context. */
  readonly tracked: Tracked | undefined;
}
