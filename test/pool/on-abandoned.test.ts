import { expect, test } from 'vitest';
import { createKeyedPool, createPool, type PoolOptions } from '../../src/pool/index.js';
import { type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { settle } from '../kit/settle.js';
import { until } from '../kit/until.js';

function watched(options: PoolOptions = {}) {
  const destroyed: string[] = [];
  const factory = {
    create: () => ({}),
    destroy: (_resource: object, reason: string) => void destroyed.push(reason),
  };
  const pool = createPool(factory, { name: 'db', max: 1, ...options });
  const watchdog = new Watchdog({ graceMillis: 0 });
  watchdog.watch(pool);
  return {
    pool,
    watchdog,
    destroyed,
    async [Symbol.asyncDispose](): Promise<void> {
      watchdog[Symbol.dispose]();
      await pool.close({ graceMillis: 0, force: true });
    },
  };
}

/** Takes a lease and loses it. */
async function lose(pool: { lease(): Promise<unknown> }): Promise<void> {
  await pool.lease();
  await settle();
}

test("onAbandoned: 'destroy' gives the place of a lost lease to the caller that waits, and the leak stays reported", async () => {
  await using t = watched({ onAbandoned: 'destroy' });
  await lose(t.pool);
  const waiting = t.pool.lease();
  await until(async () => {
    await collectGarbage();
    return t.destroyed.length > 0;
  });
  const lease = await waiting;
  expect(t.destroyed).toEqual(['abandoned']);
  expect(t.pool.stats()).toMatchObject({ size: 1, borrowed: 1, created: 2, destroyed: 1 });
  expect(await t.watchdog.check()).toMatchObject([
    { rule: 'abandoned', certainty: 'certain', count: 1 },
  ] satisfies Partial<LeakReport>[]);
  await lease.release();
  expect(t.watchdog.stats().loansOut).toBe(0);
});

test('by default the resource stays out: its loss is reported only', async () => {
  await using t = watched();
  await lose(t.pool);
  await until(async () => {
    await collectGarbage();
    return (await t.watchdog.check()).length > 0;
  });
  expect(t.destroyed).toEqual([]);
  expect(t.pool.borrowed).toBe(1);
});

test('a lease that is reachable is left alone, however long it is held, and so is a resource of acquire()', async () => {
  await using t = watched({ onAbandoned: 'destroy', max: 2 });
  const lease = await t.pool.lease();
  await t.pool.acquire();
  await settle();
  for (let i = 0; i < 3; i++) await collectGarbage();
  expect(t.pool.borrowed).toBe(2);
  expect(lease.resource).toEqual({});
  await lease.release();
});

test('a keyed pool destroys the lost resource of its key', async () => {
  const destroyed: string[] = [];
  const pools = createKeyedPool(
    (key: string) => ({ create: () => ({}), destroy: () => void destroyed.push(key) }),
    { onAbandoned: 'destroy', max: 1 },
  );
  using watchdog = new Watchdog({ graceMillis: 0 });
  watchdog.watch(pools);
  const held = await pools.lease('a');
  await lose({ lease: () => pools.lease('b') });
  await until(async () => {
    await collectGarbage();
    return destroyed.length > 0;
  });
  expect(destroyed).toEqual(['b']);
  await held.release();
  await pools.close();
});

test('another word than report and destroy is refused', () => {
  expect(() =>
    createPool({ create: () => ({}), destroy: () => {} }, { onAbandoned: 'kill' as never }),
  ).toThrow(expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }));
});
