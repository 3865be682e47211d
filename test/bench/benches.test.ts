/** Every bench in the list runs, at a small scale whose figures mean nothing. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { BENCHES, runBench } from '../../bench/benches.js';
import { versionOf } from '../../bench/machine.js';

const names = BENCHES.map(({ name }) => name);

test.each(names)('bench/%s.ts gives rows', { timeout: 60_000 }, async (name) => {
  const { rows, packages, skipped } = await runBench(name, { rounds: 1, scale: 0.001 }, 'sources');
  if (skipped === undefined) expect(rows.length).toBeGreaterThan(0);
  else expect(skipped).toMatch(/python3.11|there is no/);
  for (const { measured, result } of rows) expect(result, measured).toBeTypeOf('number');
  for (const each of packages) expect(versionOf(each)).toMatch(/^(\d+\.\d+\.\d+|absent)/);
});

test('a bench that fails rejects with what it printed', async () => {
  await expect(runBench('pool/none', { rounds: 1 }, 'sources')).rejects.toThrow(
    /exited with 1:.*Cannot find module/s,
  );
});

test('every module that gives rows is in the list', async () => {
  const folder = new URL('../../bench/', import.meta.url);
  const modules = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.includes('/') && file.endsWith('.ts'))
    .map((file) => file.replace(/\.ts$/, ''));
  const withRows: string[] = [];
  for (const name of modules) {
    const module = (await import(new URL(`${name}.ts`, folder).href)) as object;
    if ('rows' in module) withRows.push(name);
  }
  expect(withRows.sort()).toEqual(names.toSorted());
});
