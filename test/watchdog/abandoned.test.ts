import { expect, test } from 'vitest';
import { type LeakReport, NoCollectorError, Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';
import { LendingShelf, type Ticket } from './lending-shelf.js';

function watched(level: 'simple' | 'advanced' | 'counters' = 'advanced') {
  const watchdog = new Watchdog({ level, clock: new FakeClock() });
  const shelf = new LendingShelf('db');
  shelf.put();
  watchdog.watch(shelf);
  return { watchdog, shelf, [Symbol.dispose]: () => watchdog[Symbol.dispose]() };
}

function loseTickets(shelf: LendingShelf, count: number): void {
  for (let i = 0; i < count; i++) shelf.lend(); // where tickets are lost
}

test('every ticket that was dropped is found, with its line, and proven', async () => {
  using t = watched();
  loseTickets(t.shelf, 100);
  const [report, ...others] = await t.watchdog.check({ forceGc: true });
  expect(others).toEqual([]);
  expect(report).toMatchObject({ rule: 'abandoned', certainty: 'certain', count: 100 });
  expect(report?.evidence.v8).toBe('collected');
  expect(report?.site?.line).toBe(lineOf(import.meta.url, '// where tickets are lost'));
});

test('a ticket that is still held is not reported, nor one given back', async () => {
  using t = watched();
  const held = t.shelf.lend();
  t.shelf.lend().giveBack();
  expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
  held.giveBack();
});

test('an orphaned loan that V8 collects becomes certain and is not counted twice', async () => {
  using t = watched();
  t.watchdog.scope('request', () => loseTickets(t.shelf, 3));
  expect(await t.watchdog.check()).toMatchObject([
    { rule: 'orphaned', certainty: 'probable', count: 3 },
  ]);
  expect(await t.watchdog.check({ forceGc: true })).toMatchObject([
    { rule: 'orphaned', certainty: 'certain', count: 3, evidence: { v8: 'collected' } },
  ]);
});

test('a loan whose stack was taken can still be collected', async () => {
  using t = watched('advanced');
  const refs: WeakRef<Ticket>[] = [];
  class Holder {
    readonly ticket = t.shelf.lend(); // `this` and the frame are on the stack that is taken
  }
  for (let i = 0; i < 100; i++) refs.push(new WeakRef(new Holder().ticket));
  await t.watchdog.check({ forceGc: true });
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
});

test('level counters does not ask V8', async () => {
  using t = watched('counters');
  loseTickets(t.shelf, 1);
  expect(await t.watchdog.check({ forceGc: true })).toEqual([]);
});

test('a forced collection without a collector is refused', async () => {
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

test('the watchdog keeps neither the component nor its figures alive, and forgets it', async () => {
  using watchdog = new Watchdog({ clock: new FakeClock() });
  const reports: LeakReport[] = [];
  const ref = (() => {
    const shelf = new LendingShelf();
    for (let i = 0; i < 10; i++) shelf.put();
    watchdog.watch(shelf);
    return new WeakRef(shelf);
  })();
  expect(watchdog.stats().components).toBe(1);
  const before = watchdog.heap.stats().live;
  reports.push(...(await watchdog.check({ forceGc: true })));
  expect(ref.deref()).toBeUndefined();
  expect(watchdog.stats().components).toBe(0);
  expect(watchdog.heap.stats().live).toBe(before - 11);
  expect(reports).toEqual([]);
});
