/** A function of one argument list over a function of many. Calls that begin together share a call, as in graphql/dataloader. */
import { InvalidArgumentError } from '../../core/errors.js';
import { isError } from '../../core/is-error.js';
import {
  aFunction,
  checkArgument,
  checkOptions,
  integer,
  type OptionChecks,
} from '../../core/options.js';

/** Loads the results of many argument lists: one result or `Error` for each, in order. */
export type LoadMany<A extends readonly unknown[], V> = (
  lists: readonly A[],
) => PromiseLike<readonly (V | Error)[]> | readonly (V | Error)[];

/** Options of {@link batched}. */
export interface BatchedOptions {
  /** The most argument lists of one call. @default no limit */
  readonly maxBatch?: number;
}

const CHECKS: OptionChecks<BatchedOptions> = { maxBatch: integer(1) };

/**
 * How many promise jobs a batch waits for further calls. With a shared level, calls that were begun together arrive within a few jobs
 * of each other.
 */
const PATIENCE = 8;

interface Waiting<A, V> {
  readonly args: A;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes a function of one argument list, to be memoized. Its calls of one turn share a call of `loadMany`. A result that is an `Error`
 * rejects its call alone. If `loadMany` throws, rejects, or returns another number of results, all its calls reject.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a `loadMany` that is no function, or a malformed option.
 *
 * @example
 * ```ts
 * import { memoize } from 'tenure/memoize';
 * import { batched } from 'tenure/memoize/batch';
 *
 * const queries: number[][] = [];
 * const user = memoize(
 *   batched(async (lists: readonly [id: number][]) => {
 *     queries.push(lists.map(([id]) => id));
 *     return lists.map(([id]) => `user ${id}`);
 *   }),
 * );
 * await user(1); // => 'user 1'
 * await user.getMany([[1], [2], [3]]); // => ['user 1', 'user 2', 'user 3']
 * queries; // => [[1], [2, 3]]
 * ```
 */
export function batched<A extends readonly unknown[], V>(
  loadMany: LoadMany<A, V>,
  options: BatchedOptions = {},
): (...args: A) => Promise<V> {
  checkArgument('batched', 'loadMany', loadMany, aFunction);
  const { maxBatch = Infinity } = checkOptions('batched', options, CHECKS);
  let batch: Waiting<A, V>[] | undefined;
  return (...args) =>
    new Promise<V>((resolve, reject) => {
      const waiting = { args, resolve, reject };
      if (batch !== undefined && batch.length < maxBatch) {
        batch.push(waiting);
        return;
      }
      const begun = [waiting];
      batch = begun;
      void afterJobs(PATIENCE).then(() => {
        if (batch === begun) batch = undefined;
        return run(loadMany, begun);
      });
    });
}

async function afterJobs(count: number): Promise<void> {
  for (let job = 0; job < count; job++) await undefined;
}

async function run<A extends readonly unknown[], V>(
  loadMany: LoadMany<A, V>,
  batch: readonly Waiting<A, V>[],
): Promise<void> {
  let results: unknown;
  try {
    results = await loadMany(batch.map(({ args }) => args));
    if (!Array.isArray(results) || results.length !== batch.length) {
      const got = Array.isArray(results) ? `${results.length}` : typeof results;
      throw new InvalidArgumentError(
        `batched: \`loadMany\` must return an array of ${batch.length} results, one for each list of arguments, got ${got}.`,
      );
    }
    for (const [at, { resolve, reject }] of batch.entries()) {
      const result: unknown = results[at];
      if (isError(result)) reject(result);
      else resolve(result as V);
    }
  } catch (error) {
    for (const { reject } of batch) reject(error);
    if (Array.isArray(results)) void Promise.allSettled(results); // No call gets a rejection among them.
  }
}
