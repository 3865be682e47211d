import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { census } from 'tenure/profile';
import { estimateSnapshot, openSnapshot, sample, takeSnapshot } from 'tenure/profile/v8';
import { expect, test, vi } from 'vitest';
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
  writeFileSync(join(folder, 'file'), '');
  for (const [path, code] of [
    ['no/such/folder/app.heapsnapshot', 'ENOENT'],
    ['file/app.heapsnapshot', 'ENOTDIR'],
  ] as const) {
    const nowhere = { file: join(folder, path), onEstimate: () => {} };
    await expect(takeSnapshot(nowhere)).rejects.toMatchObject({
      code: 'TENURE_PROFILE_NOT_WRITTEN',
      cause: { code },
    });
  }
  const before = readdirSync(folder);
  await expect(takeSnapshot({} as never)).rejects.toThrow('`file` is missing');
  await expect(takeSnapshot({ file, maxPeakBytes: -1 })).rejects.toThrow('`maxPeakBytes`');
  expect(readdirSync(folder)).toEqual(before);
});

test('two snapshots of one file at one time are both written', async () => {
  const shared = join(folder, 'shared.heapsnapshot');
  const both = [1, 2].map(() => takeSnapshot({ file: shared, onEstimate: () => {} }));
  expect((await Promise.all(both)).map(({ file: written }) => written)).toEqual([shared, shared]);
  expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
}, 120_000);

test('a snapshot without scripts has none of an earlier one beside it', async () => {
  const again = join(folder, 'again.heapsnapshot');
  writeFileSync(`${again}.scripts.json`, '{"1":"earlier.js"}');
  await takeSnapshot({ file: again, scripts: false, onEstimate: () => {} });
  expect(existsSync(`${again}.scripts.json`)).toBe(false);
}, 120_000);

test('of two snapshots of one process, a census tells what came between, also with a sampling between', async () => {
  class Ticket {}
  const [early, late] = ['early', 'late'].map((name) => join(folder, `${name}.heapsnapshot`));
  const tickets = [new Ticket(), new Ticket()];
  await takeSnapshot({ file: early as string, onEstimate: () => {} });
  const before = census(await openSnapshot(early as string));
  await sample().stop();
  sample()[Symbol.dispose]();
  tickets.push(new Ticket(), new Ticket(), new Ticket());
  await takeSnapshot({ file: late as string, onEstimate: () => {} });
  const grown = census(await openSnapshot(late as string), { since: before });
  expect(grown.row('Ticket').total.count).toBe(3);
  expect(tickets).toHaveLength(5);
}, 120_000);

test('a snapshot that fails at its end leaves nothing, not even the names of scripts', async () => {
  mkdirSync(join(folder, 'taken'));
  const before = readdirSync(folder);
  const failure = takeSnapshot({ file: join(folder, 'taken'), onEstimate: () => {} });
  await expect(failure).rejects.toMatchObject({ code: 'TENURE_PROFILE_NOT_WRITTEN' });
  expect(readdirSync(folder)).toEqual(before);
}, 120_000);

test('an estimate that nobody can read ends no process', async () => {
  const program = `
    import { takeSnapshot } from 'tenure/profile/v8';
    await takeSnapshot({ file: 'never', maxPeakBytes: 1 }).catch(() => {});
    setImmediate(() => process.exit(7));`;
  const args = ['--import', import.meta.resolve('tsx'), '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, { cwd: import.meta.dirname });
  child.stderr.destroy();
  expect(await once(child, 'close')).toEqual([7, null]);
});

test('an estimate is a sentence with its source', () => {
  const { text, nodes, peakBytes } = estimateSnapshot();
  expect(text).toContain('estimated from the size of the heap');
  expect(peakBytes).toBe(nodes * 470);
});
