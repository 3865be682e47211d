import { expect, test, vi } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { type LeakReport, type Observer, observe, Watchdog } from '../../src/watchdog/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { MinimalPool } from './minimal-pool.js';

function watched() {
  const leaks: LeakReport[] = [];
  const clock = new FakeClock();
  const watchdog = new Watchdog({
    level: 'simple',
    graceMillis: 0,
    clock,
    onLeak: (report) => leaks.push(report),
  });
  const pool = new MinimalPool('db');
  pool.addResource();
  watchdog.watch(pool);
  return { watchdog, pool, clock, leaks, [Symbol.dispose]: () => watchdog[Symbol.dispose]() };
}

const leaseNodes = ({ heap }: Watchdog): number => heap.stats().liveByKind.get('lease') ?? 0;

test('loans that end at once are counted, and add no node', async () => {
  using watchdog = new Watchdog({ level: 'simple', clock: new FakeClock() });
  await using pool = createPool({ create: () => ({}), destroy: () => {} });
  watchdog.watch(pool);
  const release = async (): Promise<void> => (await pool.lease()).release();
  await release();
  const { allocated } = watchdog.heap.stats();
  for (let i = 0; i < 5_000; i++) await release();
  expect(watchdog.heap.stats().allocated).toBe(allocated);
  expect(watchdog.stats().loans).toBe(5_001);
});

test('a loan that has just begun is in the heap when it is looked at', () => {
  using t = watched();
  const lease = t.pool.lease();
  expect(leaseNodes(t.watchdog)).toBe(1);
  lease.release();
  expect(leaseNodes(t.watchdog)).toBe(0);
  t.watchdog.heap.assertInvariants();
});

test('V8 proves a dropped lease without a check', async () => {
  using t = watched();
  for (let i = 0; i < 20; i++) t.pool.lease();
  await settle();
  await collectGarbage();
  expect(t.leaks.at(-1)).toMatchObject({ rule: 'abandoned', certainty: 'certain' });
});

test('more loans at once than the younger list takes are all watched', () => {
  using t = watched();
  const leases = Array.from({ length: 3_000 }, () => t.pool.lease());
  expect(leaseNodes(t.watchdog)).toBe(3_000);
  for (const lease of leases) lease.release();
  expect(leaseNodes(t.watchdog)).toBe(0);
  t.watchdog.heap.assertInvariants();
});

test('references of an unsettled loan are recorded', () => {
  using watchdog = new Watchdog({ level: 'simple', clock: new FakeClock() });
  const observers: Observer[] = [];
  watchdog.watch({
    [observe]: (given: Observer) => {
      observers.push(given);
      return { kind: 'pool', name: 'db', stats: () => ({}), [Symbol.dispose]: () => {} };
    },
  });
  const [observer] = observers as [Observer];
  const own = observer.allocated('resource', observer.root);
  const other = observer.allocated('extra', observer.root);
  const loan = observer.lent(own, observer.origin(test));
  observer.referenced(loan, other);
  observer.freed(other);
  expect(watchdog.heap.stats().liveByKind.get('extra')).toBe(1);
  observer.freed(loan);
  expect(watchdog.heap.stats().liveByKind.has('extra')).toBe(false);
});

test('a sample takes at most a hundred stacks a second', () => {
  using t = watched();
  using capture = vi.spyOn(Error as unknown as { captureStackTrace(): void }, 'captureStackTrace');
  for (let i = 0; i < 128 * 300; i++) t.pool.lease().release();
  expect(capture).toHaveBeenCalledTimes(4 + 100);
  t.clock.jump(1_000);
  for (let i = 0; i < 128 * 300; i++) t.pool.lease().release();
  expect(capture).toHaveBeenCalledTimes(4 + 100 + 100);
});
