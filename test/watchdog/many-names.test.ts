import { expect, test } from 'vitest';
import { MinimalPool } from './minimal-pool.js';
import { watchedPool } from './watched-pool.js';

/** More scopes than the simulated heap has names for, as a client makes them that tries thousands of paths. */
const PATHS = 5_000;

test('a client that asks for thousands of paths does not take the names of lines and pools', async () => {
  using t = watchedPool();
  for (let i = 0; i < PATHS; i++) {
    t.watchdog.scope(`GET /path-${i}x`, () => t.pool.lease().release());
  }
  const late = new MinimalPool('late');
  late.addResource();
  t.watchdog.watch(late);
  for (const pool of [t.pool, late]) {
    const scope = t.watchdog.openScope('GET /orders');
    scope.run(() => pool.lease());
    scope.end();
  }
  const leaks = await t.watchdog.check();
  expect(leaks.map(({ path = [] }) => path.at(-1)).sort()).toEqual([
    expect.stringMatching(/^lease "db" .*many-names\.test\.ts:\d+:\d+$/),
    expect.stringMatching(/^lease "late" .*many-names\.test\.ts:\d+:\d+$/),
  ]);
  expect(leaks.map(({ counters }) => counters?.born)).toEqual([1, 1]);
});
