/** What hosts forbid that packages of this kind have tripped over; the dependency is bundled in, so it counts too. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const PROGRAM = `
  const fn = memoize((x) => x * 2, { max: 10, ttl: 1000 });
  console.log(fn(21), fn(21), fn.cacheInfo().hits);
`;

test.each(['lru-cache', 'lru-cache-lowest'])(
  'with %s, runs where code may not be made of strings, and awaits nothing at the top: isaacs/node-lru-cache#397, #400',
  async (lruCache) => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('../../src/memoize/index.ts', import.meta.url))],
      bundle: true,
      format: 'cjs', // Which has no top-level await: the build would fail.
      platform: 'neutral',
      mainFields: ['module', 'main'],
      alias: lruCache === 'lru-cache' ? {} : { 'lru-cache': lruCache },
      write: false,
    });
    const bundle = outputFiles[0]?.text ?? '';
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
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../src/memoize/index.ts', import.meta.url))],
    bundle: true,
    format: 'cjs',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    write: false,
  });
  const program = `
    const { AsyncLocalStorage } = require('node:async_hooks');
    const requests = new AsyncLocalStorage();
    const { memoize } = requests.run('first', () => {
      ${outputFiles[0]?.text ?? ''}
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
