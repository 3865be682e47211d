import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { createKeyedPool, createPool, type KeyedPool } from '../../src/pool/index.js';
import {
  AlreadyWatchedError,
  type LeakReport,
  type Observer,
  observe,
  Watchdog,
} from '../../src/watchdog/index.js';
import { WeakValueMap } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';
import { settle } from '../kit/settle.js';
import { until } from '../kit/until.js';
import { MinimalPool } from './minimal-pool.js';

interface Connection {
  readonly id: number;
}

function service() {
  const clock = new FakeClock();
  let created = 0;
  const pool = createPool<Connection>(
    { create: () => ({ id: created++ }), destroy: () => {} },
    { name: 'db', max: 3, clock, acquireTimeoutMillis: 500 },
  );
  const watchdog = new Watchdog({ level: 'advanced', clock, graceMillis: 0 });
  watchdog.watch(pool);
  const leaks: LeakReport[] = [];
  const retracted: LeakReport[] = [];
  watchdog.on('leak', (report) => leaks.push(report));
  watchdog.on('retracted', (report) => retracted.push(report));
  return {
    clock,
    pool,
    watchdog,
    leaks,
    retracted,
    async [Symbol.asyncDispose]() {
      const closed = pool.close({ graceMillis: 0, force: true });
      await clock.advance(0);
      await closed;
      watchdog[Symbol.dispose]();
    },
  };
}

test('pool: a request that returns without releasing its lease is reported, with its line and the state of the pool', async () => {
  await using t = service();
  await t.watchdog.scope('GET /orders/:id', async () => {
    const lease = await t.pool.lease(); // the early return
    if (lease.resource.id >= 0) return;
    await lease.release();
  });
  expect(t.leaks).toHaveLength(1);
  expect(t.leaks[0]).toMatchObject({
    rule: 'orphaned',
    component: { kind: 'pool', name: 'db' },
    scope: 'GET /orders/:id',
    state: { borrowed: 1, max: 3, pending: 0 },
  });
  expect(t.leaks[0]?.site).toMatchObject({
    file: 'test/watchdog/components.test.ts',
    line: lineOf(import.meta.url, '// the early return'),
  });
});

test('pool: the watchdog sees each way to end a loan', async () => {
  await using t = service();
  await t.watchdog.scope('request', async () => {
    {
      await using lease = await t.pool.lease();
      lease.touch('query');
    }
    {
      using lease = t.pool.tryLease();
      expect(lease).toBeDefined();
    }
    await (await t.pool.lease()).release();
    await (await t.pool.lease()).destroy();
    await t.pool.release(await t.pool.acquire());
    await t.pool.destroy(await t.pool.acquire());
    await t.pool.use(() => 'done');
    await t.pool
      .use(() => {
        throw new Error('from the work');
      })
      .catch(() => {});
  });
  expect(t.leaks).toEqual([]);
  expect(t.watchdog.stats()).toMatchObject({ loans: 8, loansOut: 0 });
  t.watchdog.heap.assertInvariants();
});

test('pool: the loan of a waiter belongs to the scope and the line that waited', async () => {
  await using t = service();
  const held = [await t.pool.lease(), await t.pool.lease(), await t.pool.lease()];
  const waiting = t.watchdog.scope('the waiter', async () => {
    await t.pool.lease(); // the waiting line
  });
  await settle();
  await t.watchdog.scope('the releaser', async () => {
    for (const lease of held) await lease.release();
  });
  await waiting;
  expect(t.leaks.map((report) => [report.scope, report.site?.line])).toEqual([
    ['the waiter', lineOf(import.meta.url, '// the waiting line')],
  ]);
});

test('pool: V8 proves a dropped lease, although the pool keeps the resource', async () => {
  await using t = service();
  await (async () => {
    for (let i = 0; i < 3; i++) await t.pool.lease();
  })();
  expect(await t.watchdog.check({ forceGc: true })).toMatchObject([
    { rule: 'abandoned', certainty: 'certain', count: 3, state: { borrowed: 3 } },
  ]);
});

test('pool: a loan whose lease was dropped is lost even while its resource is used', async () => {
  await using t = service();
  const { resource } = await t.pool.lease();
  await settle();
  const reports = await t.watchdog.check({ forceGc: true });
  expect(reports).toMatchObject([{ rule: 'abandoned', count: 1 }]);
  expect(resource.id).toBe(0);
});

test('pool: a loan of acquire() is found when its scope ends', async () => {
  await using t = service();
  await t.watchdog.scope('legacy', async () => {
    await t.pool.acquire();
  });
  expect(t.leaks).toMatchObject([{ rule: 'orphaned', scope: 'legacy' }]);
  expect(t.leaks[0]?.fix).toContain('finally');
});

test('pool: a leak stays a leak after a forced close', async () => {
  await using t = service();
  await t.watchdog.scope('request', async () => {
    await t.pool.lease();
  });
  const closed = t.pool.close({ graceMillis: 0, force: true });
  await t.clock.advance(0);
  await closed;
  expect(t.retracted).toEqual([]);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  expect(t.watchdog.stats().loansOut).toBe(0);
});

const tenants = (): KeyedPool<string, Connection> =>
  createKeyedPool(() => ({ create: () => ({ id: 0 }), destroy: () => {} }), { name: 'tenants' });

test('keyed pool: one watch covers the loans of all keys, and of keys that come later', async () => {
  using watchdog = new Watchdog({ level: 'advanced', clock: new FakeClock() });
  const pool = tenants();
  await pool.use('early', () => watchdog.watch(pool));
  await watchdog.scope('request', async () => {
    await pool.lease('early'); // lost under the early key
    await pool.use('early', () => 'fine');
    await pool.lease('late'); // lost under the late key
  });
  const reports = await watchdog.check();
  expect(watchdog.heap.stats().liveByKind.get('resource')).toBe(3);
  await pool.close({ graceMillis: 0, force: true });
  expect(
    reports.map(({ component, site, state }) => [
      component.name,
      component.part,
      site?.line,
      state?.['borrowed'],
    ]),
  ).toEqual([
    ['tenants', 'early', lineOf(import.meta.url, '// lost under the early key'), 1],
    ['tenants', 'late', lineOf(import.meta.url, '// lost under the late key'), 1],
  ]);
  expect(watchdog.heap.stats().liveByKind.has('resource')).toBe(false);
  watchdog.heap.assertInvariants();
});

test('keyed pool: one watchdog at a time watches all keys or one key', async () => {
  using first = new Watchdog({ clock: new FakeClock() });
  using second = new Watchdog({ clock: new FakeClock() });
  await using pool = tenants();
  await pool.use('a', () => {});
  const one = second.watch(pool.pool('a'));
  await pool.use('b', () => {});
  expect(() => first.watch(pool)).toThrow(AlreadyWatchedError);
  one[Symbol.dispose]();
  const all = first.watch(pool);
  expect(() => second.watch(pool)).toThrow(AlreadyWatchedError);
  expect(() => second.watch(pool.pool('b'))).toThrow(AlreadyWatchedError);
  all[Symbol.dispose]();
  second.watch(pool);
});

test('cache and weak map: an entry is a node from when it is added until it is removed', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ clock });
  const square = memoize((n: number) => n * n, { name: 'squares', max: 2, clock });
  const sessions = new WeakValueMap<string, object>({ name: 'sessions' });
  square(1);
  watchdog.watch(square);
  watchdog.watch(sessions);
  const base = watchdog.heap.stats().live;
  square(2);
  square(3);
  const held = {};
  sessions.set('a', held);
  sessions.set('b', {});
  const { liveByKind } = watchdog.heap.stats();
  expect(liveByKind.get('entry')).toBe(2);
  expect(liveByKind.get('weak-target')).toBe(2);
  expect(watchdog.heap.stats().live).toBe(base + 3);
  await watchdog.check({ forceGc: true });
  expect(watchdog.heap.stats().liveByKind.get('weak-target')).toBe(1);
  square.clear();
  sessions.delete('a');
  expect(watchdog.heap.stats().live).toBe(base - 1);
  watchdog.heap.assertInvariants();
});

test('entries from before the watch are counted with the later ones', async () => {
  using watchdog = new Watchdog({ level: 'simple', clock: new FakeClock() });
  const square = memoize((n: number) => n * n, { name: 'squares' });
  for (let n = 0; n < 10; n++) square(n);
  watchdog.watch(square);
  for (let n = 10; n < 15; n++) square(n);
  const entries = [...watchdog.heap.census()].filter(({ kind }) => kind === 'entry');
  expect(entries).toMatchObject([{ site: 'squares', live: [15, 0, 0], born: 15 }]);
});

test('what watched a component is forgotten with the watch, though the component lives on', async () => {
  using watchdog = new Watchdog({ clock: new FakeClock() });
  const observers: WeakRef<Observer>[] = [];
  const component = {
    [observe]: (observer: Observer) => {
      observers.push(new WeakRef(observer));
      return observation;
    },
  };
  const observation = { kind: 'pool', name: 'db', stats: () => ({}), [Symbol.dispose]: () => {} };
  for (let i = 0; i < 10; i++) watchdog.watch(component)[Symbol.dispose]();
  await collectGarbage();
  expect(observers.filter((ref) => ref.deref() !== undefined)).toEqual([]);
});

test('each component is looked at, though looking takes longer than the time between two sweeps', async () => {
  using watchdog = new Watchdog({ sweepIntervalMillis: 1 });
  const looks = Array.from({ length: 20 }, () => 0);
  const pools = looks.map((_, i) => {
    const pool = new MinimalPool(`pool ${i}`);
    pool.looks = () => {
      for (const begun = performance.now(); performance.now() - begun < 2; ); // longer than a slice
      looks[i] = (looks[i] as number) + 1;
    };
    return pool;
  });
  for (const pool of pools) watchdog.watch(pool);
  await until(() => looks.every((count) => count > 0));
});
