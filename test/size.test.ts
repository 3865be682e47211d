import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bundleAlone, SUBPATHS, sizeTable, withSizeTable } from '../scripts/bundle-sizes.js';
import { mayContain } from './kit/layers.js';

/** What each subpath may weigh, minified, in bytes: about a sixth more than it does. */
const BUDGETS: Readonly<Record<string, number>> = {
  scope: 37_400,
  weak: 28_600,
  gc: 81_000,
  pool: 75_000,
  memoize: 73_000,
  'memoize/adaptive': 11_000,
  'memoize/batch': 5_000,
  'memoize/disposal': 5_800,
  'memoize/dump': 8_200,
  'memoize/s3-fifo': 6_400,
  'memoize/shared': 26_400,
  view: 49_000,
  node: 6_300,
  profile: 48_700,
  watchdog: 77_000,
  'integrations/generic-pool': 36_000,
  'integrations/mysql2': 92_000,
  'integrations/pg': 92_000,
  'integrations/redis': 7_500,
  'integrations/tarn': 36_000,
  '.': 385_000,
};

/** Packages that a subpath loads with `import()` when a function needs them. */
const LOADED_WHEN_NEEDED: Readonly<Record<string, readonly string[]>> = {
  'integrations/mysql2': ['mysql2'],
  'integrations/pg': ['pg'],
};

test('every subpath has a budget', () => {
  expect(Object.keys(BUDGETS).sort()).toEqual(SUBPATHS.toSorted());
});

const sizes = await Promise.all(SUBPATHS.map((subpath) => bundleAlone(subpath)));

test.each(sizes)(
  '$subpath, bundled alone, has only files that its layer may import',
  ({ subpath, inputs, imports }) => {
    expect(inputs.length).toBeGreaterThan(3);
    expect(imports, 'the bundle imports nothing, so it runs on every platform').toEqual(
      LOADED_WHEN_NEEDED[subpath] ?? [],
    );
    if (subpath === '.') return;
    const strangers = inputs.filter((input) =>
      input.startsWith('src/')
        ? !mayContain(subpath.split('/')[0] as string, input.slice('src/'.length))
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

test('createPool, imported alone, stays below 60 kB', async () => {
  const { minifiedBytes } = await bundleAlone('pool', 'createPool');
  expect(minifiedBytes).toBeLessThanOrEqual(60_000);
});

test('memoize, imported alone, stays below 46 kB beside lru-cache, and has no part that is imported apart', async () => {
  const { minifiedBytes, packageBytes, inputs } = await bundleAlone('memoize', 'memoize');
  expect(minifiedBytes - packageBytes).toBeLessThanOrEqual(46_000);
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
