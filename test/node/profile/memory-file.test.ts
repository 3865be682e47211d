import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseMemorySamples, recordMemory } from 'tenure/profile';
import { memoryFile } from 'tenure/profile/v8';
import { expect, test, vi } from 'vitest';
import { FakeClock } from '../../kit/fake-clock.js';
import { temporaryFolder } from '../../kit/temporary-folder.js';

const folder = temporaryFolder();

test('a file has each reading as soon as it is taken, and replaces an older file', async () => {
  const clock = new FakeClock();
  const file = join(folder, 'run.jsonl');
  writeFileSync(file, 'of yesterday');
  const recording = recordMemory({ everyMillis: 500, write: memoryFile(file), clock });
  const written = () => parseMemorySamples(readFileSync(file, 'utf8'));
  expect(written()).toHaveLength(1);
  await clock.advance(500);
  recording.mark('loaded');
  expect(written().map(({ atMillis, label }) => [atMillis, label])).toEqual([
    [0, undefined],
    [500, undefined],
    [500, 'loaded'],
  ]);
  await clock.advance(700);
  recording[Symbol.dispose]();
  recording[Symbol.dispose]();
  recording.mark('too late');
  await clock.advance(5_000);
  expect(written()).toEqual(recording.samples());
  expect(written().map(({ atMillis }) => atMillis)).toEqual([0, 500, 500, 1_000, 1_200]);
  expect(written().every(({ rss = 0, heapUsed = 0 }) => rss > heapUsed && heapUsed > 0)).toBe(true);
});

test('a file whose folder was removed is given up with a message, and the recording goes on', async () => {
  const clock = new FakeClock();
  const gone = join(folder, 'gone');
  mkdirSync(gone);
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const write = memoryFile(join(gone, 'run.jsonl'));
  using recording = recordMemory({ everyMillis: 500, write, clock });
  rmSync(gone, { recursive: true });
  await clock.advance(10_000);
  const messages = print.mock.calls.map(([text]) => String(text));
  print.mockRestore();
  expect(messages).toEqual([
    'tenure: error ignored in `write` of recordMemory, which is called no more:',
  ]);
  expect(recording.samples()).toHaveLength(21);
});

test('a path that cannot be written, or is none, is refused at once', () => {
  expect(() => memoryFile(join(folder, 'no/run.jsonl'))).toThrow('ENOENT');
  expect(() => memoryFile('')).toThrow('`file` must be');
  expect(() => memoryFile(undefined as never)).toThrow('`file` must be');
});
