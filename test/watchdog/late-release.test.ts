/** Scopes that leave nothing behind, and loans that come back just after their scope: both must cost no node, and hide no leak. */
import { expect, test } from 'vitest';
import type { Watchdog } from '../../src/watchdog/index.js';
import { watchedPool } from './watched-pool.js';

const watched = () =>
  watchedPool({
    level: 'simple',
    youngCollectionEvery: 1_000_000, // A collection would give nodes to what is out.
  });

const allocated = ({ heap }: Watchdog): number => heap.stats().allocated;

const scopesOf = ({ heap }: Watchdog) => heap.census().find(({ kind }) => kind === 'scope');

test('a scope that leaves no loan behind is counted, and gets no node', () => {
  using t = watched();
  t.watchdog.scope('request', () => t.pool.lease().release());
  const before = allocated(t.watchdog);
  for (let i = 0; i < 1_000; i++) t.watchdog.scope('request', () => t.pool.lease().release());
  expect(allocated(t.watchdog)).toBe(before);
  expect(scopesOf(t.watchdog)).toMatchObject({ born: 1_001, live: [0, 0, 0] });
});

test('a running scope is in the heap when it is looked at, under its present name', () => {
  using t = watched();
  const scope = t.watchdog.openScope('first');
  scope.rename('second');
  expect(scopesOf(t.watchdog)).toMatchObject({ site: 'second', born: 1, live: [1, 0, 0] });
  t.watchdog.heap.assertInvariants();
  scope.end();
  expect(scopesOf(t.watchdog)).toMatchObject({ born: 1, live: [0, 0, 0], freed: [1, 0, 0] });
});

test('a loan that comes back just after its scope gets no node, and makes no noise', async () => {
  using t = watched();
  const before = allocated(t.watchdog);
  for (let i = 0; i < 1_000; i++) t.watchdog.scope('request', () => t.pool.lease()).release();
  expect(allocated(t.watchdog)).toBe(before);
  expect(t.watchdog.stats()).toMatchObject({ lost: 0, scopes: 0, retracted: 0 });
  await t.clock.advance(2_000);
  expect(t.leaks).toEqual([]);
  expect(scopesOf(t.watchdog)).toMatchObject({ born: 1_000, live: [0, 0, 0] });
});

test('of the loans that a scope leaves behind, those that stay out are lost', () => {
  using t = watched();
  const [lost, late] = t.watchdog.scope('request', () => [t.pool.lease(), t.pool.lease()]);
  late?.release();
  expect(t.watchdog.checkNow()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  lost?.release();
  expect(t.watchdog.checkNow()).toEqual([]);
});

test('the figures know a lost loan at once, and a listener at the end of the grace', async () => {
  using t = watched();
  const lost = t.watchdog.scope('request', () => t.pool.lease());
  expect(t.watchdog.stats().lost).toBe(1);
  const second = t.watchdog.scope('request', () => t.pool.lease());
  await t.clock.advance(999);
  expect(t.leaks).toEqual([]);
  await t.clock.advance(1);
  expect(t.leaks).toMatchObject([
    { rule: 'orphaned', count: 1 },
    { rule: 'orphaned', count: 1 },
  ]);
  for (const lease of [lost, second]) lease.release();
});

test('a listener hears of a loan that nothing has looked at when its grace is over', async () => {
  using t = watched();
  const lost = t.watchdog.scope('request', () => t.pool.lease());
  await t.clock.advance(999);
  expect(t.leaks).toEqual([]);
  await t.clock.advance(1);
  expect(t.leaks).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  lost.release();
});

test('a leak stays known if the watch ends just after the scope', () => {
  using t = watched();
  t.watchdog.scope('request', () => t.pool.lease());
  t.watch[Symbol.dispose]();
  expect(t.watchdog.checkNow()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
});

test('loans of one leak whose grace ends at the same time are told by one event', async () => {
  using t = watched();
  const lose = (): void => void t.pool.lease();
  for (let i = 0; i < 4; i++) t.pool.lease().release(); // The first four have their stacks taken.
  for (let i = 0; i < 5; i++) t.watchdog.scope('request', lose);
  await t.clock.advance(2_000);
  expect(t.leaks.map(({ count }) => count)).toEqual([5]);
  for (let i = 0; i < 5; i++) t.watchdog.scope('request', lose);
  await t.clock.advance(2_000);
  const counts = t.leaks.map(({ count, site, withoutLine }) => [
    count,
    site !== undefined,
    withoutLine,
  ]);
  expect(counts).toEqual([
    [5, false, undefined],
    [10, true, 5],
  ]);
});

test('a loan that comes back while another one is looked at, as its grace ends, is not told', async () => {
  using t = watched();
  const leases = Array.from({ length: 2 }, () => t.watchdog.scope('request', () => t.pool.lease()));
  t.pool.looks = () => leases[1]?.release();
  await t.clock.advance(2_000);
  expect(t.leaks.map(({ count }) => count)).toEqual([1]);
  expect(t.watchdog.stats()).toMatchObject({ lost: 1, retracted: 0 });
});
