import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

test('pools, caches and a watchdog work although no global can be added', () => {
  const index = JSON.stringify(fileURLToPath(new URL('../../src/index.ts', import.meta.url)));
  const adopt = JSON.stringify(
    fileURLToPath(new URL('../../src/integrations/generic-pool.ts', import.meta.url)),
  );
  const code = `
    fetch; // A global that Node sets when it is first read.
    Object.preventExtensions(globalThis);
    const { createPool, memoize, Watchdog } = await import(${index});
    await import(${adopt});
    const pool = createPool({ create: () => ({}), destroy: () => {} });
    const watchdog = new Watchdog({ level: 'advanced' });
    watchdog.watch(pool);
    await watchdog.scope('request', () => pool.lease());
    const leaks = await watchdog.check();
    console.log(leaks.length, await memoize(async (id) => id)(7));
  `;
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', code],
    { encoding: 'utf8', timeout: 60_000 },
  );
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '1 7\n', stderr: '' });
});
