/** The listeners of components, as the heap of a watchdog counts them. */
import { expect, test } from 'vitest';
import { createCache, memoize } from '../../src/memoize/index.js';
import { createKeyedPool, createPool } from '../../src/pool/index.js';
import { Watchdog, type WatchLevel } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';

const factory = { create: () => ({}), destroy: () => {} };

/** A component with the `on` and `off` of one of its events. */
interface Emitter {
  on(listener: () => void): unknown;
  off(listener: () => void): unknown;
  watch(watchdog: Watchdog): Disposable;
}

const EMITTERS: Readonly<Record<string, () => Emitter>> = {
  pool: () => {
    const pool = createPool(factory);
    return {
      on: (listener) => pool.on('created', listener),
      off: (listener) => pool.off('created', listener),
      watch: (watchdog) => watchdog.watch(pool),
    };
  },
  'keyed pool': () => {
    const pool = createKeyedPool((_key: string) => factory);
    return {
      on: (listener) => pool.on('created', listener),
      off: (listener) => pool.off('created', listener),
      watch: (watchdog) => watchdog.watch(pool),
    };
  },
  cache: () => {
    const cache = createCache<string, number>({ max: 10 });
    return {
      on: (listener) => cache.on('evict', listener),
      off: (listener) => cache.off('evict', listener),
      watch: (watchdog) => watchdog.watch(cache),
    };
  },
  'memoized function': () => {
    const square = memoize((n: number) => n * n);
    return {
      on: (listener) => square.on('miss', listener),
      off: (listener) => square.off('miss', listener),
      watch: (watchdog) => watchdog.watch(square),
    };
  },
};

const watchdogOf = (level: WatchLevel): Watchdog => new Watchdog({ level, clock: new FakeClock() });

const listenersIn = (watchdog: Watchdog): number =>
  watchdog.heap.stats().liveByKind.get('listener') ?? 0;

for (const [kind, make] of Object.entries(EMITTERS)) {
  test(`${kind}: each listener is a node while it is added and watched`, () => {
    using watchdog = watchdogOf('simple');
    const emitter = make();
    const early = (): void => {};
    emitter.on(early);
    const watch = emitter.watch(watchdog);
    expect(listenersIn(watchdog)).toBe(1);
    const late = (): void => {};
    emitter.on(late);
    emitter.on(late);
    expect(listenersIn(watchdog)).toBe(2);
    emitter.off(early);
    emitter.off(early);
    expect(listenersIn(watchdog)).toBe(1);
    watch[Symbol.dispose]();
    expect(listenersIn(watchdog)).toBe(0);
    emitter.off(late);
    emitter.on(early);
    expect(listenersIn(watchdog)).toBe(0);
    using _again = emitter.watch(watchdog);
    expect(listenersIn(watchdog)).toBe(1);
    watchdog.heap.assertInvariants();
  });
}

test('keyed pool: its own listeners of the pools of its keys do not count', async () => {
  using watchdog = watchdogOf('simple');
  await using pool = createKeyedPool((_key: string) => factory);
  pool.on('created', () => {});
  await pool.use('early', () => {});
  watchdog.watch(pool);
  for (let i = 0; i < 10; i++) await pool.use(`key ${i}`, () => {});
  expect(listenersIn(watchdog)).toBe(1);
});

test('a watchdog counts the listeners of its own events', () => {
  using watchdog = new Watchdog({ clock: new FakeClock(), onLeak: () => {} });
  expect(listenersIn(watchdog)).toBe(1);
  const listener = (): void => {};
  watchdog.on('leak', listener).on('retracted', listener);
  expect(listenersIn(watchdog)).toBe(3);
  watchdog.off('leak', listener);
  expect(listenersIn(watchdog)).toBe(2);
  watchdog[Symbol.dispose]();
  expect(listenersIn(watchdog)).toBe(0);
});

test.each(['counters', 'simple'] as const)(
  '%s: a listener of the watchdog for each request is told as growth of the watchdog',
  async (level) => {
    const clock = new FakeClock();
    using watchdog = new Watchdog({ level, clock });
    watchdog.watch(createPool(factory, { clock }));
    for (let minute = 0; minute < 15; minute++) {
      for (let i = 0; i < 10; i++) watchdog.on('leak', () => i); // where they are added
      await clock.advance(60_000);
    }
    const [report, ...others] = await watchdog.check();
    expect(others).toEqual([]);
    expect(report).toMatchObject({
      rule: 'growth',
      members: 'listener',
      component: { kind: 'watchdog', name: 'watchdog' },
      count: 150,
    });
    expect(report?.fix).toBe('remove each listener, or add it once');
    expect(report?.site === undefined).toBe(level === 'counters');
  },
);
