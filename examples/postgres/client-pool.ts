/** Postgres connections under `createPool`: raw clients with one holder at a time, reset after each loan. */
import { Socket } from 'node:net';
import pg from 'pg';
import { createPool, type Pool, type PoolOptions } from 'tenure/pool';

/** How long a connection may take to end before it is cut, in milliseconds. */
const END_TIMEOUT_MILLIS = 1_000;

/** Removes the session state of a holder in one round trip. Unlike `discard all` it keeps prepared statements. */
const RESET_SESSION =
  'close all; unlisten *; reset all; discard temp; select pg_advisory_unlock_all()';

/** A client that knows when it is broken. Its socket can be cut when the network no longer answers. */
export class PooledClient extends pg.Client {
  readonly #socket: Socket;
  #isBroken = false;

  constructor(config: pg.ClientConfig) {
    const socket = new Socket();
    super({ ...config, stream: () => socket });
    this.#socket = socket;
    const breaks = (): void => {
      this.#isBroken = true;
    };
    this.on('error', breaks); // Without a listener, an idle connection that breaks ends the process.
    this.on('end', breaks);
  }

  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Ends the connection at once, also during a statement. */
  cut(reason?: Error): void {
    this.#socket.destroy(reason);
  }
}

/** A pool of connections to the server at `config`. */
export function createClientPool(
  config: pg.ClientConfig,
  options: PoolOptions = {},
): Pool<PooledClient> {
  return createPool<PooledClient>(
    {
      async create({ signal }) {
        const client = new PooledClient({
          statement_timeout: 10_000, // The server cancels a statement after this time.
          query_timeout: 12_000, // The client stops waiting if the server does not answer at all.
          ...config,
        });
        const abandon = (): void =>
          client.cut(new Error('the pool no longer wants this connection'));
        signal.addEventListener('abort', abandon, { once: true });
        try {
          await client.connect();
          return client;
        } catch (error) {
          client.cut();
          throw error;
        } finally {
          signal.removeEventListener('abort', abandon);
        }
      },
      async validate(client) {
        if (client.isBroken) return false;
        await client.query('select 1');
        return true;
      },
      async reset(client) {
        if (client.isBroken) throw new Error('the connection broke during the loan');
        if (client.getTransactionStatus() !== 'I') await client.query('rollback');
        await client.query(RESET_SESSION);
      },
      async destroy(client) {
        const timer = setTimeout(() => client.cut(), END_TIMEOUT_MILLIS);
        try {
          await client.end();
        } finally {
          clearTimeout(timer);
          client.cut();
        }
      },
    },
    {
      testOnBorrow: true, // One round trip per loan. A connection that broke while idle is replaced unseen.
      keepaliveMillis: 60_000,
      ...options,
    },
  );
}
