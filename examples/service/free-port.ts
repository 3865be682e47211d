import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * The ports to choose from. Systems give higher ones to outgoing connections, which may take a port between the moment in which it is
 * free and the start of a server.
 */
const [FIRST, COUNT] = [20_000, 12_000];

/** Gives a port of this machine that is free at the moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}
