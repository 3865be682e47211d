/** A transaction on a connection of any pool that has `use`: what is the same for all drivers. */
import { guardedCall } from '../../core/guarded-call.js';
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  checkArgument,
  oneOf,
  option,
  optional,
  resolveOptions,
} from '../../core/options.js';
import type { DriverErrors } from '../error-chain.js';

/** Options of `transaction`. `L` is the levels of isolation that the database has. */
export interface ClientTransactionOptions<L extends string> {
  /** Ends the wait for a connection, not the work. @default none */
  readonly signal?: AbortSignal;
  /** How the transaction is isolated from others. @default the server's */
  readonly isolationLevel?: L;
  /** Refuses statements that write. @default false */
  readonly readOnly?: boolean;
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

/** The steps of a transaction in one database. */
export interface TransactionSteps<C, L extends string> {
  readonly isolationLevels: readonly L[];
  readonly isBroken: DriverErrors['isBroken'];
  begin(client: C, kind: TransactionKind<L>): Promise<unknown>;
  /** Commits. Rejects if the transaction was not committed. */
  commit(client: C): Promise<unknown>;
  /** Rolls back, where the error that has ended the transaction leaves anything to roll back. */
  rollBack(client: C, error: unknown): Promise<unknown>;
}

/**
 * Runs `work` in a transaction. A connection that cannot roll back is discarded. A broken one is not asked to: its server may not answer,
 * and rolls back when the connection ends.
 */
export async function runTransaction<C, R, L extends string>(
  steps: TransactionSteps<C, L>,
  pool: TransactionPool<C>,
  work: (client: C) => Promise<R>,
  options: ClientTransactionOptions<L>,
): Promise<Awaited<R>> {
  checkArgument('transaction', 'work', work, aFunction);
  const { signal, ...kind } = resolveOptions<
    TransactionKind<L> & { readonly signal: AbortSignal | undefined }
  >('transaction', options, {
    signal: optional(anAbortSignal),
    isolationLevel: optional(oneOf(...steps.isolationLevels)),
    readOnly: option(aBoolean, false),
  });
  return pool.use(
    async (client, context) => {
      try {
        await steps.begin(client, kind);
        const result = await work(client);
        await steps.commit(client);
        return result;
      } catch (error) {
        if (guardedCall('transaction: isBroken', () => steps.isBroken(error)) === true) {
          context.discard('broken');
        } else await steps.rollBack(client, error).catch(() => context.discard('rollback failed'));
        throw error;
      }
    },
    signal === undefined ? {} : { signal },
  );
}
