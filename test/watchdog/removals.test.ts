/** Nodes that end together, and watches that end, leave the simulated heap in slices: no turn of the event loop removes many. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { nextTurn } from '../../src/core/host-timers.js';
import { type Observer, observe } from '../../src/core/probe.js';
import { hasTimeLeft, runLater } from '../../src/core/slices.js';
import { memoize } from '../../src/memoize/index.js';
import { createKeyedPool, createPool, type Lease } from '../../src/pool/index.js';
import { LoanWatch } from '../../src/pool/loan/loan-watch.js';
import { SlotIndex } from '../../src/pool/stock/slot-index.js';
import { Tracer } from '../../src/profile/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { Removals } from '../../src/watchdog/removals.js';
import { IterableWeakMap, WeakValueMap } from '../../src/weak/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { RecordingObserver } from '../kit/recording-observer.js';

const MANY = 5_000;

/** Fewer entries, each of which has its stack taken. */
const TRACED = 2_000;

/** How many nodes a turn may remove: some at once, and as many as a slice has time for. */
const MAX_IN_TURN = 64 + 512;

/** The platform's time, of which each reading takes a tenth of a millisecond: a slice ends after some steps. */
let now = 0;

beforeEach(async () => {
  now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => {
    now += 0.1;
    return now;
  });
  await new Promise<void>((resolve) => runLater(resolve, undefined));
});

afterEach(() => {
  vi.restoreAllMocks();
});

function watching(clock?: FakeClock) {
  const watchdog = new Watchdog({ graceMillis: 0, ...(clock !== undefined && { clock }) });
  onTestFinished(() => watchdog[Symbol.dispose]());
  return {
    watchdog,
    live: (kind: string): number => watchdog.heap.stats().liveByKind.get(kind) ?? 0,
  };
}

/** Lets turns pass until `count` is 0. Gives the most by which it has fallen in one turn. */
async function mostInTurn(count: () => number, before: number): Promise<number> {
  let most = 0;
  for (let last = before; last > 0; ) {
    const now = count();
    most = Math.max(most, last - now);
    last = now;
    await nextTurn();
  }
  return most;
}

test('a removal runs some steps at once, and the rest in later turns', async () => {
  const removals = new Removals({ hasTimeLeft });
  let steps = 0;
  const ended: number[] = [];
  function* removal(number: number): Generator<undefined> {
    for (let i = 0; i < 3_000; i++) {
      steps++;
      yield;
    }
    ended.push(number);
  }
  for (let number = 0; number < 4; number++) removals.add(removal(number));
  expect(steps).toBeGreaterThanOrEqual(64);
  expect(steps).toBeLessThan(MAX_IN_TURN);
  expect(await mostInTurn(() => 12_000 - steps, 12_000)).toBeLessThan(MAX_IN_TURN);
  expect(ended).toEqual([0, 1, 2, 3]);
});

test('a removal that throws, and one that adds another, let the others run', async () => {
  const removals = new Removals({ hasTimeLeft });
  const done: string[] = [];
  function* adding(): Generator<undefined> {
    removals.add(simple('added'));
    yield;
    done.push('adding');
  }
  function* simple(name: string): Generator<undefined> {
    yield;
    done.push(name);
  }
  const failing: Iterator<unknown> = (function* () {
    yield;
    throw new Error('a defect');
  })();
  expect(() => removals.add(failing)).toThrow('a defect');
  removals.add(adding());
  expect(done).toEqual(['adding', 'added']);
});

test('the watch over a full cache ends in slices, and its entries count no longer at once', async () => {
  const { watchdog, live } = watching();
  const cached = memoize((key: number) => key, { name: 'users' });
  const watch = watchdog.watch(cached);
  for (let key = 0; key < MANY; key++) cached(key);
  watch[Symbol.dispose]();
  expect(watchdog.stats().components).toBe(0);
  expect(live('entry')).toBeGreaterThan(MANY / 2);
  expect(await mostInTurn(() => live('entry'), MANY)).toBeLessThan(MAX_IN_TURN);
  await nextTurn();
  expect(live('cache')).toBe(0);
  watchdog.heap.assertInvariants();
});

test('a cache that is watched anew meanwhile has each entry once', async () => {
  const { watchdog, live } = watching();
  const cached = memoize((key: number) => key);
  const first = watchdog.watch(cached);
  for (let key = 0; key < MANY; key++) cached(key);
  first[Symbol.dispose]();
  using second = watchdog.watch(cached);
  cached(MANY);
  cached.delete(0);
  while (live('entry') !== MANY) await nextTurn();
  expect([second === first, cached.cacheInfo().size]).toEqual([false, MANY]);
  watchdog.heap.assertInvariants();
});

test.each(['clear', 'invalidateTags', 'close'] as const)(
  'the entries of a cache that leave together, by %s, are removed in slices',
  async (how) => {
    const { watchdog, live } = watching();
    const cached = memoize((key: number) => key, { tags: () => ['all'] });
    watchdog.watch(cached);
    for (let key = 0; key < MANY; key++) cached(key);
    if (how === 'clear') cached.clear();
    else if (how === 'close') cached[Symbol.dispose]();
    else expect(cached.invalidateTags('all')).toBe(MANY);
    expect(live('entry')).toBeGreaterThan(MANY / 2);
    if (how !== 'close') cached(-1);
    const kept = how === 'close' ? 0 : 1;
    expect(await mostInTurn(() => live('entry') - kept, MANY)).toBeLessThan(MAX_IN_TURN);
    await nextTurn();
    expect([watchdog.stats().components, cached.cacheInfo().size]).toEqual([kept, kept]);
    watchdog.heap.assertInvariants();
  },
);

test.each(['tracer', 'watchdog'] as const)(
  'the entries of a cache that a tracer watches as well, the %s first, are removed in slices',
  async (first) => {
    const { watchdog, live } = watching();
    using tracer = new Tracer();
    tracer.start();
    const cached = memoize((key: number) => key);
    if (first === 'tracer') tracer.watch(cached);
    watchdog.watch(cached);
    if (first === 'watchdog') tracer.watch(cached);
    for (let key = 0; key < TRACED; key++) cached(key);
    expect(tracer.takeSnapshot().traces).toHaveLength(TRACED);
    cached.clear();
    expect(tracer.takeSnapshot().traces).toHaveLength(0);
    expect(live('entry')).toBeGreaterThan(TRACED / 2);
    cached(0);
    expect(await mostInTurn(() => live('entry') - 1, TRACED)).toBeLessThan(MAX_IN_TURN);
    cached.delete(0);
    expect(live('entry')).toBe(0);
    watchdog.heap.assertInvariants();
  },
);

test('entries that a second observer has not been told of yet do not count as its own when they leave', async () => {
  const clock = new FakeClock();
  const { watchdog, live } = watching(clock);
  using tracer = new Tracer();
  const cached = memoize((key: number) => key, { tags: (key) => [key % 2 === 0 ? 'even' : 'odd'] });
  tracer.watch(cached);
  let key = 0;
  while (key < 4_000) cached(key++);
  watchdog.watch(cached);
  expect(live('entry')).toBe(1_024);
  cached.invalidateTags('even');
  for (let turn = 0; turn < 100; turn++) {
    await clock.advance(0);
    await nextTurn();
  }
  expect(live('entry')).toBe(2_000);
  for (let minute = 0; minute < 20; minute++) {
    for (let i = 0; i < 1_000; i++) cached(2 * key++ + 1);
    clock.jump(60_000);
    watchdog.heap.gc.collect();
  }
  expect(await watchdog.check()).toMatchObject([{ rule: 'growth', count: live('entry') }]);
});

test('the watch over a pool ends without a look at its resources', async () => {
  const { watchdog, live } = watching();
  await using pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 2_000 });
  const watch = watchdog.watch(pool);
  const leases = await Promise.all(Array.from({ length: 2_000 }, () => pool.lease()));
  const looks = vi.spyOn(SlotIndex.prototype, Symbol.iterator);
  watch[Symbol.dispose]();
  expect(looks).not.toHaveBeenCalled();
  looks.mockRestore();
  while (live('resource') > 0) await nextTurn();
  watchdog.watch(pool);
  for (const lease of leases) await lease.release();
  while (live('resource') < 2_000) await nextTurn();
  await watchdog.scope('job', () => pool.use(() => {}));
  expect(watchdog.checkNow()).toEqual([]);
  expect([live('resource'), live('lease')]).toEqual([2_000, 0]);
  watchdog.heap.assertInvariants();
});

test.each([
  ['IterableWeakMap', () => new IterableWeakMap<object, number>()],
  ['WeakValueMap', () => new WeakValueMap<object, object>()],
] as const)(
  'the entries of a cleared %s are removed in slices, and its watch ends at once',
  async (_, make) => {
    const { watchdog, live } = watching();
    const map = make() as unknown as IterableWeakMap<object, object>;
    const keys = Array.from({ length: MANY }, () => ({}));
    const first = watchdog.watch(map);
    for (const key of keys) map.set(key, key);
    map.clear();
    expect(live('weak-target')).toBeGreaterThan(MANY / 2);
    map.set(keys[0] as object, keys[0] as object);
    expect(await mostInTurn(() => live('weak-target') - 1, MANY)).toBeLessThan(MAX_IN_TURN);
    first[Symbol.dispose]();
    while (live('weak-target') > 0) await nextTurn();
    using second = watchdog.watch(map);
    expect(live('weak-target')).toBe(1);
    map.delete(keys[0] as object);
    expect(live('weak-target')).toBe(0);
    expect([map.size, second === first]).toEqual([0, false]);
    watchdog.heap.assertInvariants();
  },
);

test('an observer that takes no nodes together is told of each', () => {
  const observer = new RecordingObserver();
  const cached = memoize((key: unknown) => key, { tags: () => ['all'] });
  using watch = cached[observe](observer);
  const keys = [1, 'two', {}];
  for (const key of keys) cached(key);
  expect(observer.liveOf('entry')).toHaveLength(2);
  expect(observer.liveOf('weak-entry')).toHaveLength(1);
  cached.clear();
  expect(observer.live.size).toBe(0);
  for (const key of keys) cached(key);
  cached.invalidateTags('all');
  expect(observer.live.size).toBe(0);
  expect(watch.kind).toBe('cache');
});

test('a lease that an entry holds is orphaned when the cache is cleared, and not when its watch ends', async () => {
  for (const how of ['clear', 'end'] as const) {
    const { watchdog } = watching();
    await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
    watchdog.watch(pool);
    const leases: Lease<object>[] = [];
    const cached = memoize(async (key: number) => {
      if (key === MANY / 2) leases.push(await pool.lease());
      return key;
    });
    const watch = watchdog.watch(cached);
    for (let key = 0; key < MANY; key++) void cached(key);
    await cached(MANY - 1);
    await cached(MANY / 2);
    expect(watchdog.checkNow()).toEqual([]);
    if (how === 'clear') cached.clear();
    else watch[Symbol.dispose]();
    while ((watchdog.heap.stats().liveByKind.get('entry') ?? 0) > 0) await nextTurn();
    expect(watchdog.checkNow().map(({ rule }) => rule)).toEqual(
      how === 'clear' ? ['orphaned'] : [],
    );
    for (const lease of leases) await lease.release();
    expect(watchdog.checkNow()).toEqual([]);
    watchdog[Symbol.dispose]();
  }
});

test('the loans of a pool whose watch ends are not accused while they wait for their removal', async () => {
  const { watchdog, live } = watching();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: MANY });
  const watch = watchdog.watch(pool);
  const leases: Lease<object>[] = [];
  const scope = watchdog.openScope('job');
  await scope.run(async () => {
    for (let i = 0; i < MANY / 2; i++) leases.push(await pool.lease());
    watchdog.heap.stats(); // The heap has their nodes from now on.
    for (let i = 0; i < MANY / 2; i++) leases.push(await pool.lease());
  });
  watch[Symbol.dispose]();
  expect(watchdog.stats()).toMatchObject({ components: 0, loansOut: 0, lost: 0 });
  scope.end();
  expect(watchdog.checkNow()).toEqual([]);
  expect(await mostInTurn(() => live('lease'), MANY)).toBeLessThan(MAX_IN_TURN);
  await mostInTurn(() => live('resource'), live('resource'));
  expect(watchdog.stats().lost).toBe(0);
  watchdog.heap.assertInvariants();
  for (const lease of leases) await lease.release();
  await pool.close();
});

test('a loan that gets its node while the watch ends may have lost what was lent', async () => {
  const { watchdog, live } = watching();
  let observer!: Observer;
  const component = {
    [observe](attached: Observer) {
      observer = attached;
      return { kind: 'cache', name: 'values', stats: () => ({}), [Symbol.dispose]() {} };
    },
  };
  const watch = watchdog.watch(component);
  const lend = () => observer.lent(value, observer.origin(lend), {});
  const value = observer.allocated('value', observer.root);
  const first = lend();
  for (let i = 0; i < MANY; i++) observer.allocated('resource', observer.root);
  lend();
  expect(live('lease')).toBe(2);
  observer.freed(first);
  observer.dropped(observer.root, value);
  lend(); // It has the id of the first one, so it is the last to be removed.
  watch[Symbol.dispose]();
  expect(watchdog.checkNow()).toEqual([]);
  while (live('values') + live('resource') > 0) await nextTurn();
  expect(live('lease')).toBe(0);
  watchdog.heap.assertInvariants();
});

test('loans that were lost before the watch ends stay counted', async () => {
  const { watchdog, live } = watching();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: MANY });
  const watch = watchdog.watch(pool);
  const leases = await watchdog.scope('GET /', () =>
    Promise.all(Array.from({ length: 5_000 }, () => pool.lease())),
  );
  await watchdog.check();
  expect(watchdog.stats().lost).toBe(5_000);
  watch[Symbol.dispose]();
  expect(watchdog.stats().lost).toBe(5_000);
  while (live('lease') > 0) await nextTurn();
  expect(watchdog.stats().lost).toBe(5_000);
  for (const lease of leases) await lease.release();
  await pool.close();
});

test('the entries of a cache that has been cleared are no growth, while the heap still has them', async () => {
  const { watchdog, live } = watching();
  const cached = memoize((key: number) => key, { name: 'users' });
  const watch = watchdog.watch(cached);
  let key = 0;
  const grow = (minutes: number): void => {
    for (let minute = 0; minute < minutes; minute++) {
      for (let i = 0; i < 1_000; i++) cached(key++);
      for (let sweep = 0; sweep < 6; sweep++) {
        now += 10_000;
        watchdog.heap.gc.collect();
      }
    }
  };
  grow(14);
  expect(await watchdog.check()).toMatchObject([{ rule: 'growth', count: key }]);
  cached.clear();
  expect(live('entry')).toBeGreaterThan(1_000);
  expect(await watchdog.check()).toEqual([]);
  while (live('entry') > 0) await nextTurn();
  grow(20); // Past the earlier peak.
  expect(await watchdog.check()).toMatchObject([{ rule: 'growth', count: 20_000 }]);
  watch[Symbol.dispose]();
  expect(live('entry')).toBeGreaterThan(1_000);
  expect(await watchdog.check()).toEqual([]);
});

describe('a keyed pool of many keys', () => {
  const KEYS = 2_000;

  async function keyed() {
    const { watchdog, live } = watching();
    const pools = createKeyedPool((key: number) => ({
      create: () => ({ key }),
      destroy: () => {},
    }));
    for (let key = 0; key < KEYS; key++) await (await pools.lease(key)).release();
    const watch = watchdog.watch(pools);
    while (live('pool') < 1 + KEYS) await nextTurn();
    return { watchdog, live, pools, watch };
  }

  test('its watch ends in slices', async () => {
    const { watchdog, live, pools, watch } = await keyed();
    const lease = await pools.lease(0);
    const ends = vi.spyOn(LoanWatch.prototype, Symbol.dispose);
    watch[Symbol.dispose]();
    expect(watchdog.stats()).toMatchObject({ components: 0, loansOut: 0, lost: 0 });
    expect(ends.mock.calls.length).toBeLessThan(KEYS / 2);
    const late = await watchdog.scope('job', () => pools.lease(KEYS - 1));
    expect(watchdog.checkNow()).toEqual([]);
    expect(await mostInTurn(() => KEYS - ends.mock.calls.length, KEYS)).toBeLessThan(MAX_IN_TURN);
    while (live('pool') > 0) await nextTurn();
    expect([live('lease'), live('resource')]).toEqual([0, 0]);
    expect(watchdog.checkNow()).toEqual([]);
    expect(watchdog.stats().lost).toBe(0);
    watchdog.heap.assertInvariants();
    await late.release();
    await lease.release();
    await pools.close();
  });

  test('it, and one of its pools, are watched anew before that', async () => {
    const { live, pools, watch } = await keyed();
    const apart = pools.pool(KEYS - 1);
    watch[Symbol.dispose]();
    const other = watching();
    const first = other.watchdog.watch(apart);
    first[Symbol.dispose]();
    other.watchdog.watch(pools);
    const lost = await other.watchdog.scope('job', () => pools.lease(KEYS - 2));
    expect(other.watchdog.checkNow()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
    while (live('pool') > 0 || other.live('resource') < KEYS) await nextTurn();
    expect(other.live('pool')).toBe(1 + KEYS);
    await lost.release();
    expect(other.watchdog.checkNow()).toEqual([]);
    await pools.close();
  });
});
