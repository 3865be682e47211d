import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { HoldTimes } from '../../src/watchdog/hold-times.js';
import {
  type Observation,
  observe,
  Watchdog,
  type WatchdogOptions,
} from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import type { MinimalLease } from './minimal-pool.js';
import { watchedPool } from './watched-pool.js';

function watched(options: WatchdogOptions = {}) {
  const watched = watchedPool({
    graceMillis: 0,
    youngCollectionEvery: 10,
    ...options,
    rules: { abandoned: false, ...options.rules }, // The tests drop their leases.
  });
  const { clock, pool } = watched;
  return {
    ...watched,
    /** Takes and releases loans one after another, each held for `holdMillis`. */
    async traffic(loans: number, holdMillis = 0): Promise<void> {
      for (let i = 0; i < loans; i++) {
        const lease = pool.lease();
        if (holdMillis > 0) await clock.advance(holdMillis);
        lease.release();
      }
    },
  };
}

test('a loan that is old by activity and by the clock is suspected, and retracted when it comes back', async () => {
  using t = watched();
  const lease = t.pool.lease();
  await t.traffic(200);
  await t.clock.advance(31_000);
  const [report] = await t.watchdog.check();
  expect(report).toMatchObject({ rule: 'tenured', certainty: 'suspect', count: 1 });
  expect(report?.evidence.generation).toBe(2);
  expect(report?.ageMillis).toBe(31_000);
  lease.release();
  expect(t.retracted).toHaveLength(1);
  expect(await t.watchdog.check()).toEqual([]);
});

test('a loan that is old by the clock alone is not suspected: a slow job on a quiet service', async () => {
  using t = watched();
  t.pool.lease();
  await t.clock.advance(3_600_000);
  expect(await t.watchdog.check()).toEqual([]);
});

test('a loan that is old by activity alone is not suspected: a burst of traffic', async () => {
  using t = watched();
  t.pool.lease();
  await t.traffic(5_000);
  await t.clock.advance(29_000);
  expect(await t.watchdog.check()).toEqual([]);
});

test('simple: a quiet job outside of scopes that loses a lease is found, as each of its runs has its line', async () => {
  using t = watched({ level: 'simple', youngCollectionEvery: 700 });
  const run = async (): Promise<MinimalLease> => {
    const lease = t.pool.lease();
    await t.clock.advance(60_000);
    return lease;
  };
  for (let i = 0; i < 30; i++) (await run()).release();
  await run();
  for (let i = 0; i < 30; i++) (await run()).release();
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'tenured', count: 1 }]);
});

test('before enough loans have come back, a loan has to be older to be suspected', async () => {
  using t = watched();
  t.pool.lease();
  await t.traffic(1);
  for (let i = 0; i < 2_000; i++) t.pool.requestInVain();
  await t.clock.advance(59_000);
  expect(await t.watchdog.check()).toEqual([]);
  await t.clock.advance(1_000);
  expect(await t.watchdog.check()).toHaveLength(1);
});

test('a component whose loans take long is judged by its own hold times', async () => {
  using t = watched();
  await t.traffic(40, 7_000);
  const lease = t.pool.lease();
  await t.traffic(200, 1);
  await t.clock.advance(35_000);
  expect(await t.watchdog.check()).toEqual([]);
  await t.clock.advance(60_000);
  expect(await t.watchdog.check()).toHaveLength(1);
  lease.release();
});

test.each(['counters', 'sampled', 'simple', 'advanced', 'paranoid'] as const)(
  'a loan that its holder touches is not suspected until the touches end, at the level %s',
  async (level) => {
    using t = watched({ level });
    const lease = t.pool.lease();
    for (let minute = 0; minute < 5; minute++) {
      await t.traffic(200);
      await t.clock.advance(60_000);
      lease.touch('page exported');
      expect(await t.watchdog.check()).toEqual([]);
    }
    await t.traffic(200);
    await t.clock.advance(120_000);
    expect(await t.watchdog.check()).toHaveLength(1);
    lease.release();
  },
);

test('a loan that its holder touches each minute is told once at most, before the second touch', async () => {
  using t = watched();
  const told: unknown[] = [];
  t.watchdog.on('leak', (report) => told.push(report));
  const lease = t.pool.lease();
  for (let minute = 0; minute < 30; minute++) {
    await t.traffic(200);
    await t.clock.advance(60_000);
    lease.touch('chunk sent');
  }
  expect(told).toHaveLength(1);
  await t.traffic(200);
  await t.clock.advance(119_000);
  expect(await t.watchdog.check()).toEqual([]);
  await t.clock.advance(1_000);
  expect(await t.watchdog.check()).toHaveLength(1);
});

test('a loan is not suspected before the time that its holder expects', async () => {
  using t = watched();
  const lease = t.pool.lease();
  lease.expectHold(120_000);
  await t.traffic(200);
  await t.clock.advance(119_000);
  expect(await t.watchdog.check()).toEqual([]);
  await t.clock.advance(1_000);
  expect(await t.watchdog.check()).toHaveLength(1);
});

test.each(['counters', 'simple', 'advanced'] as const)(
  'loans that a scope takes beside one of its first are no neighbours of it, and those of a loop are, at the level %s',
  async (level) => {
    using t = watched({ level });
    const held = t.watchdog.openScope('GET /export');
    const take = (): MinimalLease => held.run(() => t.pool.lease());
    const cursor = take();
    const rows = (): void => {
      for (let row = 0; row < 300; row++) take().release();
    };
    for (let minute = 0; minute < 5; minute++) {
      rows();
      await t.clock.advance(60_000);
      expect(await t.watchdog.check()).toEqual([]);
    }
    const lost = take();
    rows();
    await t.clock.advance(60_000);
    expect(await t.watchdog.check()).toMatchObject([{ rule: 'tenured', count: 1 }]);
    lost.release();
    expect(await t.watchdog.check()).toEqual([]);
    cursor.release();
    held.end();
  },
);

test.each(['counters', 'simple', 'advanced'] as const)(
  'a job that takes long each time is no suspect before it is twice as old as it was, at the level %s',
  async (level) => {
    using t = watched({ level });
    const begin = (): MinimalLease => t.pool.lease();
    for (let job = 0; job < 2; job++) {
      const lease = begin();
      await t.traffic(200);
      await t.clock.advance(31_000);
      expect(await t.watchdog.check()).toHaveLength(job === 0 ? 1 : 0);
      await t.clock.advance(29_000);
      lease.release();
    }
    begin();
    await t.traffic(200);
    await t.clock.advance(119_000);
    expect(await t.watchdog.check()).toEqual([]);
    await t.clock.advance(1_000);
    expect(await t.watchdog.check()).toHaveLength(1);
  },
);

test('failed requests count as activity, and a suspect in a pool that is exhausted is probable', async () => {
  using t = watched();
  t.pool.lease();
  await t.traffic(1);
  t.pool.figures = { borrowed: 1, max: 1, pending: 3 };
  for (let i = 0; i < 300; i++) t.pool.requestInVain();
  await t.clock.advance(61_000);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'tenured', certainty: 'probable' }]);
});

test('a suspect is judged again: it is probable while the pool is exhausted, and a suspect before and after', async () => {
  using t = watched();
  const lose = (): void => void t.pool.lease();
  lose();
  await t.traffic(200);
  await t.clock.advance(31_000);
  expect(await t.watchdog.check()).toMatchObject([{ certainty: 'suspect', count: 1 }]);
  t.pool.figures = { borrowed: 1, max: 1, pending: 3 };
  expect(await t.watchdog.check()).toMatchObject([{ certainty: 'probable', count: 1 }]);
  t.pool.figures = { borrowed: 1, max: 2, pending: 1 }; // The second resource is being created.
  expect(await t.watchdog.check()).toMatchObject([{ certainty: 'suspect', count: 1 }]);
});

test('while nothing comes back, a loan is no suspect: a database that is slow for all', async () => {
  using t = watched();
  for (let i = 0; i < 3; i++) t.pool.lease();
  for (let i = 0; i < 2_000; i++) t.pool.requestInVain();
  await t.clock.advance(3_600_000);
  expect(await t.watchdog.check()).toEqual([]);
});

test('a suspect whose holder then says that it takes long is retracted', async () => {
  using t = watched();
  const lease = t.pool.lease();
  await t.traffic(200);
  await t.clock.advance(31_000);
  expect(await t.watchdog.check()).toHaveLength(1);
  lease.expectHold(Number.POSITIVE_INFINITY);
  expect([t.retracted.length, t.watchdog.stats().lost]).toEqual([1, 0]);
  expect(await t.watchdog.check()).toEqual([]);
});

test('a background sweep finds a suspect without a check, once', async () => {
  using t = watched({ sweepIntervalMillis: 1_000 });
  const leaks: string[] = [];
  t.watchdog.on('leak', (report) => leaks.push(report.rule));
  t.pool.lease();
  await t.traffic(200);
  await t.clock.advance(40_000);
  expect(leaks).toEqual(['tenured']);
  expect(t.clock.foregroundTimers).toBe(0);
});

test('a suspect whose scope then ends is counted once, as orphaned', async () => {
  using t = watched({ rules: { tenured: { idleScopeMillis: 60_000 } } });
  await t.watchdog.scope('request', async () => {
    t.pool.lease();
    await t.traffic(1);
    for (let i = 0; i < 300; i++) t.pool.requestInVain();
    t.clock.jump(61_000);
    expect(await t.watchdog.check()).toMatchObject([{ rule: 'tenured', count: 1 }]);
  });
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  expect(t.watchdog.stats().lost).toBe(1);
});

test('a percentile of hold times is exact to a factor of two, and 0 without any', () => {
  const times = new HoldTimes();
  expect([times.percentile(0.99), times.longestMillis]).toEqual([0, 0]);
  for (let i = 0; i < 98; i++) times.record(3);
  times.record(1_000);
  times.record(2 ** 40);
  expect(times.count).toBe(100);
  expect(times.percentile(0.5)).toBe(4);
  expect(times.percentile(0.99)).toBe(1_024);
  expect(times.percentile(1)).toBe(2 ** 31);
  expect(times.longestMillis).toBe(2 ** 40);
});

test('the rule can be switched off', async () => {
  using t = watched({ rules: { tenured: false } });
  t.pool.lease();
  await t.traffic(200);
  await t.clock.advance(100_000);
  expect(await t.watchdog.check()).toEqual([]);
});

test('the sweep runs while there is something to look at', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ clock });
  expect(clock.pendingTimers).toBe(0);
  const scope = watchdog.openScope('job');
  expect(clock.pendingTimers).toBe(1);
  await clock.advance(60_000);
  expect(clock.pendingTimers).toBe(1);
  scope.end();
  await clock.advance(60_000);
  expect(clock.pendingTimers).toBe(0);

  watchdog.scope('a second job', () => {
    watchdog[Symbol.dispose]();
    expect(clock.pendingTimers).toBe(0);
  });
  expect(clock.pendingTimers).toBe(0);
});

test('a sweep looks at many components in slices, over several turns', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  using watchdog = new Watchdog();
  let turn = 0;
  const turns: number[] = [];
  const answers: Observation[] = Array.from({ length: 300 }, () => ({
    kind: 'pool',
    name: 'of a tenant',
    stats: () => ({}),
    look: () => void turns.push(turn),
    [Symbol.dispose]() {},
  })); // Held here, as a component holds its answer: the watchdog does not.
  const components = answers.map((answer) => ({ [observe]: () => answer }));
  for (const component of components) watchdog.watch(component);
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now++); // Each reading takes a millisecond.
  vi.advanceTimersByTime(10_000);
  for (; turns.length < components.length; turn++) await setImmediate();
  vi.restoreAllMocks();
  vi.useRealTimers();
  expect(turns).toHaveLength(answers.length);
  expect(new Set(turns).size).toBeGreaterThan(1);
});

test('disposing of the watchdog clears its timer', () => {
  const t = watched();
  expect(t.clock.pendingTimers).toBe(1);
  t[Symbol.dispose]();
  expect(t.clock.pendingTimers).toBe(0);
});
