/** A network between a client and a server on this machine, which a test can stall, cut and heal. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** Two sockets that were one connection. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
}

export class TcpProxy implements AsyncDisposable {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #closed = new Set<Promise<unknown>>();
  #stalled = false;

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (near) => this.#join(near, target));
  }

  /** Forwards a port of its own to `target`. */
  static async to(target: number): Promise<TcpProxy> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new TcpProxy(server, address.port, target);
  }

  /** How many connections go through it. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** From now on nothing gets through, and nobody is told: new connections are accepted and stay silent. */
  stall(): void {
    this.#stalled = true;
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** Lets everything through again, what was held up included. */
  heal(): void {
    this.#stalled = false;
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  /** Breaks all connections that there are. */
  cut(): void {
    for (const { near, far } of this.#pairs) {
      breakOff(near);
      breakOff(far);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
    await Promise.all(this.#closed);
  }

  #join(near: Socket, target: number): void {
    const pair: Pair = { near, far: connect(target, '127.0.0.1') };
    this.#pairs.add(pair);
    const { far } = pair;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk) => to.write(chunk));
      from.on('end', () => to.end());
      from.on('error', () => {}); // What matters comes with `close`.
      const closed = new Promise<void>((resolve) => {
        from.on('close', () => {
          to.destroy();
          this.#pairs.delete(pair);
          this.#closed.delete(closed);
          resolve();
        });
      });
      this.#closed.add(closed);
    }
    if (this.#stalled) far.pause();
    else near.resume();
  }
}

/** A socket that is saying goodbye cannot be reset: Node would destroy it and never close it. */
function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
