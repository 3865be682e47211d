/** A process that was frozen or blocked: what is out meanwhile cannot come back, and is not lost. See brianc/node-postgres#2718. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Watchdog } from '../../src/watchdog/index.js';
import { RunningClock } from '../../src/watchdog/running-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { MinimalPool } from './minimal-pool.js';

let stoppedMillis = 0;

beforeEach(() => {
  stoppedMillis = 0;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  const read = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => read() + stoppedMillis);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function watched() {
  const watchdog = new Watchdog({ level: 'advanced', rules: { abandoned: false } });
  const pool = new MinimalPool('db');
  pool.addResource();
  watchdog.watch(pool);
  return { watchdog, pool, [Symbol.dispose]: () => watchdog[Symbol.dispose]() };
}

test('a pool that is exhausted while the process is frozen for an hour is no leak, and one a minute later', async () => {
  using t = watched();
  const lease = t.pool.lease();
  t.pool.figures = { borrowed: 1, max: 1, pending: 1 };
  await vi.advanceTimersByTimeAsync(12_000);
  stoppedMillis = 3_600_000;
  expect(await t.watchdog.check()).toEqual([]);
  await vi.advanceTimersByTimeAsync(35_000);
  expect(await t.watchdog.check()).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'exhausted', count: 1 }]);
  lease.release();
});

test.each([2_000, 30_000])(
  'a loan that comes back when a process goes on after %i ms is not told of as lost',
  async (millis) => {
    using t = watched();
    const leaks: unknown[] = [];
    t.watchdog.on('leak', (report) => leaks.push(report));
    const lease = t.watchdog.scope('request', () => t.pool.lease());
    const lost = t.watchdog.scope('request', () => t.pool.lease());
    await vi.advanceTimersByTimeAsync(900);
    stoppedMillis = millis;
    await vi.advanceTimersByTimeAsync(600); // The answer to a rollback was in the socket.
    lease.release();
    expect(leaks).toEqual([]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(leaks).toMatchObject([{ rule: 'orphaned', count: 1 }]);
    lost.release();
  },
);

test('a clock that is read regularly counts a stop up to when its next reading was due, and short delays in full', () => {
  const platform = new FakeClock(0);
  const clock = new RunningClock(platform, true);
  clock.readEvery(10_000);
  expect(clock.now()).toBe(0);
  platform.jump(14_000); // The event loop was busy.
  expect(clock.now()).toBe(14_000);
  platform.jump(3_600_000);
  expect(clock.now()).toBe(24_000);
  platform.jump(1_000);
  expect(clock.now()).toBe(25_000);
});

test('a clock that nothing reads regularly counts all time', () => {
  const platform = new FakeClock(0);
  const clock = new RunningClock(platform, true);
  platform.jump(3_600_000);
  expect(clock.now()).toBe(3_600_000);
  clock.readEvery(10_000);
  clock.now();
  clock.readEvery(Number.POSITIVE_INFINITY);
  platform.jump(3_600_000);
  expect(clock.now()).toBe(7_200_000);
});

test("a user's own clock counts all time, and says that it is not the platform's", () => {
  const own = new FakeClock(0);
  const clock = new RunningClock(own, false);
  clock.readEvery(10_000);
  expect(clock.now()).toBe(0);
  own.jump(3_600_000);
  expect(clock.now()).toBe(3_600_000);
  expect(clock.isReal).toBe(false);
});
