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
  sendCopyFromChunk(chunk: Buffer): void;
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
  /** pg sets it if the client has a `query_timeout`. */
  callback: (() => void) | undefined = undefined;

  handleReadyForQuery(): void {
    this.callback?.();
  }

  handleCopyInResponse(): void {}
  handleCommandComplete(): void {}
  handleError(error: Error): void {
    this.callback?.();
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

/** A COPY to which no row is written by itself. */
export class OpenCopy extends OpenQuery {
  #ready: () => void = () => {};
  /** Settles when the server takes rows. */
  readonly isReady: Promise<void> = new Promise((resolve) => {
    this.#ready = resolve;
  });

  override handleCopyInResponse(): void {
    this.#ready();
  }

  write(rows: string): void {
    this.connection?.sendCopyFromChunk(Buffer.from(rows));
  }

  protected begin(connection: Connection): void {
    connection.query('create temp table if not exists copied (n int); copy copied from stdin');
  }

  end(): void {
    this.on('error', () => {});
    this.connection?.sendCopyFail('ended');
  }
}
