/**
 * Calls the exits of a stack, the newest first, as `contextlib.ExitStack` of Python does.
 *
 * | an exit | the exits below it and the caller get |
 * |---|---|
 * | gives false | the failure as it was |
 * | gives true | success |
 * | throws | its error; the failure before it becomes the `cause`, unless the error has one |
 */
import { keepCause } from './keep-cause.js';
import type { AsyncExit, Exit, Failure } from './run-block.js';

/** Calls `exits` and empties them. Gives true if the failure was handled. Throws an error that takes its place. */
export function unwind(exits: Exit[], failure: Failure | undefined): boolean {
  let current = failure;
  for (let exit = exits.pop(); exit !== undefined; exit = exits.pop()) {
    try {
      if (exit(current)) current = undefined;
    } catch (error) {
      current = replaced(current, error);
    }
  }
  return concluded(current, failure);
}

/** Calls `exits` one after another, awaits each, and empties them. */
export async function unwindAsync(
  exits: AsyncExit[],
  failure: Failure | undefined,
): Promise<boolean> {
  let current = failure;
  for (let exit = exits.pop(); exit !== undefined; exit = exits.pop()) {
    try {
      if (await exit(current)) current = undefined;
    } catch (error) {
      current = replaced(current, error);
    }
  }
  return concluded(current, failure);
}

function replaced(current: Failure | undefined, error: unknown): Failure {
  return { error: current === undefined ? error : keepCause(error, current.error) };
}

function concluded(current: Failure | undefined, failure: Failure | undefined): boolean {
  if (current === undefined) return failure !== undefined;
  if (failure !== undefined && current.error === failure.error) return false;
  throw current.error;
}
