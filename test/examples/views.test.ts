/** The examples of views: a parser of WAV files, and a server of frames on real sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { startFramingServer } from '../../examples/views/framing-server.js';
import { parseWav } from '../../examples/views/wav.js';
import { BufferPool, Exporter, memoryview } from '../../src/view/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { until } from '../kit/until.js';

function wav(samples: readonly number[], channels = 2, extra = 0): Uint8Array {
  const file = Buffer.alloc(44 + extra + 2 * samples.length);
  file.write('RIFF', 0);
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(8_000, 24);
  file.writeUInt16LE(16, 34);
  if (extra > 0) {
    file.write('LIST', 36);
    file.writeUInt32LE(extra - 8, 40);
  }
  file.write('data', 36 + extra);
  file.writeUInt32LE(2 * samples.length, 40 + extra);
  for (const [i, sample] of samples.entries()) file.writeInt16LE(sample, 44 + extra + 2 * i);
  return file;
}

test('the channels of a recording are views of the bytes of the file', () => {
  const file = wav([1, -1, 2, -2, 32_767, -32_768], 2, 10);
  using recording = parseWav(file);
  expect(recording.sampleRate).toBe(8_000);
  expect(recording.channels.map((channel) => channel.toList())).toEqual([
    [1, 2, 32_767],
    [-1, -2, -32_768],
  ]);
  recording.channels[0]?.set(0, 7);
  expect(Buffer.from(file).readInt16LE(54)).toBe(7);
});

test('a file that is cut off or of another kind is refused, and leaves no view alive', () => {
  const whole = wav([1, 2, 3, 4]);
  for (const [length, message] of [
    [11, 'no WAV file'],
    [20, /cut off|no chunk/],
    [40, /cut off|no chunk/],
    [50, "the chunk 'data' is cut off"],
  ] as const) {
    const exporter = new Exporter(length);
    {
      using view = memoryview(exporter);
      view.assign(whole.subarray(0, length));
    }
    expect(() => parseWav(exporter)).toThrow(message);
    expect(exporter.exports).toBe(0);
  }
  const exporter = new Exporter(whole.length);
  {
    using view = memoryview(exporter);
    view.assign(whole);
  }
  const recording = parseWav(exporter);
  expect(exporter.exports).toBe(2);
  recording[Symbol.dispose]();
  expect(exporter.exports).toBe(0);
});

/** A client that sends frames in pieces, and puts the answers together. */
class Client implements Disposable {
  readonly socket: Socket;
  #received = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('data', (piece) => {
      this.#received = Buffer.concat([this.#received, piece]);
    });
  }

  frames(): string[] {
    const found: string[] = [];
    let at = 0;
    while (at + 4 <= this.#received.length) {
      const length = this.#received.readUInt32BE(at);
      if (at + 4 + length > this.#received.length) break;
      found.push(this.#received.toString('latin1', at + 4, at + 4 + length));
      at += 4 + length;
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}

function frame(text: string): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(text.length);
  return Buffer.concat([header, Buffer.from(text, 'latin1')]);
}

test('the server answers frames that arrive in any pieces, and gives every byte back', async () => {
  using pool = new BufferPool({ name: 'frames' });
  using watchdog = new Watchdog({ level: 'advanced' });
  watchdog.watch(pool);
  await using server = await startFramingServer(pool);
  using client = new Client(server.port);
  const texts = ['abc', '', 'x'.repeat(100_000), 'tenure'];
  const stream = Buffer.concat(texts.map(frame));
  for (let at = 0, size = 1; at < stream.length; at += size, size = Math.min(size * 2, 30_000)) {
    client.socket.write(stream.subarray(at, at + size));
  }
  const expected = texts.map((text) => [...text].reverse().join(''));
  await until(() => client.frames().length === expected.length);
  expect(client.frames()).toEqual(expected);
  await until(() => pool.stats().out === 0);
  expect(pool.stats().misses).toBeGreaterThan(0);
  await watchdog.assertNoLeaks();
});

test('a connection that ends within a frame, or asks for too long a one, costs no bytes', async () => {
  using pool = new BufferPool({ name: 'frames' });
  await using server = await startFramingServer(pool);
  using first = new Client(server.port);
  first.socket.write(frame('x'.repeat(5_000)).subarray(0, 2_000));
  await until(() => pool.stats().out === 1);
  first.socket.destroy();
  await until(() => pool.stats().out === 0);
  using second = new Client(server.port);
  second.socket.on('error', () => {}); // The server has reset the connection.
  second.socket.write(Buffer.from([255, 255, 255, 255, 0]));
  await once(second.socket, 'close');
  expect(pool.stats().out).toBe(0);
});

test('the server holds a few frames only for a client that does not read', async () => {
  using pool = new BufferPool({ name: 'frames' });
  await using server = await startFramingServer(pool);
  const socket = connect(server.port, '127.0.0.1');
  const frames = 40;
  const large = frame('y'.repeat(500_000));
  for (let i = 0; i < frames; i++) socket.write(large);
  await until(() => pool.stats().out > 0);
  using other = new Client(server.port);
  const trips = 30; // Each takes turns of the server, in which it could read what the first client has sent.
  for (let i = 1; i <= trips; i++) {
    other.socket.write(frame('z'));
    await until(() => other.frames().length === i);
  }
  expect(pool.stats().out).toBeLessThanOrEqual(3);
  let received = 0;
  socket.on('data', ({ length }) => {
    received += length;
  });
  await until(() => received === frames * large.length);
  await until(() => pool.stats().out === 0);
  socket.destroy();
});
