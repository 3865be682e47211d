/**
 * A server of frames on pooled buffers. It answers each frame with its bytes in reverse order. Frames are put together, changed
 * and sent in one leased buffer: no frame allocates memory once the pool is warm.
 *
 *     npx tsx examples/views/framing-server.ts
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type BufferLease, BufferPool } from 'tenure/view';
import { FrameReader } from './frame-reader.js';

const LARGEST_FRAME = 2 ** 20;

/** A server that listens. */
export interface FramingServer extends AsyncDisposable {
  readonly port: number;
}

/** Starts a server on a free port of the loopback interface. */
export async function startFramingServer(pool: BufferPool): Promise<FramingServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, pool);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function serve(socket: Socket, pool: BufferPool): void {
  const reader = new FrameReader(pool, LARGEST_FRAME);
  socket.on('error', () => {}); // The close event follows.
  socket.on('close', () => reader[Symbol.dispose]());
  socket.on('drain', () => socket.resume());
  socket.on('data', (piece: Uint8Array) => {
    try {
      reader.read(piece, (frame) => answer(socket, frame));
    } catch {
      socket.destroy();
    }
  });
}

/** Sends a frame back, and releases its bytes when the kernel has them or the connection is gone. */
function answer(socket: Socket, frame: BufferLease): void {
  const header = new Uint8Array(4);
  new DataView(header.buffer).setUint32(0, frame.bytes.length);
  frame.bytes.reverse();
  socket.cork();
  socket.write(header);
  const hasRoom = socket.write(frame.bytes, () => frame.release());
  socket.uncork();
  if (!hasRoom) socket.pause();
}

const [, entry] = process.argv;
if (entry === fileURLToPath(import.meta.url)) {
  const pool = new BufferPool({ name: 'frames', maxBytes: 32 * 2 ** 20 });
  const server = await startFramingServer(pool);
  console.log(`listening on 127.0.0.1:${server.port}`);
}
