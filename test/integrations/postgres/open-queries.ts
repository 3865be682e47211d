/** What a holder may leave open on a client of pg: as cursors of pg-cursor and streams of pg-copy-streams do, they end by their users alone. */
import { EventEmitter } from 'node:events';
import type { Submittable } from 'pg';

/** What pg's types do not declare. */
interface Connection {
  query(text: string): void;
  parse(query: object, more: boolean): void;
  bind(query: object, more: boolean): void;
  describe(query: object, more: boolean): void;
  flush(): void;
  close(portal: object): void;
  sync(): void;
  sendCopyFail(message: string): void;
}

/** A query that is open until it is ended. */
export abstract class OpenQuery extends EventEmitter implements Submittable {
  protected connection: Connection | undefined = undefined;
  #submit: () => void = () => {};
  readonly submitted: Promise<void> = new Promise((resolve) => {
    this.#submit = resolve;
  });

  submit(connection: unknown): void {
    this.connection = connection as Connection;
    this.begin(this.connection);
    this.#submit();
  }

  protected abstract begin(connection: Connection): void;
  abstract end(): void;

  handleRowDescription(): void {}
  handleReadyForQuery(): void {}
  handleCopyInResponse(): void {}
  handleCommandComplete(): void {}
  handleError(error: Error): void {
    this.emit('error', error);
  }
}

/** A cursor of which no row is read. */
export class OpenCursor extends OpenQuery {
  protected begin(connection: Connection): void {
    connection.parse({ text: 'select * from generate_series(1, 9)' }, true);
    connection.bind({ portal: 'open' }, true);
    connection.describe({ type: 'P', name: 'open' }, true);
    connection.flush();
  }

  end(): void {
    this.connection?.close({ type: 'P', name: 'open' });
    this.connection?.sync();
  }
}

/** A COPY to which no row is written. */
export class OpenCopy extends OpenQuery {
  protected begin(connection: Connection): void {
    connection.query('create temp table if not exists copied (n int); copy copied from stdin');
  }

  end(): void {
    this.on('error', () => {});
    this.connection?.sendCopyFail('ended');
  }
}
