import { expect, test } from 'vitest';
import { type LeakReport, NoCollectorError, Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';
import { type MinimalLease, MinimalPool } from './minimal-pool.js';
import { watchedPool } from './watched-pool.js';

const watched = (level: 'simple' | 'advanced' | 'counters' = 'advanced') => watchedPool({ level });

function loseLeases(pool: MinimalPool, count: number): void {
  for (let i = 0; i < count; i++) pool.lease(); // where leases are lost
}

/** Not in the test itself: an async function keeps what it has used last while it waits. */
function loseLeasesOfHolders(pool: MinimalPool, count: number): WeakRef<MinimalLease>[] {
  class Holder {
    readonly lease = pool.lease(); // `this` is on the stack that is taken
  }
  return Array.from({ length: count }, () => new WeakRef(new Holder().lease));
}

test('each dropped lease is found with its line, and is certain', async () => {
  using t = watched();
  loseLeases(t.pool, 100);
  const [report, ...others] = await t.watchdog.check({ forceGc: true });
  expect(others).toEqual([]);
  expect(report).toMatchObject({ rule: 'abandoned', certainty: 'certain', count: 100 });
  expect(report?.evidence.v8).toBe('collected');
  expect(report?.site?.line).toBe(lineOf(import.meta.url, '// where leases are lost'));
});

test('neither a held lease nor a released one is reported', async () => {
  using t = watched();
  const held = t.pool.lease();
  t.pool.lease().release();
  expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
  held.release();
});

test('an orphaned loan whose lease V8 collects becomes certain, and is not counted twice', async () => {
  using t = watched();
  t.watchdog.scope('request', () => loseLeases(t.pool, 3));
  expect(await t.watchdog.check()).toMatchObject([
    { rule: 'orphaned', certainty: 'probable', count: 3 },
  ]);
  expect(await t.watchdog.check({ forceGc: true })).toMatchObject([
    { rule: 'orphaned', certainty: 'certain', count: 3, evidence: { v8: 'collected' } },
  ]);
});

test('an abandoned loan whose scope then ends stays certain, and is counted as orphaned', async () => {
  using t = watched();
  await t.watchdog.scope('request', async () => {
    loseLeases(t.pool, 3);
    expect(await t.watchdog.check({ forceGc: true })).toMatchObject([
      { rule: 'abandoned', certainty: 'certain', count: 3 },
    ]);
  });
  expect(await t.watchdog.check()).toMatchObject([
    { rule: 'orphaned', certainty: 'certain', count: 3, evidence: { v8: 'collected' } },
  ]);
});

test('losses that V8 proves together are told by one event', async () => {
  using t = watched();
  const told: string[] = [];
  t.watchdog.on('leak', ({ rule, certainty, count }) =>
    told.push(`${rule} ${certainty} ×${count}`),
  );
  loseLeases(t.pool, 12);
  await t.watchdog.check({ forceGc: true });
  expect(told).toEqual(['abandoned certain ×12']);
});

test('a taken stack does not keep its lease alive', async () => {
  using t = watched('advanced');
  const refs = loseLeasesOfHolders(t.pool, 100);
  await t.watchdog.check({ forceGc: true });
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
});

test('the level counters does not register leases with V8', async () => {
  using t = watched('counters');
  loseLeases(t.pool, 1);
  expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
});

test('forceGc runs the collector of the gcSource, and only then', async () => {
  const collections: string[] = [];
  using watchdog = new Watchdog({
    gcSource: {
      async collect() {
        collections.push('asked');
      },
    },
  });
  await watchdog.check();
  expect(collections).toEqual([]);
  await watchdog.check({ forceGc: true });
  expect(collections).toEqual(['asked']);
  expect(new NoCollectorError().code).toBe('TENURE_NO_COLLECTOR');
});

test('the watchdog does not keep a component alive, and removes its nodes when V8 has collected it', async () => {
  using watchdog = new Watchdog({ clock: new FakeClock() });
  const reports: LeakReport[] = [];
  const ref = (() => {
    const pool = new MinimalPool();
    for (let i = 0; i < 10; i++) pool.addResource();
    watchdog.watch(pool);
    return new WeakRef(pool);
  })();
  expect(watchdog.stats().components).toBe(1);
  const before = watchdog.heap.stats().live;
  reports.push(...(await watchdog.check({ forceGc: true })));
  expect(ref.deref()).toBeUndefined();
  expect(watchdog.stats().components).toBe(0);
  expect(watchdog.heap.stats().live).toBe(before - 11);
  expect(reports).toEqual([]);
});

test('a lease that was dropped is reported when the time that its holder expected is over', async () => {
  using t = watched();
  (() => t.pool.lease().expectHold(60_000))();
  expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
  t.clock.jump(60_000);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'abandoned', certainty: 'certain' }]);
});
