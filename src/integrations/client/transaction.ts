/** A transaction on a connection of any pool that has `use`: what is the same for all drivers. */
import { systemClock } from '../../core/clock.js';
import { guardedCall } from '../../core/guarded-call.js';
import { notGenerator } from '../../core/not-generator.js';
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  checkArgument,
  type OptionCheck,
  type OptionTable,
  objectWith,
  oneOf,
  option,
  optional,
  positiveMillis,
  resolveOptions,
} from '../../core/options.js';
import { settledBefore } from '../../core/settled-before.js';
import { CommitUnknownError, TransactionTimeoutError } from './transaction-errors.js';

/** Options of `transaction`. `L` is the levels of isolation that the database has. */
export interface ClientTransactionOptions<L extends string> {
  /** Ends the wait for a connection, not the work. @default none */
  readonly signal?: AbortSignal | undefined;
  /** How the transaction is isolated from others. @default the server's */
  readonly isolationLevel?: L;
  /** Refuses statements that write. @default false */
  readonly readOnly?: boolean;
  /**
   * How long the server may take to answer `begin` and the commit, each, in milliseconds. Then the connection is destroyed, and the caller
   * waits no more. `Infinity` for no limit.
   *
   * @default 30,000
   */
  readonly answerTimeoutMillis?: number;
  /**
   * How long a rollback may take, in milliseconds. A connection that needs longer is destroyed, and the caller waits no more.
   *
   * @default 5,000
   */
  readonly rollbackTimeoutMillis?: number;
}

/** How a transaction begins. */
export interface TransactionKind<L extends string> {
  readonly isolationLevel: L | undefined;
  readonly readOnly: boolean;
}

/** A pool of connections, adopted or made by `createClientPool`. */
export interface TransactionPool<C> {
  /** Calls `work` with a connection. */
  use<R>(
    work: (client: C, context: { discard(reason?: string): void }) => Promise<R>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Awaited<R>>;
}

const aPool: OptionCheck = (value) =>
  objectWith('use')(value) === undefined
    ? undefined
    : 'a pool of createClientPool() or adoptPool()';

/** The steps of a transaction in one database. */
export interface TransactionSteps<C, L extends string> {
  readonly isolationLevels: readonly L[];
  /** Whether an error of such a transaction shows that its connection must not be lent again. */
  isBroken(error: unknown, kind: TransactionKind<L>): boolean;
  begin(client: C, kind: TransactionKind<L>): Promise<unknown>;
  /**
   * Runs the work in the transaction, and waits for the statements that it did not await. Rejects also if the work has ended the
   * transaction. `answered` limits how long the server may take for a step.
   */
  run<W extends C, R>(
    client: W,
    work: (client: W) => Promise<R>,
    answered: <A>(step: string, answer: Promise<A>) => Promise<A>,
  ): Promise<R>;
  /** Commits. Rejects if the transaction was not committed, or if that is not known. */
  commit(client: C): Promise<unknown>;
  /** Whether an error of a commit, of a broken connection, shows all the same that nothing is stored: the commit was not sent. */
  isUncommitted(error: unknown): boolean;
  /** Rolls back, where the error that has ended the transaction leaves anything to roll back. */
  rollBack(client: C, error: unknown): Promise<unknown>;
}

/**
 * Runs `work` in a transaction. A connection that cannot roll back, or not in time, is discarded. A broken one is not asked to: its
 * server may not answer, and rolls back when the connection ends. An error that leaves open whether the commit has succeeded is a
 * {@link CommitUnknownError}.
 */
export async function runTransaction<C, R, L extends string>(
  steps: TransactionSteps<C, L>,
  pool: TransactionPool<C>,
  work: (client: C) => Promise<R>,
  options: ClientTransactionOptions<L>,
): Promise<Awaited<R>> {
  checkArgument('transaction', 'pool', pool, aPool);
  checkArgument('transaction', 'work', work, aFunction);
  const { signal, answerTimeoutMillis, rollbackTimeoutMillis, ...kind } = resolveOptions<
    TransactionSettings<L>
  >('transaction', options, optionTable(steps.isolationLevels));
  const isBroken = (error: unknown): boolean =>
    error instanceof TransactionTimeoutError ||
    error instanceof CommitUnknownError ||
    guardedCall('transaction: isBroken', () => steps.isBroken(error, kind)) === true;
  const answered = <A>(step: string, answer: Promise<A>): Promise<A> =>
    settledBefore(systemClock, answerTimeoutMillis, answer, (_resolve, reject) =>
      reject(new TransactionTimeoutError(step, answerTimeoutMillis)),
    );
  const commit = (client: C): Promise<unknown> =>
    answered('commit', steps.commit(client)).catch((error: unknown) => {
      const isKnown = !isBroken(error) || steps.isUncommitted(error);
      throw isKnown ? error : new CommitUnknownError(error);
    });
  const rollBack = (client: C, error: unknown): Promise<unknown> =>
    settledBefore(
      systemClock,
      rollbackTimeoutMillis,
      steps.rollBack(client, error),
      (_resolve, reject) => reject(error),
    );
  return pool.use(
    async (client, context) => {
      try {
        await answered('begin', steps.begin(client, kind));
        const run = (own: C): Promise<R> => notGenerator('transaction', work(own));
        const result = await steps.run(client, run, answered);
        await commit(client);
        return result;
      } catch (error) {
        if (isBroken(error)) context.discard('broken');
        else await rollBack(client, error).catch(() => context.discard('rollback failed'));
        throw error;
      }
    },
    signal === undefined ? {} : { signal },
  );
}

/** What the options of a transaction resolve to. */
interface TransactionSettings<L extends string> extends TransactionKind<L> {
  readonly signal: AbortSignal | undefined;
  readonly answerTimeoutMillis: number;
  readonly rollbackTimeoutMillis: number;
}

function optionTable<L extends string>(
  isolationLevels: readonly L[],
): OptionTable<TransactionSettings<L>> {
  return {
    signal: optional(anAbortSignal),
    isolationLevel: optional(oneOf(...isolationLevels)),
    readOnly: option(aBoolean, false),
    answerTimeoutMillis: option(positiveMillis, 30_000),
    rollbackTimeoutMillis: option(positiveMillis, 5_000),
  };
}
