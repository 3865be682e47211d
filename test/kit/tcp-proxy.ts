/** A network between a client and a server on this machine. A test can stall, slow, cut and heal it. */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** The two sockets of a forwarded connection. */
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
  /** Set while the network is slow: the end of what waits to be sent. */
  #sent: Promise<void> | undefined = undefined;
  #delay: () => Promise<void> = async () => {};

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (near) => this.#join(near, target));
  }

  /** Opens a port and forwards it to `target`. */
  static async to(target: number): Promise<TcpProxy> {
    const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new TcpProxy(server, address.port, target);
  }

  /** How many connections are forwarded. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Stops all data without closing a connection. New connections are accepted and stay silent. */
  stall(): void {
    this.#stalled = true;
    for (const { near, far } of this.#pairs) {
      near.pause();
      far.pause();
    }
  }

  /** Holds back what the server sends on the present connections. What clients send arrives. */
  stallAnswers(): void {
    for (const { far } of this.#pairs) far.pause();
  }

  /** Lets data through again, including the data that was held back. */
  heal(): void {
    this.#stalled = false;
    for (const { near, far } of this.#pairs) {
      near.resume();
      far.resume();
    }
  }

  /** Has each piece of data to the server wait for `delay` from now on, one after the other. */
  slow(delay: () => Promise<void>): void {
    this.#delay = delay;
    this.#sent = Promise.resolve();
  }

  /** Breaks all connections. */
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
      from.on('data', (chunk) => {
        if (from === far || this.#sent === undefined) to.write(chunk);
        else this.#sent = this.#sent.then(this.#delay).then(() => void to.write(chunk));
      });
      from.on('end', () => to.end());
      from.on('error', () => {}); // The event `close` follows and is handled.
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

/** Breaks a connection off. An ending socket cannot be reset: Node would destroy it and never emit `close`. */
function breakOff(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
