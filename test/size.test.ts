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
  scope: 46_300,
  weak: 29_700,
  gc: 88_000,
  pool: 94_100,
  memoize: 85_700,
  'memoize/adaptive': 11_000,
  'memoize/batch': 5_000,
  'memoize/disposal': 7_400,
  'memoize/dump': 8_400,
  'memoize/s3-fifo': 6_400,
  'memoize/shared': 50_500,
  view: 50_800,
  node: 40_600,
  register: 194_900,
  testing: 166_100,
  'testing/jest': 168_300,
  'testing/jest-setup': 166_300,
  'testing/node': 168_000,
  'testing/vitest': 168_600,
  'testing/vitest-setup': 164_700,
  watchdog: 157_800,
  'integrations/express': 6_300,
  'integrations/fastify': 4_700,
  'integrations/nest': 7_500,
  profile: 57_400,
  'profile/v8': 58_000,
  'integrations/generic-pool': 53_700,
  'integrations/mysql2': 108_100,
  'integrations/pg': 109_500,
  'integrations/redis': 15_000,
  'integrations/tarn': 54_300,
  '.': 519_700,
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

test('createPool, imported alone, stays below 79.0 kB', async () => {
  const { minifiedBytes } = await bundleAlone('pool', 'createPool');
  expect(minifiedBytes).toBeLessThanOrEqual(79_000);
});

test('memoize, imported alone, stays below 63.0 kB beside lru-cache, and has no part that is imported apart', async () => {
  const { minifiedBytes, packageBytes, inputs } = await bundleAlone('memoize', 'memoize');
  expect(minifiedBytes - packageBytes).toBeLessThanOrEqual(63_000);
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
