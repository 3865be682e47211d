/** Postgres connections under `createPool`: raw clients, one holder at a time, clean whenever they are lent. */
import { Socket } from 'node:net';
import pg from 'pg';
import { createPool, type Pool, type PoolOptions } from 'tenure/pool';

/** How long a server has for saying goodbye before its connection is cut, in milliseconds. */
const GOODBYE_MILLIS = 1_000;

/** Undoes what a holder may have left behind, in one round trip. Unlike `discard all` it keeps prepared statements. */
const RESET_SESSION =
  'close all; unlisten *; reset all; discard temp; select pg_advisory_unlock_all()';

/** A client that knows when it is broken, and whose socket can be cut when the network no longer answers. */
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

  /** Ends the connection whatever it is doing. */
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
          statement_timeout: 10_000, // The server gives up a statement,
          query_timeout: 12_000, // and we do, where the server does not answer at all.
          ...config,
        });
        const abandon = (): void => client.cut(new Error('nobody wants this connection any more'));
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
        if (client.isBroken) throw new Error('the connection broke while it was held');
        if (client.getTransactionStatus() !== 'I') await client.query('rollback');
        await client.query(RESET_SESSION);
      },
      async destroy(client) {
        const timer = setTimeout(() => client.cut(), GOODBYE_MILLIS);
        try {
          await client.end();
        } finally {
          clearTimeout(timer);
          client.cut();
        }
      },
    },
    {
      testOnBorrow: true, // One round trip for each loan; what broke while idle is replaced, and no caller sees it.
      keepaliveMillis: 60_000,
      ...options,
    },
  );
}
