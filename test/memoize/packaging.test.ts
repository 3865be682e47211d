/** What hosts forbid that packages of this kind have tripped over; the dependency is bundled in, so it counts too. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { expect, test } from 'vitest';

const PROGRAM = `
  const fn = memoize((x) => x * 2, { max: 10, ttl: 1000 });
  console.log(fn(21), fn(21), fn.cacheInfo().hits);
`;

async function bundleOf(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../src/memoize/index.ts', import.meta.url))],
    bundle: true,
    format: 'cjs', // Which has no top-level await: the build would fail.
    platform: 'neutral',
    mainFields: ['module', 'main'],
    ...options,
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

test.each(['lru-cache', 'lru-cache-lowest'])(
  'with %s, runs where code may not be made of strings, and awaits nothing at the top: isaacs/node-lru-cache#397, #400',
  async (lruCache) => {
    const alias: Record<string, string> = lruCache === 'lru-cache' ? {} : { 'lru-cache': lruCache };
    const bundle = await bundleOf({ alias });
    const printed = execFileSync(
      process.execPath,
      ['--disallow-code-generation-from-strings', '-'],
      {
        input: `${bundle}\n${PROGRAM}`,
        encoding: 'utf8',
      },
    );
    expect(printed.trim()).toBe('42 42 1');
  },
);

test('a request that imports the package first is not seen by the callbacks of others: cloudflare/vinext#2740', async () => {
  const bundle = await bundleOf({});
  const program = `
    const { AsyncLocalStorage } = require('node:async_hooks');
    const requests = new AsyncLocalStorage();
    const { memoize } = requests.run('first', () => {
      ${bundle}
      return module.exports;
    });
    const seen = [];
    const fn = memoize(async (id) => id, {
      cacheIf: () => { seen.push(requests.getStore() ?? 'none'); return true; },
    });
    requests.run('second', () => fn(1)).then(() => console.log(seen.join()));
  `;
  const printed = execFileSync(process.execPath, ['-'], { input: program, encoding: 'utf8' });
  expect(printed.trim()).toBe('none');
});

test('every kind of cache serves plain calls in a bundle without strict mode, as esbuild writes CommonJS', async () => {
  const bundle = await bundleOf({
    tsconfigRaw: { compilerOptions: { strict: false, alwaysStrict: false } },
  });
  const program = `
    const all = [{}, { max: 9 }, { ttl: 9_000 }, { max: 9, ttl: 9_000 }, { max: 9, idleTtl: 9_000 }];
    all.push({ max: 9, ttl: 9_000, staleIfError: 9_000 }, { key: String }, { weakValues: true });
    const counts = all.map((options) => {
      let loads = 0;
      const arrow = memoize((...args) => ({ load: ++loads, args }), options);
      const method = memoize(function (...args) { return { load: ++loads, args }; }, options);
      for (const fn of [arrow, method]) for (const x of [1, 'a', all]) { fn(x); fn(x); Reflect.apply(fn, globalThis, [x]); }
      for (const fn of [arrow, method]) { fn(2, 3); fn(2, 3); }
      return [loads, arrow.cacheInfo().hits, method.cacheInfo().hits].join();
    });
    console.log(counts.join(' '));
  `;
  const printed = execFileSync(process.execPath, ['-'], {
    input: `${bundle}\n${program}`,
    encoding: 'utf8',
  });
  expect(printed.trim().split(' ')).toEqual(Array.from({ length: 8 }, () => '8,7,7'));
});
