/** A transaction on a client of any pool that has `use`. */
import type { ClientBase } from 'pg';
import { nameErrorClass, TenureError } from '../../core/errors.js';
import {
  aBoolean,
  aFunction,
  anAbortSignal,
  checkArgument,
  type OptionTable,
  oneOf,
  option,
  optional,
  resolveOptions,
} from '../../core/options.js';

/** How a transaction is isolated from others. */
export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable';

/** Options of `transaction`. */
export interface TransactionOptions {
  /** Ends the wait for a client, not the work. @default none */
  readonly signal?: AbortSignal;
  /** @default the server's */
  readonly isolationLevel?: IsolationLevel;
  /** Refuses statements that write. @default false */
  readonly readOnly?: boolean;
}

interface TransactionSettings {
  readonly signal: AbortSignal | undefined;
  readonly isolationLevel: IsolationLevel | undefined;
  readonly readOnly: boolean;
}

const TRANSACTION_OPTIONS: OptionTable<TransactionSettings> = {
  signal: optional(anAbortSignal),
  isolationLevel: optional(oneOf('read committed', 'repeatable read', 'serializable')),
  readOnly: option(aBoolean, false),
};

/** A pool of clients, adopted or made by `createClientPool`. */
export interface TransactionPool<C extends ClientBase = ClientBase> {
  /** Calls `work` with a client. */
  use<R>(
    work: (client: C, context: { discard(reason?: string): void }) => Promise<R>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<Awaited<R>>;
}

/**
 * The work has succeeded, and the server has answered its commit with a rollback, because a statement had failed. Nothing is stored.
 * Code `TENURE_PG_ROLLED_BACK`.
 */
export class RolledBackError extends TenureError {
  /** @internal */
  constructor() {
    super(
      'The transaction was rolled back at its commit, because one of its statements failed and the work ignored the error. Let the error of a statement reject the work, or use a savepoint around a statement that may fail.',
      { code: 'TENURE_PG_ROLLED_BACK' },
    );
  }

  static {
    nameErrorClass(RolledBackError, 'RolledBackError');
  }
}

/**
 * Runs `work` in a transaction: committed when the work succeeds, rolled back when it fails. Resolves to what `work` returned, after the
 * commit. A client that cannot roll back is destroyed.
 *
 * Rejects with the error of `work`, or with {@link RolledBackError} if the server has rolled back instead of committing. If the
 * connection breaks during the commit, the outcome is not known; the error is that of the connection.
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an option that is unknown or malformed.
 */
export async function transaction<R, C extends ClientBase>(
  pool: TransactionPool<C>,
  work: (client: C) => Promise<R>,
  options: TransactionOptions = {},
): Promise<Awaited<R>> {
  checkArgument('transaction', 'work', work, aFunction);
  const settings = resolveOptions('transaction', options, TRANSACTION_OPTIONS);
  const { signal } = settings;
  return pool.use(
    async (client, context) => {
      try {
        await client.query(beginOf(settings));
        const result = await work(client);
        const { command } = await client.query('commit');
        if (command === 'ROLLBACK') throw new RolledBackError();
        return result;
      } catch (error) {
        if (!(error instanceof RolledBackError)) {
          await client.query('rollback').catch(() => context.discard('rollback failed'));
        }
        throw error;
      }
    },
    signal === undefined ? {} : { signal },
  );
}

function beginOf({ isolationLevel, readOnly }: TransactionSettings): string {
  const isolation = isolationLevel === undefined ? '' : ` isolation level ${isolationLevel}`;
  return `begin${isolation}${readOnly ? ' read only' : ''}`;
}
