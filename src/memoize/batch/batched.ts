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

/** An argument list of a batch. */
interface Item<A, V> {
  readonly args: A;
  /** What its calls are given. */
  readonly result: Promise<V>;
  readonly resolve: (value: V) => void;
  readonly reject: (error: unknown) => void;
  isSent: boolean;
}

/** Argument lists that begin with the same arguments. */
class Level<A, V> {
  readonly next = new Map<unknown, Level<A, V>>();
  /** The list that has no further argument. */
  item: Item<A, V> | undefined = undefined;
}

/**
 * Makes a function of one argument list, to be memoized. Its calls of one turn share a call of `loadMany`. Calls with equal arguments, as
 * in a `Map`, share one list there. A result that is an `Error` rejects the calls of its list alone. If `loadMany` throws, rejects, or
 * returns another number of results, all its calls reject.
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
  let batch: Item<A, V>[] | undefined;
  /** The lists of all batches that were not sent yet. One that was sent may be left until all are. */
  let unsent = new Level<A, V>();
  let unsentBatches = 0;
  const send = (begun: Item<A, V>[]): Promise<void> => {
    if (batch === begun) batch = undefined;
    if (--unsentBatches === 0) unsent = new Level();
    for (const item of begun) item.isSent = true;
    return run(loadMany, begun);
  };
  return (...args) => {
    const level = levelOf(unsent, args);
    if (level.item?.isSent === false) return level.item.result;
    const item = newItem<A, V>(args);
    level.item = item;
    if (batch !== undefined && batch.length < maxBatch) batch.push(item);
    else {
      const begun = [item];
      batch = begun;
      unsentBatches++;
      void afterJobs(PATIENCE).then(() => send(begun));
    }
    return item.result;
  };
}

function newItem<A, V>(args: A): Item<A, V> {
  let resolve!: (value: V) => void;
  let reject!: (error: unknown) => void;
  const result = new Promise<V>((...settle) => {
    [resolve, reject] = settle;
  });
  return { args, result, resolve, reject, isSent: false };
}

/** The level of an argument list; adds it if it is missing. */
function levelOf<A extends readonly unknown[], V>(top: Level<A, V>, args: A): Level<A, V> {
  let level = top;
  for (const arg of args) {
    let next = level.next.get(arg);
    if (next === undefined) {
      next = new Level();
      level.next.set(arg, next);
    }
    level = next;
  }
  return level;
}

async function afterJobs(count: number): Promise<void> {
  for (let job = 0; job < count; job++) await undefined;
}

async function run<A extends readonly unknown[], V>(
  loadMany: LoadMany<A, V>,
  batch: readonly Item<A, V>[],
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
