import { expect, test } from 'vitest';
import { BufferPool, Exporter, memoryview, ViewExportedError } from '../../src/view/index.js';
import { formatReport, type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';

function watched(level: 'advanced' | 'counters' | 'simple' = 'advanced') {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level, clock, graceMillis: 0 });
  const pool = new BufferPool({ name: 'frames', clock });
  const exporter = new Exporter(16, { name: 'log' });
  watchdog.watch(pool);
  watchdog.watch(exporter);
  const leaks: LeakReport[] = [];
  watchdog.on('leak', (report) => leaks.push(report));
  return {
    watchdog,
    pool,
    exporter,
    leaks,
    [Symbol.dispose]() {
      watchdog[Symbol.dispose]();
      pool[Symbol.dispose]();
    },
  };
}

test('a lease that is dropped in a scope is named by its line', () => {
  using t = watched();
  t.watchdog.scope('GET /frames', () => {
    t.pool.lease(1_024).bytes.fill(1); // the dropped lease
  });
  const [report] = t.leaks as [LeakReport];
  expect(t.leaks).toHaveLength(1);
  expect(report).toMatchObject({
    rule: 'orphaned',
    scope: 'GET /frames',
    component: { kind: 'buffer-pool', name: 'frames' },
    site: {
      file: 'test/watchdog/views.test.ts',
      line: lineOf(import.meta.url, '// the dropped lease'),
    },
  });
  expect(formatReport([report])).toContain('using lease = pool.lease(bytes)');
});

test('so are a slice that keeps its lease out, and a view of an exporter', () => {
  using t = watched();
  const error = t.watchdog.scope('parse', () => {
    const lease = t.pool.lease(1_024);
    lease.view.slice(0, 4); // the dropped slice
    try {
      lease.release();
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  });
  expect(error).toBeInstanceOf(ViewExportedError);
  t.watchdog.scope('append', () => {
    memoryview(t.exporter); // the dropped view
  });
  const lines = t.leaks.map(({ site }) => site?.line);
  expect(lines).toContain(lineOf(import.meta.url, '// the dropped slice'));
  expect(lines).toContain(lineOf(import.meta.url, '// the dropped view'));
  const view = t.leaks.find(({ component }) => component.kind === 'exporter') as LeakReport;
  expect(formatReport([view])).toContain('using view = memoryview(exporter)');
});

test('leases that are released in their scope, and those of use, are no leaks', async () => {
  using t = watched();
  await t.watchdog.scope('GET /frames', async () => {
    using lease = t.pool.lease(100);
    using part = lease.view.slice(0, 4);
    expect(part.length).toBe(4);
    await t.pool.use(100, async (bytes) => bytes.fill(1));
  });
  expect(t.leaks).toEqual([]);
  await t.watchdog.assertNoLeaks();
});

test('V8 confirms that a dropped lease is lost', async () => {
  using t = watched();
  t.watchdog.scope('GET /frames', () => {
    t.pool.lease(1_024);
  });
  const [report] = await t.watchdog.check({ graceMillis: 0, forceGc: true });
  expect(report?.certainty).toBe('certain');
});

test('at the level counters a release with views alive throws nothing, and is counted', () => {
  using t = watched('counters');
  const lease = t.pool.lease(100);
  using view = lease.view.slice(0, 4);
  lease.release();
  lease.release();
  expect(t.pool.stats()).toMatchObject({ misuse: 2, out: 0 });
  expect(view.at(0)).toBe(0);
  using other = watched('simple');
  const kept = other.pool.lease(100);
  using slice = kept.view.slice(0, 4);
  expect(() => kept.release()).toThrow(ViewExportedError);
  slice.release();
  kept.release();
});
