/** Loans of a pool that counts all of them itself and reports only those that its observer tracks. */
import genericPool from 'generic-pool';
import { afterEach, expect, test, vi } from 'vitest';
import { type Observer, observe } from '../../src/core/probe.js';
import { adoptPool } from '../../src/integrations/generic-pool.js';
import { createKeyedPool, createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { Tracer } from '../../src/profile/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { RecordingObserver } from '../kit/recording-observer.js';

const MAX = 1_000;
/** How many loans outside of scopes the level `counters` tracks in a tenth of a second. */
const TRACKED = 100;

const factory = { create: () => ({}), destroy: () => {} };

afterEach(() => {
  vi.restoreAllMocks();
});

function started() {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'counters', clock, graceMillis: 0 });
  const pool = createPool(factory, { name: 'db', max: MAX, clock });
  watchdog.watch(pool);
  return { clock, watchdog, pool, [Symbol.dispose]: () => watchdog[Symbol.dispose]() };
}

/** Resolves to many leases, most of which are counted only. */
function lease(pool: Pool<object>, count: number): Promise<Lease<object>[]> {
  return Promise.all(Array.from({ length: count }, () => pool.lease()));
}

function releaseAll(leases: readonly Lease<object>[]): void {
  for (const lease of leases) void lease.release();
}

function tracked({ heap }: Watchdog): number {
  return heap.stats().liveByKind.get('lease') ?? 0;
}

class CountingObserver extends RecordingObserver implements Observer {
  asked = 0;

  originToReport(): undefined {
    this.asked++;
  }
}

test('a pool does not report a loan that its observer does not ask for', async () => {
  const observer = new CountingObserver();
  const pool = createPool(factory, { max: 1 });
  using observation = pool[observe](observer);
  const held = await pool.lease();
  const waiting = pool.use(() => {});
  expect(observation.loanCounts?.()).toEqual({ out: 1, begun: 1 });
  held.touch();
  void held.release();
  await waiting;
  await pool.release(await pool.acquire());
  void pool.tryLease()?.release();
  expect([observer.asked, observer.entries, observer.liveOf('lease')]).toEqual([4, [], []]);
  expect(observer.log.filter((line) => line.startsWith('lent'))).toEqual([]);
  expect(observation.loanCounts?.()).toEqual({ out: 0, begun: 4 });
  await pool.close();
});

test('counters: loans that are counted only are in the figures, from their begin to their end', async () => {
  using t = started();
  const leases = await lease(t.pool, 300);
  expect(tracked(t.watchdog)).toBe(TRACKED);
  expect(t.watchdog.stats()).toMatchObject({ loans: 300, loansOut: 300 });
  releaseAll(leases);
  expect(t.watchdog.stats()).toMatchObject({ loans: 300, loansOut: 0 });
  await t.pool.close();
  expect(t.watchdog.stats()).toMatchObject({ components: 0, loans: 300, loansOut: 0 });
});

test('counters: a call that is refused is no loan', async () => {
  using t = started();
  const leases = await lease(t.pool, MAX);
  await expect(t.pool.lease({ timeoutMillis: 0 })).rejects.toThrow();
  expect(t.watchdog.stats()).toMatchObject({ loans: MAX, loansOut: MAX });
  releaseAll(leases);
  await t.pool.close();
});

test('counters: loans from before the watch are out, and are no loans of the watch', async () => {
  using watchdog = new Watchdog({ level: 'counters' });
  const pool = createPool(factory, { max: 2 });
  const before = await pool.lease();
  watchdog.watch(pool);
  const during = await pool.lease();
  expect(watchdog.stats()).toMatchObject({ loans: 1, loansOut: 2 });
  releaseAll([before, during]);
  expect(watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
  await pool.close();
});

test('counters: the watch of a pool that is closed ends with the last loan, whether it was tracked or not', async () => {
  using t = started();
  const leases = await lease(t.pool, 300);
  const closing = t.pool.close({ graceMillis: Number.POSITIVE_INFINITY });
  expect(tracked(t.watchdog)).toBe(300);
  const last = leases.pop();
  releaseAll(leases);
  expect(t.watchdog.stats()).toMatchObject({ components: 1, loansOut: 1 });
  void last?.release();
  await closing;
  expect(t.watchdog.stats()).toMatchObject({ components: 0, loans: 300, loansOut: 0 });
});

test('counters: the pools of a keyed pool count their loans', async () => {
  using watchdog = new Watchdog({ level: 'counters' });
  const pools = createKeyedPool(() => factory, { name: 'shard', max: MAX });
  watchdog.watch(pools);
  const leases = await Promise.all(['a', 'b'].map((key) => lease(pools.pool(key), 150)));
  expect(watchdog.stats()).toMatchObject({ loans: 300, loansOut: 300 });
  releaseAll(leases.flat());
  await pools.close();
  expect(watchdog.stats()).toMatchObject({ components: 0, loans: 300, loansOut: 0 });
});

test('counters: a tracer beside the watchdog is told of each loan', async () => {
  using t = started();
  const tracer = new Tracer();
  tracer.start();
  tracer.watch(t.pool);
  const leases = await lease(t.pool, 300);
  const kinds = tracer.takeSnapshot().statistics('kind');
  expect(kinds.find(({ kind }) => kind === 'pool "db" lease')?.count).toBe(300);
  expect(t.watchdog.stats()).toMatchObject({ loans: 300, loansOut: 300 });
  releaseAll(leases);
  expect(t.watchdog.stats()).toMatchObject({ loans: 300, loansOut: 0 });
  await t.pool.close();
});

test('counters: the holders of an exhausted pool are reported, those from before the watch included', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'counters', clock, graceMillis: 0 });
  const pool = createPool(factory, { name: 'db', max: 200, clock, acquireTimeoutMillis: 100_000 });
  const leases = await lease(pool, 50);
  watchdog.watch(pool);
  leases.push(...(await lease(pool, 150)));
  const waiting = pool.lease();
  await watchdog.check();
  clock.jump(60_000);
  const reports = await watchdog.check();
  expect(reports.map(({ rule, count }) => [rule, count])).toContainEqual(['exhausted', 200]);
  releaseAll(leases);
  void (await waiting).release();
  await pool.close();
});

test('counters: a resource that is taken from the pool underneath is a loan besides those of the adopted pool', async () => {
  using watchdog = new Watchdog({ level: 'counters' });
  const peer = genericPool.createPool(
    { create: async () => ({}), destroy: async () => {} },
    { max: MAX },
  );
  const pool = adoptPool(peer);
  watchdog.watch(pool);
  const leases = await Promise.all(Array.from({ length: 150 }, () => pool.lease()));
  const direct = await peer.acquire();
  for (let look = 0; look < 2; look++) await watchdog.check();
  expect(watchdog.stats()).toMatchObject({ loans: 151, loansOut: 151 });
  await peer.release(direct);
  releaseAll(leases);
  await watchdog.check();
  expect(watchdog.stats()).toMatchObject({ loans: 151, loansOut: 0 });
  await pool.close({ endPeer: true });
});

test('an observer whose `originToReport` throws costs no lease, and is printed once', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const observer = new CountingObserver();
  vi.spyOn(observer, 'originToReport').mockImplementation(() => {
    throw new Error('broken');
  });
  const pool = createPool(factory, { max: 1 });
  using _observation = pool[observe](observer);
  for (let i = 0; i < 3; i++) void (await pool.lease()).release();
  expect(pool.stats()).toMatchObject({ loans: 3, available: 1 });
  expect(printed).toHaveBeenCalledTimes(1);
  await pool.close();
});
