import { expect, test, vi } from 'vitest';
import { BaseHeap } from '../../src/gc/base-heap.js';
import { createPool } from '../../src/pool/index.js';
import { type Origin, Watchdog } from '../../src/watchdog/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { observerOf } from './observer-of.js';
import { watchedPool } from './watched-pool.js';

/** The sweep of a watchdog. */
const TIMERS = 1;

const watched = () => watchedPool({ level: 'simple', graceMillis: 0 });

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

test('loans and scopes that overlap and end soon add no node while the heap collects', () => {
  using t = watched();
  const { allocated } = t.watchdog.heap.stats();
  const begin = () => {
    t.clock.jump(1);
    const scope = t.watchdog.openScope('request');
    return { scope, lease: scope.run(() => t.pool.lease()) };
  };
  let current = begin();
  for (let i = 0; i < 5_000; i++) {
    const next = begin();
    current.lease.release();
    current.scope.end();
    current = next;
  }
  current.lease.release();
  current.scope.end();
  expect(t.watchdog.heap.stats().allocated).toBe(allocated);
});

test('a loan and its scope that outlive a collection grow old by the next ones', () => {
  using t = watched();
  const scope = t.watchdog.openScope('job');
  const lease = scope.run(() => t.pool.lease());
  for (let i = 0; i < 1_500; i++) {
    t.clock.jump(1);
    t.pool.lease().release();
  }
  const { gc } = t.watchdog.heap;
  expect(gc.getObjects(0)).toEqual([]);
  lease.release();
  scope.end();
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
  await t.clock.advance(200);
  await collectGarbage();
  expect(t.leaks.at(-1)).toMatchObject({ rule: 'abandoned', certainty: 'certain' });
});

test('V8 proves a dropped lease that was too young when older ones were settled, though no other one begins', async () => {
  using t = watched();
  const older = t.pool.lease();
  await t.clock.advance(60);
  t.pool.lease();
  await t.clock.advance(60);
  older.release();
  await t.clock.advance(400);
  await collectGarbage();
  expect(t.leaks).toMatchObject([{ rule: 'abandoned', certainty: 'certain' }]);
});

test('a loan gets its node after a tenth of a second', async () => {
  using t = watched();
  const nodes = (): number => t.watchdog.heap.stats().liveByKind.get('lease') ?? 0;
  const [first, second] = [t.pool.lease(), t.pool.lease()];
  expect(t.clock.pendingTimers).toBe(TIMERS + 1);
  await t.clock.advance(100);
  expect(t.clock.pendingTimers).toBe(TIMERS);
  expect(nodes()).toBe(2);
  first.release();
  second.release();
});

test('the end of a scope gives nodes to the loans that it leaves behind, and to no others', () => {
  using t = watched();
  const others = Array.from({ length: 3 }, () => t.pool.lease());
  const loanNodes = vi.spyOn(BaseHeap.prototype, 'allocFinalizedOf');
  t.watchdog.scope('request', () => t.pool.lease().release());
  expect(loanNodes).not.toHaveBeenCalled();
  const lost = t.watchdog.scope('request', () => t.pool.lease());
  expect(loanNodes).toHaveBeenCalledOnce();
  expect(t.leaks).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  for (const lease of [...others, lost]) lease.release();
  loanNodes.mockRestore();
});

test('a watchdog that is disposed of leaves no timer behind', () => {
  const t = watched();
  const lease = t.pool.lease();
  t[Symbol.dispose]();
  expect(t.clock.pendingTimers).toBe(0);
  lease.release();
});

test('thousands of loans at once are all watched', () => {
  using t = watched();
  const leases = Array.from({ length: 3_000 }, () => t.pool.lease());
  expect(leaseNodes(t.watchdog)).toBe(3_000);
  for (const lease of leases) lease.release();
  expect(leaseNodes(t.watchdog)).toBe(0);
  t.watchdog.heap.assertInvariants();
});

test('references of an unsettled loan are recorded', () => {
  using watchdog = new Watchdog({ level: 'simple', clock: new FakeClock() });
  const observer = observerOf(watchdog);
  const own = observer.allocated('resource', observer.root);
  const other = observer.allocated('extra', observer.root);
  const loan = observer.lent(own, observer.origin(test));
  observer.referenced(loan, other);
  observer.freed(other);
  expect(watchdog.heap.stats().liveByKind.get('extra')).toBe(1);
  observer.freed(loan);
  expect(watchdog.heap.stats().liveByKind.has('extra')).toBe(false);
});

test('a sample takes at most twenty stacks a second', () => {
  using t = watched();
  using capture = vi.spyOn(Error as unknown as { captureStackTrace(): void }, 'captureStackTrace');
  for (let i = 0; i < 128 * 300; i++) t.pool.lease().release();
  expect(capture).toHaveBeenCalledTimes(4 + 20);
  t.clock.jump(1_000);
  for (let i = 0; i < 128 * 300; i++) t.pool.lease().release();
  expect(capture).toHaveBeenCalledTimes(4 + 20 + 20);
});

test('a value lives on with a lease that has just begun, when the older lease on it ends', () => {
  using watchdog = new Watchdog({ level: 'simple', clock: new FakeClock() });
  const observer = observerOf(watchdog);
  const values = (): number => watchdog.heap.stats().liveByKind.get('value') ?? 0;
  const value = observer.allocated('value', observer.root);
  const older = observer.lent(value, observer.origin(test));
  observer.dropped(observer.root, value);
  const younger = observer.lent(value, observer.origin(test));
  observer.freed(older);
  expect(values()).toBe(1);
  observer.freed(younger);
  expect(values()).toBe(0);
  watchdog.heap.assertInvariants();
});

test('loans that have ended do not pile up until the timer, however many get a node', async () => {
  using watchdog = new Watchdog({ level: 'advanced', clock: new FakeClock() });
  const observer = observerOf(watchdog);
  const resource = observer.allocated('resource', observer.root);
  const lendOnce = (): WeakRef<Origin> => {
    const origin = observer.origin(lendOnce);
    const loan = observer.lent(resource, origin, {});
    watchdog.heap.stats(); // It gets its node.
    observer.freed(loan);
    return new WeakRef(origin);
  };
  const ended = Array.from({ length: 5_000 }, lendOnce);
  await collectGarbage();
  expect(ended.filter((ref) => ref.deref() !== undefined).length).toBeLessThan(2_000);
});
