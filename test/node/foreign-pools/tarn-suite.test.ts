/** A program that uses every behaviour of tarn sees the same with and without `--import tenure/register`. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('tarn-behaviours.mjs', import.meta.url));
const REGISTER = new URL('../../../src/node/register/index.ts', import.meta.url).href;

/** Behaviours in which every resource comes back, or its pool is destroyed with it. */
interface Behaviour {
  readonly title: string;
  readonly notes: readonly unknown[];
}

async function run(flags: readonly string[], tenure = ''): Promise<readonly Behaviour[]> {
  const args = ['--import', import.meta.resolve('tsx'), ...flags, PROGRAM];
  const env = { ...process.env, TENURE: tenure };
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Behaviour);
}

let folder: string;
let bare: readonly Behaviour[];
let watched: readonly Behaviour[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenure-tarn-'));
  bare = await run([]);
  watched = await run(['--import', REGISTER], `leaks=log,json=${join(folder, 'report.json')}`);
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('each behaviour of tarn is the same, in its results and in the order of its events', () => {
  expect(bare).toHaveLength(27);
  for (const [i, { title, notes }] of bare.entries()) expect(watched[i]).toEqual({ title, notes });
});

test('the flag has watched the loans of all those pools', () => {
  const report = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as {
    readonly loans: number;
    readonly watched: readonly string[];
  };
  expect(report.loans).toBeGreaterThan(500);
  expect(report.watched.length).toBeGreaterThan(0);
});
