/** The nodes that a component has before it is watched: they are reported in steps, while the component goes on. */
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Observation, observe, type Watchable } from '../../src/core/probe.js';
import { adaptive } from '../../src/memoize/adaptive/index.js';
import { memoize } from '../../src/memoize/index.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';
import { createKeyedPool, createPool, type Lease } from '../../src/pool/index.js';
import { Tracer } from '../../src/profile/index.js';
import { RefCountedMap } from '../../src/scope/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { IterableWeakMap, IterableWeakSet, WeakValueMap } from '../../src/weak/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { until } from '../kit/until.js';

/** More nodes than one step reports. */
const MANY = 5_000;

/** A clock whose timers take a millisecond at least, so that `advance(1)` runs one step. */
class SteppedClock extends FakeClock {
  override setTimer(...[callback, millis, options]: Parameters<FakeClock['setTimer']>) {
    return super.setTimer(callback, Math.max(millis, 1), options);
  }
}

/** An observer that asks for the nodes, so that a test decides when they are reported. */
class AskingObserver extends RecordingObserver {
  readonly asksForPresent = true;
}

/** A component of members that a program adds and removes by number. */
interface Members {
  readonly component: Watchable;
  readonly kind: string;
  add(n: number): void;
  remove(n: number): void;
  clear(): void;
  /** How many members there are. */
  size(): number;
  /** Ends the component, if it has an end. */
  end?(): void;
}

/** Makes a component that holds at most `max` members, if it has a bound. */
type Make = (max: number) => Members;

function cached(
  options: (max: number) => object = () => ({}),
  keyOf = (n: number): unknown => n,
  kind = 'entry',
): Make {
  return (max) => {
    const cache = memoize((key: unknown) => ({ key }), options(max));
    return {
      component: cache,
      kind,
      add: (n) => {
        cache(keyOf(n)); // A use changes the order in which entries are evicted.
        if (n % 3 === 0) cache.set([keyOf(n)], { key: n });
      },
      remove: (n) => cache.delete(keyOf(n)),
      clear: () => cache.clear(),
      size: () => cache.cacheInfo().size,
      end: () => cache[Symbol.dispose](),
    };
  };
}

/** The key objects of a test live as long as the test. */
const objects = Array.from({ length: 2 * MANY }, (_, n) => ({ n }));
const objectOf = (n: number): { n: number } => objects[n] as { n: number };

const COMPONENTS: Readonly<Record<string, Make>> = {
  'cache without a bound': cached(),
  'cache of strings and numbers': cached(undefined, (n) => (n % 2 === 0 ? n : `${n}`)),
  'cache with a bound': cached((max) => ({ max })),
  'cache that grows': cached((max) => ({ max: 4 * max })),
  'cache with S3-FIFO': cached((max) => ({ max, policy: s3fifo() })),
  'cache that adapts': cached((max) => ({ max, policy: adaptive() })),
  'cache of objects': cached(undefined, objectOf, 'weak-entry'),
  WeakValueMap: () => {
    const map = new WeakValueMap<number, object>();
    return {
      component: map,
      kind: 'weak-target',
      add: (n) => map.set(n, map.has(n) ? objectOf(n + MANY) : objectOf(n)),
      remove: (n) => map.delete(n),
      clear: () => map.clear(),
      size: () => map.size,
    };
  },
  IterableWeakMap: () => {
    const map = new IterableWeakMap<object, number>();
    return {
      component: map,
      kind: 'weak-target',
      add: (n) => map.set(objectOf(n), n),
      remove: (n) => map.delete(objectOf(n)),
      clear: () => map.clear(),
      size: () => map.size,
    };
  },
  IterableWeakSet: () => {
    const set = new IterableWeakSet<object>();
    return {
      component: set,
      kind: 'weak-target',
      add: (n) => set.add(objectOf(n)),
      remove: (n) => set.delete(objectOf(n)),
      clear: () => set.clear(),
      size: () => set.size,
    };
  },
};

/** `count` members from 0 on. They live until the test ends: the watch over a component that V8 collects ends. */
function filled(make: Make, count: number): Members {
  const members = make(Math.ceil(0.9 * count) + 1);
  for (let n = 0; n < count; n++) members.add(n);
  onTestFinished(() => void members);
  return members;
}

function watched(make: Make, count = MANY) {
  const clock = new SteppedClock();
  const watchdog = new Watchdog({ clock, graceMillis: 0 });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const members = filled(make, count);
  const live = (): number => watchdog.heap.stats().liveByKind.get(members.kind) ?? 0;
  return { clock, watchdog, members, watch: watchdog.watch(members.component), live };
}

test('a full cache is reported in steps, and a small one at once', async () => {
  const { clock, watchdog, live } = watched(cached());
  expect(live()).toBeGreaterThan(0);
  expect(live()).toBeLessThan(MANY);
  const small = filled(
    cached(() => ({ name: 'small' })),
    100,
  );
  watchdog.watch(small.component);
  const entries = [...watchdog.heap.census()].filter(({ kind }) => kind === 'entry');
  expect(entries.find(({ site }) => site === 'small')?.born).toBe(100);
  await clock.advance(1_000);
  expect(live()).toBe(MANY + 100);
  expect(clock.foregroundTimers).toBe(0);
  watchdog.heap.assertInvariants();
});

test('on a slow machine, watch() reports a small cache at once, and few entries of a full one', async () => {
  const full = filled(cached(), MANY);
  using watchdog = new Watchdog();
  const live = (): number => watchdog.heap.stats().liveByKind.get('entry') ?? 0;
  let now = performance.now();
  const slow = vi.spyOn(performance, 'now').mockImplementation(() => ++now);
  onTestFinished(() => slow.mockRestore());
  watchdog.watch(filled(cached(), 100).component);
  expect(live()).toBe(100);
  watchdog.watch(full.component);
  expect(live()).toBeLessThan(300);
  slow.mockRestore();
  await until(() => live() === MANY + 100);
});

test('members of other components are not reported once more by a component of their name', async () => {
  const { clock, watchdog, live } = watched(cached(() => ({ name: 'users' })));
  watchdog.watch(
    filled(
      cached(() => ({ name: 'users' })),
      MANY,
    ).component,
  );
  await clock.advance(1_000);
  expect(live()).toBe(2 * MANY);
});

describe.each(Object.entries(COMPONENTS))('%s', (_, make) => {
  test('each member is counted once, whatever comes and goes between the steps', async () => {
    const { clock, members, live } = watched(make);
    for (let step = 0; step < 8; step++) {
      await clock.advance(1);
      for (let n = step * 100; n < step * 100 + 50; n++) members.remove(n);
      for (let n = step * 80; n < step * 80 + 40; n++) members.add(n);
      for (let n = MANY - 1; n > MANY - 20; n--) members.add(n);
      for (let n = MANY - 90; n > MANY - 99; n--) members.remove(n);
    }
    await clock.advance(1_000);
    expect(live()).toBe(members.size());
  });

  test('all members leave between two steps', async () => {
    const { clock, members, live } = watched(make);
    members.clear();
    await until(() => live() === 0);
    members.add(1);
    await clock.advance(1_000);
    expect(live()).toBe(1);
  });

  test('the component ends between two steps', async () => {
    const { clock, watchdog, members, live } = watched(make);
    if (members.end === undefined) return;
    members.end();
    expect(watchdog.stats().components).toBe(0);
    await clock.advance(1_000);
    await until(() => live() === 0);
    watchdog.heap.assertInvariants();
  });

  test('the watch ends between two steps, and another one begins', async () => {
    const { clock, watchdog, members, watch, live } = watched(make);
    watch[Symbol.dispose]();
    await until(() => live() === 0);
    members.add(7);
    watchdog.watch(members.component);
    members.remove(8);
    await clock.advance(1_000);
    expect(live()).toBe(members.size());
    const timers = clock.pendingTimers;
    watchdog[Symbol.dispose]();
    expect(clock.pendingTimers).toBeLessThan(timers);
    using second = new Watchdog({ clock });
    second.watch(members.component);
    await clock.advance(1_000);
    expect(second.heap.stats().liveByKind.get(members.kind)).toBe(members.size());
  });

  test('an observer that asks in steps is told of the members that one is told of at once', () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => print.mockRestore());
    const number = fc.nat({ max: 59 });
    const program = fc.array(
      fc.oneof(
        { weight: 4, arbitrary: fc.record({ do: fc.constant('add' as const), n: number }) },
        { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), n: number }) },
        { weight: 4, arbitrary: fc.record({ do: fc.constant('ask' as const), n: fc.nat(9) }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), n: number }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('trace' as const), n: number }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('untrace' as const), n: number }) },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('watch anew' as const), n: number }) },
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(fc.nat({ max: 60 }), program, (count, steps) => {
        const members = filled(make, count);
        let observer = new AskingObserver();
        let observation: Observation = members.component[observe](observer);
        using tracer = new Tracer();
        tracer.start();
        let traced: Disposable | undefined;
        for (const { do: step, n } of steps) {
          if (step === 'add') members.add(n);
          else if (step === 'remove') members.remove(n);
          else if (step === 'clear') members.clear();
          else if (step === 'ask') observation.reportPresent?.(n);
          else if (step === 'trace') traced ??= tracer.watch(members.component);
          else if (step === 'untrace') {
            traced?.[Symbol.dispose]();
            traced = undefined;
          } else {
            observation[Symbol.dispose]();
            observer = new AskingObserver();
            observation = members.component[observe](observer);
          }
        }
        while (observation.reportPresent?.(1) === true);
        expect(observer.liveOf(members.kind)).toHaveLength(members.size());
        observation[Symbol.dispose]();

        const atOnce = new RecordingObserver();
        using whole = members.component[observe](atOnce);
        void whole;
        expect(atOnce.liveOf(members.kind)).toHaveLength(members.size());
      }),
      { numRuns: 150 },
    );
    expect(print.mock.calls).toEqual([]); // What an observer throws is printed: a report that contradicts others, say.
  });
});

test('growth is judged when all entries are reported: their report is none', async () => {
  const { clock, watchdog, members } = watched(
    cached(() => ({ name: 'users' })),
    30_000,
  );
  for (let minute = 0; minute < 14; minute++) {
    await clock.advance(1);
    clock.jump(60_000);
    watchdog.heap.gc.collect();
    expect(await watchdog.check()).toEqual([]);
  }
  await clock.advance(1_000);
  expect(watchdog.heap.stats().liveByKind.get('entry')).toBe(30_000);
  let key = 30_000;
  for (let minute = 0; minute < 14; minute++) {
    for (let i = 0; i < 1_000; i++) members.add(key++);
    clock.jump(60_000);
    watchdog.heap.gc.collect();
  }
  expect(await watchdog.check()).toMatchObject([
    { rule: 'growth', component: { kind: 'cache', name: 'users' }, count: key },
  ]);
});

test('the report of present entries is no activity: it makes no loan old', async () => {
  const clock = new SteppedClock();
  using watchdog = new Watchdog({ clock, graceMillis: 0 });
  await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', clock });
  watchdog.watch(pool);
  const job = await pool.lease();
  await clock.advance(1_000);
  await (await pool.lease()).release();
  watchdog.watch(filled(cached(), MANY).component);
  await clock.advance(300_000);
  expect(watchdog.heap.stats().liveByKind.get('entry')).toBe(MANY);
  expect(await watchdog.check()).toEqual([]); // A quiet service, in which no loan is old.
  await job.release();
});

test('a pool lends a resource that is not reported yet', async () => {
  const clock = new SteppedClock();
  using watchdog = new Watchdog({ clock, graceMillis: 0 });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 3_000 });
  const leases = await Promise.all(Array.from({ length: 3_000 }, () => pool.lease()));
  for (const lease of leases) await lease.release();
  watchdog.watch(pool);
  const lost = await watchdog.scope('GET /', () =>
    Promise.all(Array.from({ length: 3_000 }, () => pool.lease())),
  );
  expect(watchdog.stats()).toMatchObject({ loansOut: 3_000, lost: 3_000 });
  await clock.advance(1_000);
  expect(watchdog.heap.stats().liveByKind.get('resource')).toBe(3_000);
  for (const lease of lost) await lease.release();
  expect(await watchdog.check()).toEqual([]);
  await pool.close();
});

test('a shared value is lent before it is reported', async () => {
  const clock = new SteppedClock();
  using watchdog = new Watchdog({ clock, graceMillis: 0 });
  const values = new RefCountedMap<number, object>(async () => ({}));
  const idle: { release(): unknown }[] = [];
  for (let n = 0; n < 3_000; n++) idle.push(await values.acquire(n));
  watchdog.watch(values);
  const lost = await watchdog.scope('GET /', () => values.acquire(2_999));
  await clock.advance(1_000);
  expect(watchdog.heap.stats().liveByKind.get('value')).toBe(3_000);
  expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  await lost.release();
  for (const lease of idle) await lease.release();
  expect(await watchdog.check()).toEqual([]);
  watchdog.heap.assertInvariants();
  await values.close();
});

describe('a keyed pool', () => {
  async function keyed(keys: number) {
    const clock = new SteppedClock();
    const watchdog = new Watchdog({ clock, graceMillis: 0 });
    onTestFinished(() => watchdog[Symbol.dispose]());
    const pools = createKeyedPool(
      (key: number) => ({ create: () => ({ key }), destroy: () => {} }),
      {
        name: 'hosts',
      },
    );
    for (let key = 0; key < keys; key++) await (await pools.lease(key)).release();
    const parts = (): number => watchdog.heap.stats().liveByKind.get('pool') ?? 0;
    return { clock, watchdog, pools, parts };
  }

  test('its pools are watched in steps, and one that lends at once before it does', async () => {
    const { clock, watchdog, pools, parts } = await keyed(2_000);
    watchdog.watch(pools);
    expect(parts()).toBeLessThan(2_000);
    const lost: Lease<object>[] = [];
    await watchdog.scope('GET /', async () => {
      lost.push(await pools.lease(1_999));
      const tried = pools.tryLease(1_998);
      if (tried !== undefined) lost.push(tried);
    });
    expect(await watchdog.check()).toMatchObject([
      { rule: 'orphaned', count: 1 },
      { rule: 'orphaned', count: 1 },
    ]);
    await clock.advance(10_000);
    expect(parts()).toBe(1 + 2_000);
    for (const lease of lost) await lease.release();
    expect(await watchdog.check()).toEqual([]);
    await pools.close();
    expect(watchdog.stats().components).toBe(0);
  });

  test('its watch ends between two steps', async () => {
    const { clock, watchdog, pools, parts } = await keyed(2_000);
    const watch = watchdog.watch(pools);
    watch[Symbol.dispose]();
    await clock.advance(10_000);
    expect(parts()).toBe(0);
    using other = new Watchdog({ clock });
    other.watch(pools.pool(1_999)); // No step of the first watchdog has taken it meanwhile.
    await pools.close();
  });

  test('keys that are forgotten between two steps are not watched', async () => {
    const { clock, watchdog, pools, parts } = await keyed(2_000);
    watchdog.watch(pools);
    await pools.invalidate();
    for (let key = 5_000; pools.keys().includes(1_999); key++) {
      // New keys have empty ones forgotten.
      await (await pools.lease(key)).release();
    }
    await until(() => parts() === 1 + pools.keys().length);
    await clock.advance(10_000);
    expect(parts()).toBe(1 + pools.keys().length);
    await pools.close();
  });
});
