/**
 * A parser of WAV files that copies no sample. A channel of a stereo recording is every second sample: a view with a stride.
 *
 *     npx tsx examples/views/wav.ts recording.wav
 *
 * The format is RIFF: chunks of a name, a length and their bytes. Numbers have the low byte first.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DisposableStack } from 'tenure/scope';
import { type BytesSource, type MemoryView, memoryview } from 'tenure/view';

const PCM = 1;
const BYTES_PER_SAMPLE = 2;

/** A recording. Its channels are views of the bytes of the file: release it when you are done. */
export interface Wav extends Disposable {
  readonly sampleRate: number;
  /** The samples of each channel, from -32,768 to 32,767. */
  readonly channels: readonly MemoryView<'h'>[];
}

/** Parses a WAV file of 16-bit samples. Throws an error that says what is wrong with the file. */
export function parseWav(source: BytesSource): Wav {
  using stack = new DisposableStack();
  const file = stack.use(memoryview(source));
  if (file.length < 12 || text(file, 0) !== 'RIFF' || text(file, 8) !== 'WAVE') {
    throw new Error('this is no WAV file');
  }
  const format = findChunk(file, 'fmt ');
  if (format.length < 16) throw new Error('the chunk of the format is cut off');
  const channelCount = uint16(file, format.start + 2);
  if (uint16(file, format.start) !== PCM || uint16(file, format.start + 14) !== 16) {
    throw new Error('only 16-bit PCM is supported');
  }
  if (channelCount === 0) throw new Error('the file has no channel');
  const sampleRate = uint32(file, format.start + 4);
  const data = findChunk(file, 'data');
  const frameBytes = channelCount * BYTES_PER_SAMPLE;
  const end = data.start + data.length - (data.length % frameBytes);
  using bytes = file.slice(data.start, end);
  using samples = bytes.cast('h');
  const views = new DisposableStack();
  const channels = Array.from({ length: channelCount }, (_, channel) =>
    views.use(samples.slice(channel, undefined, channelCount)),
  );
  return { sampleRate, channels, [Symbol.dispose]: () => views.dispose() };
}

function findChunk(file: MemoryView<'B'>, name: string): { start: number; length: number } {
  for (let at = 12; at + 8 <= file.length; ) {
    const length = uint32(file, at + 4);
    if (at + 8 + length > file.length) throw new Error(`the chunk '${text(file, at)}' is cut off`);
    if (text(file, at) === name) return { start: at + 8, length };
    at += 8 + length + (length % 2);
  }
  throw new Error(`there is no chunk '${name}'`);
}

function text(file: MemoryView<'B'>, at: number): string {
  return String.fromCharCode(file.at(at), file.at(at + 1), file.at(at + 2), file.at(at + 3));
}

function uint16(file: MemoryView<'B'>, at: number): number {
  return file.at(at) + file.at(at + 1) * 2 ** 8;
}

function uint32(file: MemoryView<'B'>, at: number): number {
  return uint16(file, at) + uint16(file, at + 2) * 2 ** 16;
}

const [, entry, path] = process.argv;
if (entry === fileURLToPath(import.meta.url) && path !== undefined) {
  using wav = parseWav(readFileSync(path));
  for (const [number, channel] of wav.channels.entries()) {
    let peak = 0;
    for (const sample of channel) peak = Math.max(peak, Math.abs(sample));
    console.log(
      `channel ${number}: ${channel.length} samples at ${wav.sampleRate} Hz, peak ${peak}`,
    );
  }
}
