/** Reports of a program that a bundler has merged with this package, as it is and minified. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BuildOptions, build } from 'esbuild';
import { expect, test } from 'vitest';
import { formatReport, type LeakReport } from '../../src/watchdog/index.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const PROGRAM = `
  import { createPool } from './src/pool/index.js';
  import { Watchdog } from './src/watchdog/index.js';
  const watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
  const pool = createPool({ create: () => ({}), destroy() {} }, { name: 'db' });
  watchdog.watch(pool);
  async function findOrders() { await pool.lease(); }
  function handleRequest() { return watchdog.scope('GET /orders', findOrders); }
  for (let i = 0; i < 2; i++) await handleRequest();
  console.log(JSON.stringify(await watchdog.check()));
  process.exit();
`;

async function reportsOf(options: BuildOptions = {}): Promise<readonly LeakReport[]> {
  const folder = await mkdtemp(join(tmpdir(), 'tenure-bundle-'));
  try {
    const outfile = join(folder, 'app.mjs');
    await build({
      stdin: { contents: PROGRAM, resolveDir: ROOT, loader: 'ts' },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      outfile,
      logLevel: 'error',
      ...options,
    });
    const { stdout } = await promisify(execFile)(process.execPath, [outfile]);
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const namesOf = ([report]: readonly LeakReport[]): string[] | undefined =>
  report?.stack
    .filter(({ file }) => !file.startsWith('node:'))
    .map(({ functionName }) => functionName);

test('a bundle: the frames of this package are left out', async () => {
  const reports = await reportsOf();
  expect(reports).toMatchObject([
    { rule: 'orphaned', count: 2, site: { functionName: 'findOrders' } },
  ]);
  expect(namesOf(reports)).toEqual(['findOrders', 'handleRequest', '']);
  expect(formatReport(reports)).not.toContain('minified');
});

test('a bundle of webpack, which puts the path of the file from before into import.meta.url: the frames of this package are left out', async () => {
  const path = JSON.stringify('file:///app/node_modules/tenure/dist/core/call-site.js');
  const reports = await reportsOf({ define: { 'import.meta.url': path } });
  expect(namesOf(reports)).toEqual(['findOrders', 'handleRequest', '']);
});

test('a minified bundle: the frames of this package are left out, and the report asks for source maps', async () => {
  const reports = await reportsOf({ minify: true });
  expect(reports).toMatchObject([{ rule: 'orphaned', count: 2 }]);
  expect(namesOf(reports)).toHaveLength(3);
  const lines = formatReport(reports, { maxLines: 15 }).split('\n');
  expect(lines.at(-1)).toContain('--enable-source-maps');
  expect(lines.length).toBeLessThanOrEqual(15);
});
