/**
 * Runs a block and then ends what was set up for it, with the error of the block if it failed. Managed contexts, stacks and
 * suppressions share it, so the rules about errors are the same everywhere.
 */
import { notGenerator } from '../core/not-generator.js';
import { isThenable } from '../core/thenable.js';

/** The error of a block. It is an object, so that a block that throws `undefined` has failed too. */
export interface Failure {
  /** What the block has thrown or rejected with. */
  readonly error: unknown;
}

/**
 * The result of a `run`: the result of the block, or `undefined` if the block failed and the error was handled. A promise if the
 * block returns one.
 */
export type RunOutcome<R> = [R] extends [never]
  ? undefined
  : R extends PromiseLike<infer V>
    ? Promise<V | undefined>
    : R | undefined;

/** How a block has ended, if no error has passed. */
export type BlockOutcome<V> =
  | {
      /** False: the block has succeeded. */
      readonly handled: false;
      /** The result of the block. */
      readonly value: V;
    }
  | {
      /** True: the block has failed, and the error was handled. */
      readonly handled: true;
      /** The error of the block. */
      readonly error: unknown;
    };

/** The result of `outcome`: tells a handled error from a block that gave `undefined`. A promise if the block returns one. */
export type OutcomeOf<R> = [R] extends [never]
  ? BlockOutcome<never>
  : 0 extends 1 & R // The type `any`, which would give a union of both.
    ? BlockOutcome<R>
    : R extends PromiseLike<infer V>
      ? Promise<BlockOutcome<V>>
      : BlockOutcome<R>;

/** Ends what was set up. Gives true if it has handled the failure of the block. Throws what takes the place of the failure. */
export type Exit = (failure: Failure | undefined) => boolean;

/** An {@link Exit} that may be asynchronous. */
export type AsyncExit = (failure: Failure | undefined) => boolean | PromiseLike<boolean>;

/** Calls `block`, then `exit`. If the block returns a promise, `exit` is called when that has settled. */
export function runBlock<R>(block: () => R, exit: Exit): OutcomeOf<R> {
  let result: R;
  let isPending: boolean;
  try {
    result = notGenerator('run', block());
    isPending = isThenable(result);
  } catch (error) {
    return failed(error, exit) as OutcomeOf<R>;
  }
  if (isPending) return runPending(result, exit) as OutcomeOf<R>;
  exit(undefined);
  return { handled: false, value: result } as OutcomeOf<R>;
}

/** Calls `block`, awaits it, then `exit`, and awaits that. */
export async function runBlockAsync<R>(
  block: () => R,
  exit: AsyncExit,
): Promise<BlockOutcome<Awaited<R>>> {
  let value: Awaited<R>;
  try {
    value = await notGenerator('run', block());
  } catch (error) {
    if (await exit({ error })) return { handled: true, error };
    throw error;
  }
  await exit(undefined);
  return { handled: false, value };
}

/** Gives the result of a block; `undefined` if its error was handled. */
export function resultOf<V>(outcome: BlockOutcome<V>): V | undefined {
  return outcome.handled ? undefined : outcome.value;
}

/** Gives what `run` gives for what {@link runBlock} gave. */
export function runOutcomeOf<R>(outcome: OutcomeOf<R>): RunOutcome<R> {
  return (
    isThenable(outcome)
      ? (outcome as Promise<BlockOutcome<unknown>>).then(resultOf)
      : resultOf(outcome as BlockOutcome<unknown>)
  ) as RunOutcome<R>;
}

function failed(error: unknown, exit: Exit): BlockOutcome<never> {
  if (exit({ error })) return { handled: true, error };
  throw error;
}

async function runPending(pending: unknown, exit: Exit): Promise<BlockOutcome<unknown>> {
  return runBlockAsync(() => pending, exit);
}
