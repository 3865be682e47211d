import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const source = (path: string): string =>
  JSON.stringify(fileURLToPath(new URL(`../../src/${path}`, import.meta.url)));

/** Runs a program, and gives its status and what it prints. */
function run(code: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}

/** Globals that Node sets when they are first read, and after a program of `--eval`. */
const READ_GLOBALS = `fetch; AbortController; Object.defineProperty(globalThis, 'module', { set() {} });`;

test('pools, caches and a watchdog work although no global can be added', () => {
  const code = `
    ${READ_GLOBALS}
    Object.preventExtensions(globalThis);
    const { createPool, memoize, Watchdog } = await import(${source('index.ts')});
    await import(${source('integrations/generic-pool.ts')});
    const pool = createPool({ create: () => ({}), destroy: () => {} });
    const watchdog = new Watchdog({ level: 'advanced' });
    watchdog.watch(pool);
    await watchdog.scope('request', () => pool.lease());
    const leaks = await watchdog.check();
    console.log(leaks.length, await memoize(async (id) => id)(7));
  `;
  expect(run(code)).toMatchObject({ status: 0, stdout: '1 7\n', stderr: '' });
});

const IMPORTS = `
  const { createPool } = await import(${source('pool/index.ts')});
  const { register } = await import(${source('node/register/registration.ts')});
  const { watchForeignPools } = await import(${source('node/foreign-pools/watch-foreign-pools.ts')});
  const { Watchdog } = await import(${source('watchdog/index.ts')});
  const { expectNoLeaks } = await import(${source('testing/index.ts')});
`;

test.each([
  ['preventExtensions', 'before'],
  ['freeze', 'before'],
  ['freeze', 'after'],
])('each component is watched if Object.%s(globalThis) is called %s the import', (method, when) => {
  const freeze = `Object.${method}(globalThis);`;
  const code = `
    ${READ_GLOBALS}
    ${when === 'before' ? freeze : ''}
    ${IMPORTS}
    ${when === 'after' ? freeze : ''}
    const once = new Watchdog();
    for (let i = 0; i < 2; i++) watchForeignPools(once)[Symbol.dispose]();
    const { watchdog } = register();
    console.log(register().watchdog === watchdog);
    const lose = () => createPool({ create: () => ({}), destroy: () => {} }).lease();
    await watchdog.scope('request', lose);
    console.log((await watchdog.check()).length);
    console.log((await expectNoLeaks(lose).catch((error) => error)).code);
  `;
  expect(run(code)).toMatchObject({ status: 0, stdout: 'true\n1\nTENURE_LEAKS_FOUND\n' });
});
