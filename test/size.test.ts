import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  bundleAlone,
  ENTRIES,
  SUBPATHS,
  sizeTable,
  withSizeTable,
} from '../scripts/bundle-sizes.js';
import { mayContain } from './kit/layers.js';

/** What each subpath may weigh, minified, in bytes. */
const BUDGETS: Readonly<Record<string, number>> = {
  scope: 45_000,
  weak: 29_400,
  gc: 88_000,
  pool: 93_000,
  memoize: 84_800,
  'memoize/adaptive': 11_000,
  'memoize/batch': 5_000,
  'memoize/disposal': 7_400,
  'memoize/dump': 8_400,
  'memoize/s3-fifo': 6_400,
  'memoize/shared': 50_200,
  view: 50_800,
  node: 38_900,
  register: 189_000,
  testing: 161_900,
  'testing/jest': 164_000,
  'testing/jest-setup': 162_300,
  'testing/node': 163_800,
  'testing/vitest': 164_300,
  'testing/vitest-setup': 160_700,
  watchdog: 153_700,
  'integrations/express': 6_300,
  'integrations/fastify': 4_700,
  'integrations/nest': 7_500,
  profile: 57_400,
  'profile/v8': 58_000,
  'integrations/generic-pool': 51_900,
  'integrations/mysql2': 105_400,
  'integrations/pg': 106_800,
  'integrations/redis': 14_600,
  'integrations/tarn': 53_200,
  '.': 512_700,
};

/** What a bundle still imports: packages that a function needs, and built-in modules of Node. */
const IMPORTED: Readonly<Record<string, readonly string[]>> = {
  'testing/node': ['node:test'],
  'testing/vitest': ['vitest'],
  'testing/vitest-setup': ['vitest'],
  'integrations/nest': ['@nestjs/common', '@nestjs/core', 'rxjs'],
  'integrations/mysql2': ['mysql2'],
  'integrations/pg': ['pg'],
  node: [
    'node:async_hooks',
    'node:diagnostics_channel',
    'node:fs',
    'node:module',
    'node:path',
    'node:url',
  ],
  'profile/v8': [
    'node:fs',
    'node:inspector',
    'node:path',
    'node:process',
    'node:timers/promises',
    'node:url',
    'node:v8',
    'node:zlib',
  ],
  register: [
    'node:async_hooks',
    'node:diagnostics_channel',
    'node:fs',
    'node:module',
    'node:path',
    'node:url',
    'node:worker_threads',
  ],
};

/** Gives the folder of `src` that a subpath is in. */
function moduleOf(subpath: string): string {
  return (ENTRIES.get(subpath) ?? '').split('/')[1] ?? '';
}

test('every subpath has a budget', () => {
  expect(Object.keys(BUDGETS).sort()).toEqual(SUBPATHS.toSorted());
});

const sizes = await Promise.all(SUBPATHS.map((subpath) => bundleAlone(subpath)));

test.each(sizes)(
  '$subpath, bundled alone, has only files that its layer may import',
  ({ subpath, inputs, imports }) => {
    expect(inputs.length).toBeGreaterThan(3);
    expect(
      [...new Set(imports)].sort(),
      'the bundle imports nothing else, so it runs on every platform',
    ).toEqual(IMPORTED[subpath] ?? []);
    if (subpath === '.') return;
    const strangers = inputs.filter((input) =>
      input.startsWith('src/')
        ? !mayContain(moduleOf(subpath), input.slice('src/'.length))
        : !(subpath === 'memoize' && input.startsWith('node_modules/lru-cache/')),
    );
    expect(strangers).toEqual([]);
  },
);

test.each(sizes)('$subpath, alone, keeps its budget', ({ subpath, minifiedBytes }) => {
  const budget = BUDGETS[subpath] ?? 0;
  expect(minifiedBytes).toBeLessThanOrEqual(budget);
  expect(minifiedBytes, 'a budget twice as large guards nothing').toBeGreaterThan(budget / 2);
});

test('createPool, imported alone, stays below 77.8 kB', async () => {
  const { minifiedBytes } = await bundleAlone('pool', 'createPool');
  expect(minifiedBytes).toBeLessThanOrEqual(77_800);
});

test('memoize, imported alone, stays below 62.1 kB beside lru-cache, and has no part that is imported apart', async () => {
  const { minifiedBytes, packageBytes, inputs } = await bundleAlone('memoize', 'memoize');
  expect(minifiedBytes - packageBytes).toBeLessThanOrEqual(62_100);
  const apart = /^src\/memoize\/(s3-fifo|shared|disposal|dump)\//;
  expect(inputs.filter((input) => apart.test(input))).toEqual([]);
});

test('the README has the present sizes', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(
    withoutGzip(readme) === withoutGzip(withSizeTable(readme, sizeTable(sizes))),
    'run `npm run sizes`',
  ).toBe(true);
});

/** Versions of Node compress to sizes that differ by a few bytes. */
function withoutGzip(readme: string): string {
  return readme.replace(/^(\| `tenure.*? kB \|).*$/gm, '$1');
}
