import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { estimateSnapshot, recordMemory, takeSnapshot } from 'tenure/profile/v8';
import { expect, test, vi } from 'vitest';
import { FakeClock } from '../../kit/fake-clock.js';
import { temporaryFolder } from '../../kit/temporary-folder.js';

const folder = temporaryFolder();
const file = join(folder, 'app.heapsnapshot');

test('a snapshot above the limit is refused after its estimate, and nothing is written', async () => {
  const print = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const error = await takeSnapshot({ file, maxPeakBytes: 1000 }).catch((it: unknown) => it);
  const printed = print.mock.calls.map(([text]) => String(text)).join('');
  print.mockRestore();
  expect(error).toMatchObject({ code: 'TENURE_PROFILE_TOO_LARGE', limitBytes: 1000 });
  expect(String(error)).toContain('Raise `maxPeakBytes`');
  expect(printed).toMatch(/^tenure: heap snapshot: a heap of .* MB gives up to .* nodes/);
  expect(readdirSync(folder)).toEqual([]);
});

test('what onEstimate throws stops the snapshot', async () => {
  const stop = takeSnapshot({
    file,
    onEstimate: () => {
      throw new Error('not now');
    },
  });
  await expect(stop).rejects.toThrow('not now');
  expect(existsSync(file)).toBe(false);
});

test('a snapshot is complete when it appears, has its scripts beside it, and stays below its estimate', async () => {
  const info = await takeSnapshot({ file, onEstimate: () => {} });
  expect(info.nodes).toBeLessThanOrEqual(info.estimate.nodes);
  expect(info.nodes).toBeGreaterThan(10_000);
  expect(info.bytes).toBeGreaterThan(1e6);
  expect(readdirSync(folder).sort()).toEqual(['app.heapsnapshot', 'app.heapsnapshot.scripts.json']);
  const scripts = JSON.parse(readFileSync(`${file}.scripts.json`, 'utf8'));
  expect(Object.values(scripts).some((url) => String(url).startsWith('node:'))).toBe(true);
}, 120_000);

test('a file that cannot be written is refused at once, and leaves nothing', async () => {
  const nowhere = join(folder, 'no/such/folder/app.heapsnapshot');
  await expect(takeSnapshot({ file: nowhere, onEstimate: () => {} })).rejects.toMatchObject({
    code: 'TENURE_PROFILE_NOT_WRITTEN',
    cause: { code: 'ENOENT' },
  });
  const before = readdirSync(folder);
  await expect(takeSnapshot({} as never)).rejects.toThrow('`file` is missing');
  await expect(takeSnapshot({ file, maxPeakBytes: -1 })).rejects.toThrow('`maxPeakBytes`');
  expect(readdirSync(folder)).toEqual(before);
});

test('an estimate is a sentence with its source', () => {
  const { text, nodes, peakBytes } = estimateSnapshot();
  expect(text).toContain('estimated from the size of the heap');
  expect(peakBytes).toBe(nodes * 470);
});

test('a record has a sample for each interval and each mark, and ends with its block', async () => {
  const clock = new FakeClock();
  const record = join(folder, 'run.jsonl');
  const recording = recordMemory({ file: record, intervalMillis: 500, clock });
  await clock.advance(500);
  recording.mark('loaded');
  await clock.advance(700);
  recording[Symbol.dispose]();
  recording[Symbol.dispose]();
  recording.mark('too late');
  await clock.advance(5000);
  const samples = readFileSync(record, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(samples.map(({ atMillis, label }) => [atMillis, label])).toEqual([
    [0, undefined],
    [500, undefined],
    [500, 'loaded'],
    [1000, undefined],
    [1200, undefined],
  ]);
  expect(samples.every(({ rss, heapUsed }) => rss > heapUsed && heapUsed > 0)).toBe(true);
});

test('a record whose folder was removed ends with a message', async () => {
  const clock = new FakeClock();
  const gone = join(folder, 'gone');
  mkdirSync(gone);
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const recording = recordMemory({ file: join(gone, 'run.jsonl'), clock });
  rmSync(gone, { recursive: true });
  await clock.advance(10_000);
  recording.mark('too late');
  recording[Symbol.dispose]();
  const messages = print.mock.calls.map(([text]) => String(text));
  print.mockRestore();
  expect(messages).toEqual(['tenure: error ignored in recordMemory, which has ended:']);
  expect(() => recordMemory({ file: join(folder, 'no/run.jsonl') })).toThrow('ENOENT');
  expect(() => recordMemory({} as never)).toThrow('`file` is missing');
});
