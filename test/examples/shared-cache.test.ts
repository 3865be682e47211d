/** The example of a shared cache, run as a reader runs it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { canConnect, RedisServer } from '../integrations/redis/redis-server.js';

const EXAMPLE = fileURLToPath(new URL('../../examples/shared-cache/main.ts', import.meta.url));

test.skipIf(!canConnect)('the two caches share one load, and both see the change', async () => {
  await using server = await RedisServer.any();
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', EXAMPLE], {
    env: { ...process.env, REDIS_URL: server.url },
    timeout: 15_000,
  });
  expect(stdout.trim().split('\n')).toEqual([
    'tea costs 3 here and 3 there, after 1 load',
    'tea costs 4 here and 4 there',
  ]);
});
