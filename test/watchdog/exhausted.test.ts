/** The rule *exhausted*: a pool that is exhausted, with its holders. */
import { expect, test } from 'vitest';
import { createKeyedPool, createPool, type Lease } from '../../src/pool/index.js';
import { Watchdog, type WatchdogOptions } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';
import { settle } from '../kit/settle.js';
import { watchedPool } from './watched-pool.js';

function service(max: number, options: WatchdogOptions = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, graceMillis: 0, ...options });
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { name: 'db', max, clock, acquireTimeoutMillis: 500 },
  );
  watchdog.watch(pool);
  const told: string[] = [];
  watchdog.on('leak', ({ rule, count }) => told.push(`leak ${rule} ×${count}`));
  watchdog.on('retracted', ({ rule, count }) => told.push(`retracted ${rule} ×${count}`));
  /** The leases that are lost. They are held here, because V8 proves of others that no code can release them. */
  const lost: Lease<object>[] = [];
  const lose = async (): Promise<Lease<object>> => {
    const lease = await pool.lease(); // where leases are lost
    lost.push(lease);
    return lease;
  };
  return {
    clock,
    watchdog,
    pool,
    told,
    lose,
    /** Calls in vain. */
    async refuse(): Promise<void> {
      const refused = pool.lease().catch(() => {});
      await clock.advance(500);
      await refused;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const closed = pool.close({ graceMillis: 0, force: true }).catch(() => {});
      await clock.advance(0);
      await closed;
      watchdog[Symbol.dispose]();
    },
  };
}

test('a quiet service whose pool is exhausted is told which loans keep it exhausted', async () => {
  await using t = service(2);
  const kept = [await t.lose(), await t.lose()];
  await t.refuse();
  await t.clock.advance(70_000);
  expect(await t.watchdog.check()).toMatchObject([
    {
      rule: 'exhausted',
      certainty: 'suspect',
      count: 2,
      site: { line: lineOf(import.meta.url, '// where leases are lost') },
    },
  ]);
  expect(t.told).toEqual(['leak exhausted ×1', 'leak exhausted ×2']);
  await kept[0]?.release();
  expect(await t.watchdog.check()).toEqual([]);
  expect(t.told.slice(2)).toEqual(['retracted exhausted ×1', 'retracted exhausted ×0']);
});

test.each([
  ['leave by their signal', {}],
  ['are refused since none may wait', { maxWaitingClients: 0 }],
])('a pool is exhausted although its callers %s before anybody looks', async (_how, options) => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'simple', clock, graceMillis: 0 });
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { name: 'db', max: 1, clock, ...options },
  );
  watchdog.watch(pool);
  const lost = await pool.lease();
  for (let i = 0; i < 8; i++) {
    const client = new AbortController();
    const refused = pool.lease({ signal: client.signal }).catch(() => {});
    client.abort();
    await refused;
    await clock.advance(10_000);
  }
  expect(await watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 1 }]);
  await lost.release();
});

test.each(['simple', 'sampled'] as const)(
  'a keyed pool is exhausted by one key that has all resources, and another key waits; level %s',
  async (level) => {
    const clock = new FakeClock();
    using watchdog = new Watchdog({ level, clock, graceMillis: 0 });
    const pools = createKeyedPool(
      (_tenant: string) => ({ create: () => ({}), destroy: () => {} }),
      {
        name: 'tenants',
        max: 20,
        maxTotal: 10,
        clock,
        acquireTimeoutMillis: 500,
      },
    );
    watchdog.watch(pools);
    const lost = [];
    for (let i = 0; i < 10; i++) lost.push(await pools.lease('acme'));
    for (let i = 0; i < 10; i++) {
      const refused = pools.lease('other').catch(() => {});
      await clock.advance(10_000);
      await refused;
    }
    expect(await watchdog.check()).toMatchObject([
      { rule: 'exhausted', count: 10, component: { name: 'tenants', part: 'acme' } },
    ]);
    for (const lease of lost) await lease.release();
    expect(await watchdog.check()).toEqual([]);
  },
);

test('a pool that is slow for all is not exhausted before the time in which nothing comes back is over', async () => {
  await using t = service(2);
  await t.lose();
  await t.lose();
  for (let i = 0; i < 60; i++) {
    await t.refuse();
    await t.clock.advance(400);
    expect(await t.watchdog.check()).toEqual([]);
  }
});

test('a full pool is not exhausted while no caller wants more, or while loans come back', async () => {
  await using t = service(2);
  await t.lose();
  await t.lose();
  await t.clock.advance(3_600_000);
  expect(await t.watchdog.check()).toEqual([]);

  await using busy = service(2);
  await busy.lose();
  for (let i = 0; i < 10; i++) {
    const lease = await busy.pool.lease();
    await busy.refuse();
    await busy.clock.advance(20_000);
    expect(await busy.watchdog.check()).toEqual([]);
    await lease.release();
  }
});

test('a pool that has become smaller is not exhausted while loans come back', async () => {
  await using t = service(8);
  const held = await Promise.all(Array.from({ length: 8 }, () => t.pool.lease()));
  await t.pool.resize({ max: 2 });
  for (const lease of held) {
    await t.refuse();
    await t.clock.advance(40_000);
    expect(await t.watchdog.check()).toEqual([]);
    await lease.release();
  }
});

test.each(['simple', 'counters'] as const)(
  'a pool that is full when its watch begins is exhausted a minute later; level %s',
  async (level) => {
    const clock = new FakeClock();
    await clock.advance(3_600_000);
    const pool = createPool(
      { create: () => ({}), destroy: () => {} },
      { max: 1, clock, acquireTimeoutMillis: 500_000 },
    );
    const held = await pool.lease();
    const waiting = pool.lease();
    using watchdog = new Watchdog({ level, clock, graceMillis: 0 });
    watchdog.watch(pool);
    await clock.advance(50_000);
    expect(await watchdog.check()).toEqual([]);
    await clock.advance(30_000);
    expect(await watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 1 }]);
    await held.release();
    await (await waiting).release();
  },
);

test('a full pool is not exhausted by callers that were refused before its last loan', async () => {
  await using t = service(2);
  await t.lose();
  const returned = await t.lose();
  await t.refuse();
  expect(await t.watchdog.check()).toEqual([]);
  await returned.release();
  await t.lose();
  for (let i = 0; i < 10; i++) {
    await t.clock.advance(10_000);
    expect(await t.watchdog.check()).toEqual([]);
  }
});

test('a pool is exhausted at the number of resources that its server allows for now', async () => {
  using t = watchedPool({ graceMillis: 0 });
  t.pool.figures = { borrowed: 2, max: 10, effectiveMax: 2, pending: 1 };
  const held = Array.from({ length: 2 }, () => t.pool.lease());
  await t.watchdog.check();
  t.clock.jump(70_000);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', count: held.length }]);
});

test('hold times that are known make it probable, and set how long is long', async () => {
  await using t = service(1);
  for (let i = 0; i < 20; i++) {
    const lease = await t.pool.lease();
    await t.clock.advance(15_000);
    await lease.release();
  }
  await t.lose();
  await t.refuse();
  await t.clock.advance(150_000);
  expect(await t.watchdog.check()).toEqual([]);
  await t.clock.advance(20_000);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', certainty: 'probable' }]);
});

test('a caller that waits at the moment of a check counts, and a holder that takes long on purpose does not', async () => {
  await using t = service(2, { rules: { exhausted: { minMillis: 100 } } });
  const job = await t.lose();
  job.expectHold(60_000);
  await t.lose();
  const waiting = t.pool.lease().catch(() => {});
  await t.clock.advance(200);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 1 }]);
  await job.release();
  await (await waiting)?.release();
  await settle();
});

/** A pool of job slots, and a dispatcher that asks for a free one each 10 s. */
function jobSlots() {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'simple', clock, graceMillis: 0 });
  const slots = createPool(
    { create: () => ({}), destroy: () => {} },
    { name: 'slots', max: 2, clock },
  );
  watchdog.watch(slots);
  return {
    clock,
    watchdog,
    slots,
    async dispatch(millis: number): Promise<void> {
      for (let i = 0; i < millis / 10_000; i++) {
        expect(slots.tryLease()).toBeUndefined();
        await clock.advance(10_000);
      }
    },
    [Symbol.dispose]: () => watchdog[Symbol.dispose](),
  };
}

test('a pool is exhausted although its callers only try', async () => {
  using t = jobSlots();
  for (let i = 0; i < 20; i++) await t.slots.use(() => {});
  const kept = [await t.slots.lease(), await t.slots.lease()];
  await t.dispatch(80_000);
  expect(t.slots.stats().tryMisses).toBe(8);
  expect(await t.watchdog.check()).toMatchObject([
    { rule: 'exhausted', certainty: 'probable', count: 2 },
  ]);
  for (const lease of kept) await lease.release();
  expect(await t.watchdog.check()).toEqual([]);
});

test('one try counts until a resource is lent again, and a full pool without tries is not exhausted', async () => {
  using t = jobSlots();
  for (let i = 0; i < 20; i++) await t.slots.use(() => {});
  const jobs = [await t.slots.lease(), await t.slots.lease()];
  await t.clock.advance(80_000);
  expect(await t.watchdog.check()).toEqual([]);
  await t.dispatch(10_000);
  await t.clock.advance(80_000);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 2 }]);
  await jobs[0]?.release();
  jobs[0] = await t.slots.lease();
  await t.clock.advance(3_600_000);
  expect(await t.watchdog.check()).toEqual([]);
  for (const job of jobs) await job.release();
});

test('callers that only try say nothing of the first holders: how long those take is not known', async () => {
  using t = jobSlots();
  const jobs = [await t.slots.lease(), await t.slots.lease()];
  await t.dispatch(300_000);
  expect(await t.watchdog.check()).toEqual([]);
  const waiting = t.slots.lease();
  await t.clock.advance(0);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', certainty: 'suspect' }]);
  for (const job of jobs) await job.release();
  await (await waiting).release();
});

test('callers that only try do not exhaust a pool that may grow', async () => {
  using t = jobSlots();
  for (let i = 0; i < 20; i++) await t.slots.use(() => {});
  const job = await t.slots.lease();
  await t.dispatch(300_000);
  expect(await t.watchdog.check()).toEqual([]);
  await job.release();
});
