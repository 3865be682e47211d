/**
 * Whether the work of a transaction has ended it. The server tells with each result that has no rows whether a transaction is open. So the
 * end is seen although the work has begun another transaction since. An error tells nothing: a deadlock is seen with the next such result.
 * A statement that ends the transaction and begins another one leaves one open: its text tells.
 */
import type { ResultSetHeader } from 'mysql2';
import type { Connection } from 'mysql2/promise';

/** The flag of a server's status that says that a transaction is open. */
const IN_TRANSACTION = 1;

/** Comments, and a statement that ends the transaction. The server also commits when another one begins. */
const ENDS =
  /^(?:\s|\/\*(?:[^*]|\*(?!\/))*\*\/)*(?:begin\b(?!\s+not)|start\s+transaction|commit|rollback(?!.*\bto\b))/is;

/** Statements, prepared ones too, as mysql2 queues them. */
interface Command {
  readonly sql?: string;
  on(event: 'result', listener: (result: unknown) => void): unknown;
}

/** The connection below a connection with promises. Each statement passes `addCommand`, which mysql2's types do not declare. */
interface Core {
  addCommand?(command: Command): unknown;
}

/** Watches the transaction that is open on one connection. */
export class MysqlTransactionEnd {
  readonly #core: Core | undefined;
  readonly #added: Core['addCommand'];
  readonly #watching: Core['addCommand'];
  /** Whether the transaction has ended. */
  isSeen = false;

  readonly #onResult = (result: unknown): void => {
    if (isHeader(result) && !isInTransaction(result)) this.isSeen = true;
  };

  constructor(connection: Connection) {
    const core = (connection as { readonly connection?: Core }).connection;
    const add = core?.addCommand;
    if (core === undefined || add === undefined) return;
    this.#core = core;
    this.#added = Object.hasOwn(core, 'addCommand') ? add : undefined;
    this.#watching = (command) => {
      const onEnd = (): void => {
        this.isSeen = true;
      };
      command.on('result', ENDS.test(command.sql ?? '') ? onEnd : this.#onResult);
      return add.call(core, command);
    };
    core.addCommand = this.#watching;
  }

  /** Ends the watch. A connection that has closed meanwhile has another method. */
  stop(): void {
    const core = this.#core;
    if (core === undefined || core.addCommand !== this.#watching) return;
    if (this.#added === undefined) delete core.addCommand;
    else core.addCommand = this.#added;
  }
}

/** Whether a transaction is open, as the answer to a statement without rows tells. */
export function isInTransaction({ serverStatus = 0 }: Partial<ResultSetHeader>): boolean {
  return (serverStatus & IN_TRANSACTION) !== 0;
}

/** Whether a result is the answer to a statement without rows. A row may have a column of any name. */
function isHeader(result: unknown): result is ResultSetHeader {
  return (result as object | null)?.constructor?.name === 'ResultSetHeader';
}
