/** What a stack can enter: contexts, whose exit gets the error of the block. */
import { InvalidArgumentError } from '../core/errors.js';
import type { AsyncExit, Exit } from './run-block.js';
import type { Tracked } from './scope-watch.js';

/**
 * The key of the method by which a stack takes over the end of a context. It is registered with `Symbol.for`: the two may be of different
 * copies of this package.
 */
export const takeExit: unique symbol = Symbol.for('tenure.takeExit') as never;

/** A context that a stack can enter. */
export interface Enterable<T> {
  /** The value of the context. */
  readonly value: T;
  /** @hidden */
  [takeExit](): TakenExit<Exit>;
}

/** A context with an asynchronous exit. */
export interface AsyncEnterable<T> {
  /** The value of the context. */
  readonly value: T;
  /** @hidden */
  [takeExit](): TakenExit<AsyncExit>;
}

/** The end of a context, for the stack that has entered it. */
export interface TakenExit<E> {
  readonly exit: E;
  /** What is reported of the context. */
  readonly tracked: Tracked | undefined;
}

/** Takes over the end of a context, for a stack that awaits it. Throws {@link InvalidArgumentError} if it is no context. */
export function takeAsyncExit<T>(
  where: string,
  context: Enterable<T> | AsyncEnterable<T>,
): TakenExit<AsyncExit> {
  if (typeof (Object(context) as Partial<AsyncEnterable<T>>)[takeExit] !== 'function') {
    throw new InvalidArgumentError(
      `${where}: \`context\` must be a context, as contextManager, suppress and nullContext make. Use \`use\` for a disposable.`,
    );
  }
  return context[takeExit]();
}

/** Takes over the end of a synchronous context. Throws {@link InvalidArgumentError} if it is none. */
export function takeSyncExit<T>(where: string, context: Enterable<T>): TakenExit<Exit> {
  if (Symbol.asyncDispose in Object(context)) {
    throw new InvalidArgumentError(
      `${where}: an asynchronous context needs an AsyncRunStack, or runWithAsync.`,
    );
  }
  return takeAsyncExit(where, context) as TakenExit<Exit>;
}
