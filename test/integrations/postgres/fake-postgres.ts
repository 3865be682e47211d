/** A server that speaks as much of Postgres' protocol as a connection needs, and answers as a test wants. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A message of the protocol, from the server. */
function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

/** The log-in has succeeded. */
export const AUTHENTICATED: Buffer = message('R', Buffer.alloc(4));

/** The server waits for the password in clear. */
export const ASKS_FOR_PASSWORD: Buffer = message('R', Buffer.from([0, 0, 0, 3]));

/** The server waits for a statement, outside of a transaction. */
export const READY: Buffer = message('Z', Buffer.from('I'));

/** The server ends the connection, as `pg_terminate_backend` has it do. */
export const TERMINATED: Buffer = message(
  'E',
  Buffer.from('SFATAL\0VFATAL\0C57P01\0Mterminating connection\0\0'),
);

/** A server on a free port. */
export class FakePostgres implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many connections were made. */
  connections = 0;

  /** `serve` is called with each message of a client, and the number of its connection from 1 on. */
  private constructor(serve: (socket: Socket, received: Buffer, connection: number) => void) {
    this.#server = createServer((socket) => {
      const connection = ++this.connections;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', (received) => serve(socket, received, connection));
    });
  }

  static async start(
    serve: (socket: Socket, received: Buffer, connection: number) => void,
  ): Promise<FakePostgres> {
    const fake = new FakePostgres(serve);
    fake.#server.listen(0, '127.0.0.1');
    await once(fake.#server, 'listening');
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }
}
