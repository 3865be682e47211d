import { expect, test, vi } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { type LeakReport, type Observer, observe, Watchdog } from '../../src/watchdog/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { LendingShelf } from './lending-shelf.js';

function watched() {
  const told: LeakReport[] = [];
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'simple', clock, onLeak: (report) => told.push(report) });
  const shelf = new LendingShelf('db');
  shelf.put();
  watchdog.watch(shelf);
  return { watchdog, shelf, clock, told, [Symbol.dispose]: () => watchdog[Symbol.dispose]() };
}

const leases = ({ heap }: Watchdog): number => heap.stats().liveByKind.get('lease') ?? 0;

test('loans that end at once are counted, and put nothing into the heap', async () => {
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

test('a loan of this very moment is in the heap that one looks at', () => {
  using t = watched();
  const ticket = t.shelf.lend();
  expect(leases(t.watchdog)).toBe(1);
  ticket.giveBack();
  expect(leases(t.watchdog)).toBe(0);
  t.watchdog.heap.assertInvariants();
});

test('a loan that nobody asks after is proven lost by V8 all the same', async () => {
  using t = watched();
  for (let i = 0; i < 20; i++) t.shelf.lend();
  await settle();
  await collectGarbage();
  expect(t.told.at(-1)).toMatchObject({ rule: 'abandoned', certainty: 'certain' });
});

test('more loans at once than are kept back are each watched, and each ends', () => {
  using t = watched();
  const tickets = Array.from({ length: 3_000 }, () => t.shelf.lend());
  expect(leases(t.watchdog)).toBe(3_000);
  for (const ticket of tickets) ticket.giveBack();
  expect(leases(t.watchdog)).toBe(0);
  t.watchdog.heap.assertInvariants();
});

test('what a new loan comes to hold, and lets go of, is known of it', () => {
  using watchdog = new Watchdog({ level: 'simple', clock: new FakeClock() });
  const observers: Observer[] = [];
  watchdog.watch({
    [observe]: (given: Observer) => {
      observers.push(given);
      return { kind: 'shelf', name: 'db', stats: () => ({}), [Symbol.dispose]: () => {} };
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

test('no more than a hundred stacks of a sample are taken in a second', () => {
  using t = watched();
  using capture = vi.spyOn(Error as unknown as { captureStackTrace(): void }, 'captureStackTrace');
  for (let i = 0; i < 128 * 300; i++) t.shelf.lend().giveBack();
  expect(capture).toHaveBeenCalledTimes(4 + 100);
  t.clock.jump(1_000);
  for (let i = 0; i < 128 * 300; i++) t.shelf.lend().giveBack();
  expect(capture).toHaveBeenCalledTimes(4 + 100 + 100);
});
