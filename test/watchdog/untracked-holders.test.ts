/** A pool that becomes exhausted while its holders are not tracked: the level tracks a sample, or the watch began later. */
import genericPool from 'generic-pool';
import { describe, expect, onTestFinished, test } from 'vitest';
import { adoptPool } from '../../src/integrations/generic-pool.js';
import { createKeyedPool, createPool, type Lease, type PoolOptions } from '../../src/pool/index.js';
import { Tracer } from '../../src/profile/index.js';
import { formatReport, Watchdog, type WatchdogOptions } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';

const FACTORY = { create: () => ({}), destroy: () => {} };

/** More loans than the level `sampled` tracks at the start. */
const MANY = 1_000;

function service(options: WatchdogOptions = {}, poolOptions: Partial<PoolOptions> = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'sampled', clock, graceMillis: 0, ...options });
  const pool = createPool(FACTORY, {
    name: 'db',
    max: 10,
    clock,
    callSites: 'none',
    ...poolOptions,
  });
  const held: Lease<object>[] = [];
  onTestFinished(async () => {
    const closed = pool.close({ graceMillis: 0, force: true }).catch(() => {});
    await clock.advance(0);
    await closed;
    watchdog[Symbol.dispose]();
  });
  return {
    clock,
    watchdog,
    pool,
    held,
    async traffic(loans: number): Promise<void> {
      for (let i = 0; i < loans; i++) await (await pool.lease()).release();
    },
    async lose(loans: number): Promise<void> {
      for (let i = 0; i < loans; i++) held.push(await pool.lease()); // where loans are lost
    },
    /** Makes the second's first loans, which the level `sampled` tracks, come back. */
    beginSecond(): Promise<void> {
      return this.traffic(100);
    },
    /** Callers find the pool exhausted, for a time. */
    async refuse(millis: number): Promise<void> {
      for (let i = 0; i < millis / 10_000; i++) {
        await pool.lease({ timeoutMillis: 0 }).catch(() => {});
        await clock.advance(10_000);
      }
    },
  };
}

test('the report says how many holders are not tracked, and how long each is out', async () => {
  const t = service();
  t.watchdog.watch(t.pool);
  await t.traffic(MANY);
  await t.lose(5);
  await t.clock.advance(60_000);
  await t.beginSecond();
  await t.lose(5);
  await t.refuse(120_000);
  const [leak, ...others] = await t.watchdog.check();
  expect(others).toEqual([]);
  expect(leak).toMatchObject({
    rule: 'exhausted',
    certainty: 'probable',
    count: 10,
    call: 'lease',
  });
  expect(leak?.untracked?.count).toBe(10);
  const seconds = leak?.untracked?.heldMillis.map((millis) => Math.round(millis / 10_000) * 10);
  expect(seconds).toEqual([180, 180, 180, 180, 180, 120, 120, 120, 120, 120]);
  expect(formatReport(leak === undefined ? [] : [leak]).split('\n')).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/exhausted {2}pool "db" {2}probable ×10 {2}\(oldest (2m59|3m0)s\)/),
      '  acquired at  unknown: these loans were not tracked; the next ones of this component are',
      expect.stringMatching(/^ {2}not tracked {2}10 loans, out for (3m0s|2m59s), /),
    ]),
  );
});

test('its count falls, and it is retracted, as holders release', async () => {
  const t = service();
  const told: string[] = [];
  t.watchdog.on('retracted', ({ count }) => told.push(`retracted, ${count} left`));
  t.watchdog.watch(t.pool);
  await t.traffic(MANY);
  await t.lose(10);
  expect(t.watchdog.stats().loansOut).toBe(10);
  await t.refuse(120_000);
  expect(await t.watchdog.check()).toMatchObject([{ count: 10 }]);
  expect(t.watchdog.stats().loansOut).toBe(10);
  for (const lease of t.held) await lease.release();
  expect(await t.watchdog.check()).toEqual([]);
  expect(t.watchdog.stats()).toMatchObject({ loansOut: 0, lost: 0 });
  expect(told.at(-1)).toBe('retracted, 0 left');
  t.watchdog.heap.assertInvariants();
});

test('the next loss of the path has its line, however rare it is', async () => {
  const t = service();
  t.watchdog.watch(t.pool);
  await t.traffic(MANY);
  await t.lose(10);
  await t.refuse(120_000);
  for (const lease of t.held.splice(0)) await lease.release();
  await t.traffic(3_000);
  await t.clock.advance(1_000); // A second has 200 stacks.
  await t.lose(10);
  await t.refuse(120_000);
  const line = lineOf(import.meta.url, '// where loans are lost');
  const reports = await t.watchdog.check();
  expect(reports).toMatchObject([{ count: 10, site: { line } }]);
  expect(reports[0]?.untracked).toBeUndefined();
});

test('a line that the pool itself has recorded is in the report', async () => {
  const t = service({}, { callSites: 'all' });
  t.watchdog.watch(t.pool);
  await t.traffic(MANY);
  await t.lose(10);
  await t.refuse(120_000);
  const line = lineOf(import.meta.url, '// where loans are lost');
  expect(await t.watchdog.check()).toMatchObject([
    { count: 10, site: { line }, untracked: { count: 10 } },
  ]);
});

test.each(['sampled', 'counters', 'simple'] as const)(
  '%s: holders from before the watch are told, too',
  async (level) => {
    const t = service({ level });
    await t.lose(10);
    t.watchdog.watch(t.pool);
    await t.refuse(120_000);
    expect(await t.watchdog.check()).toMatchObject([
      { rule: 'exhausted', count: 10, untracked: { count: 10 } },
    ]);
    for (const lease of t.held) await lease.release();
    expect(await t.watchdog.check()).toEqual([]);
    expect(t.watchdog.stats().loansOut).toBe(0);
  },
);

test('counters: loans beyond the tracked ones of a period are told', async () => {
  const t = service({ level: 'counters' });
  t.watchdog.watch(t.pool);
  await t.traffic(MANY);
  await t.lose(10);
  await t.refuse(120_000);
  expect(await t.watchdog.check()).toMatchObject([{ count: 10, untracked: { count: 10 } }]);
});

test('a pool that is not exhausted, or moves, is not asked for its loans', async () => {
  const t = service();
  t.watchdog.watch(t.pool);
  const leases = (): number => t.watchdog.heap.stats().liveByKind.get('lease') ?? 0;
  await t.traffic(MANY);
  await t.lose(9);
  await t.clock.advance(300_000);
  expect(leases()).toBe(0); // Not exhausted.
  await t.beginSecond();
  await t.lose(1);
  await t.clock.advance(300_000);
  expect(leases()).toBe(0); // No caller is refused.
  for (let i = 0; i < 30; i++) {
    await t.held.shift()?.release();
    await t.beginSecond();
    await t.lose(1);
    await t.refuse(10_000);
  }
  expect(leases()).toBe(0); // Loans come back.
  await t.refuse(40_000);
  expect(leases()).toBe(10);
  expect(await t.watchdog.check()).toEqual([]); // Nothing has come back for 40 seconds only.
});

test('tracers beside the watchdog change nothing', async () => {
  const t = service();
  using tracer = new Tracer();
  tracer.start();
  tracer.watch(t.pool);
  await t.lose(1); // The tracer knows this loan, the watchdog does not.
  t.watchdog.watch(t.pool);
  await t.traffic(MANY);
  await t.lose(9);
  await t.refuse(120_000);
  expect(await t.watchdog.check()).toMatchObject([{ count: 10, untracked: { count: 10 } }]);
  for (const lease of t.held) await lease.release();
  expect(await t.watchdog.check()).toEqual([]);
});

describe('other pools', () => {
  test('a key of a keyed pool', async () => {
    const clock = new FakeClock();
    using watchdog = new Watchdog({ level: 'sampled', clock, graceMillis: 0 });
    const pools = createKeyedPool(() => FACTORY, {
      name: 'hosts',
      max: 3,
      clock,
      callSites: 'none',
    });
    watchdog.watch(pools);
    for (let i = 0; i < MANY; i++) await (await pools.lease('a')).release();
    const held = [await pools.lease('a'), await pools.lease('a'), await pools.lease('a')];
    for (let i = 0; i < 12; i++) {
      await pools.lease('a', { timeoutMillis: 0 }).catch(() => {});
      await clock.advance(10_000);
    }
    expect(await watchdog.check()).toMatchObject([
      { rule: 'exhausted', component: { name: 'hosts', part: 'a' }, untracked: { count: 3 } },
    ]);
    for (const lease of held) await lease.release();
    await pools.close();
  });

  test('an adopted pool', async () => {
    const clock = new FakeClock();
    using watchdog = new Watchdog({ level: 'sampled', clock, graceMillis: 0 });
    const peer = genericPool.createPool(
      { create: async () => ({}), destroy: async () => {} },
      { max: 3 },
    );
    const pool = adoptPool(peer, { clock, name: 'db', callSites: 'none' });
    watchdog.watch(pool);
    for (let i = 0; i < MANY; i++) await (await pool.lease()).release();
    const held = [await pool.lease(), await pool.lease(), await pool.lease()];
    for (let i = 0; i < 12; i++) {
      const refused = pool.lease({ timeoutMillis: 1_000 }).catch(() => {});
      await clock.advance(10_000);
      await refused;
    }
    expect(await watchdog.check()).toMatchObject([
      { rule: 'exhausted', component: { name: 'db' }, count: 3, untracked: { count: 3 } },
    ]);
    for (const lease of held) await lease.release();
    expect(await watchdog.check()).toEqual([]);
    await pool.close({ endPeer: true });
  });
});

test.each(['the level does not track', 'are from before the watch'])(
  'holders that %s keep what they expect to keep, and are lost when that time is over',
  async (why) => {
    const t = service();
    const isBefore = why === 'are from before the watch';
    if (isBefore) await t.lose(10);
    t.watchdog.watch(t.pool);
    if (!isBefore) {
      await t.traffic(MANY);
      await t.lose(10);
    }
    for (const lease of t.held) lease.expectHold(300_000);
    await t.refuse(200_000);
    expect(await t.watchdog.check()).toEqual([]);
    await t.refuse(110_000);
    expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 10 }]);
  },
);

test('a lease that the level does not track is tracked once its holder touches it', async () => {
  const t = service({}, { max: 11 });
  t.watchdog.watch(t.pool);
  await t.traffic(MANY);
  await t.lose(10);
  for (let i = 0; i < 4; i++) {
    await t.clock.advance(20_000);
    for (const lease of t.held) lease.touch('fetches a page');
    await t.traffic(MANY);
    expect(await t.watchdog.check()).toEqual([]);
  }
  await t.clock.advance(60_000);
  await t.traffic(MANY);
  expect(await t.watchdog.check()).toMatchObject([
    { rule: 'tenured', count: 10, lastTouch: { hint: 'fetches a page' } },
  ]);
});
