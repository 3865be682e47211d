import { expect, test } from 'vitest';
import { AlreadyWatchedError } from '../../src/core/errors.js';
import {
  formatReport,
  LeaksFoundError,
  Watchdog,
  type WatchdogOptions,
} from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { MinimalPool } from './minimal-pool.js';

test.each([
  [{ levle: 'simple' }, 'unknown option `levle`'],
  [{ level: 'loud' }, "`level` must be one of 'off', 'counters', 'sampled', 'simple'"],
  [{ graceMillis: -1 }, '`graceMillis` must be'],
  [{ maxRecords: 0 }, '`maxRecords` must be an integer ≥ 1'],
  [{ youngCollectionEvery: 1.5 }, '`youngCollectionEvery` must be an integer ≥ 1'],
  [{ sweepIntervalMillis: 0 }, '`sweepIntervalMillis` must be a number ≥ 1'],
  [{ onLeak: 'print' }, '`onLeak` must be a function'],
  [{ clock: {} }, '`clock` must be an object with now(), setTimer(), clearTimer()'],
  [{ gcSource: () => {} }, '`gcSource` must be an object with collect()'],
  [{ rules: { orphan: true } }, 'rules: unknown option `orphan`'],
  [{ rules: { tenured: { factor: 0.5 } } }, 'rules.tenured: `factor` must be a number ≥ 1'],
  [
    { rules: { growth: { windows: 49 } } },
    'rules.growth: `windows` must be an integer from 4 to 48',
  ],
])('a wrong option is refused by name: %j', (options, message) => {
  expect(() => new Watchdog(options as WatchdogOptions)).toThrow(message);
  expect(() => new Watchdog(options as WatchdogOptions)).toThrow(TypeError);
});

test('a value that cannot be watched is refused, and so are malformed arguments', () => {
  using watchdog = new Watchdog();
  expect(() => watchdog.watch({} as never)).toThrow('a component that can be watched');
  expect(() => watchdog.watch({} as never)).toThrow('adopt a pool of another package');
  expect(() => watchdog.watch(null as never)).toThrow(TypeError);
  expect(() => watchdog.scope('', () => {})).toThrow('`name` must be a non-empty string');
  expect(() => watchdog.scope('name', undefined as never)).toThrow('`body` must be a function');
  expect(() => watchdog.on('leek' as never, () => {})).toThrow(
    "on: `event` must be one of 'leak', 'retracted'",
  );
});

test('a component that refuses to be watched leaves no node behind', () => {
  using watchdog = new Watchdog({ clock: new FakeClock() });
  const before = watchdog.heap.stats().live;
  const refusing = Object.assign(new MinimalPool(), {});
  refusing[Symbol.for('tenure.observe') as never] = (() => {
    throw new AlreadyWatchedError('pool "db"');
  }) as never;
  expect(() => watchdog.watch(refusing)).toThrow(AlreadyWatchedError);
  expect(watchdog.heap.stats().live).toBe(before);
  expect(watchdog.stats().components).toBe(0);
});

test('the level off watches nothing and just calls the body of a scope', async () => {
  using watchdog = new Watchdog({ level: 'off' });
  const pool = new MinimalPool();
  watchdog.watch(pool);
  pool.addResource();
  watchdog.scope('request', () => {
    pool.lease();
  });
  expect(watchdog.stats()).toMatchObject({ components: 0, loans: 0, scopes: 0 });
  await watchdog.assertNoLeaks();
});

test('ending a watch removes its nodes and loans, and the component goes on', async () => {
  using watchdog = new Watchdog({ level: 'advanced', clock: new FakeClock() });
  const before = watchdog.heap.stats().live;
  const pool = new MinimalPool();
  const watch = watchdog.watch(pool);
  for (let i = 0; i < 50; i++) pool.addResource();
  watchdog.scope('request', () => {
    pool.lease(3);
    watch[Symbol.dispose]();
  });
  pool.destroyResource(5);
  pool.lease(7);
  expect(watchdog.heap.stats().live).toBe(before);
  expect(watchdog.stats()).toMatchObject({ components: 0, loansOut: 0 });
  expect(await watchdog.check()).toEqual([]);
  watchdog.heap.assertInvariants();
  watch[Symbol.dispose]();
});

test('assertNoLeaks rejects with the whole report', async () => {
  using watchdog = new Watchdog({ level: 'advanced', clock: new FakeClock() });
  const pool = new MinimalPool('db');
  pool.addResource();
  watchdog.watch(pool);
  await watchdog.assertNoLeaks();
  watchdog.scope('GET /orders', () => {
    pool.lease();
  });
  const error = await watchdog.assertNoLeaks().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(LeaksFoundError);
  const { code, message, reports } = error as LeaksFoundError;
  expect(code).toBe('TENURE_LEAKS_FOUND');
  expect(message).toBe(formatReport(reports));
  expect(message).toContain('test/watchdog/options.test.ts:');
});

test('at most maxRecords different leaks are recorded', async () => {
  using watchdog = new Watchdog({ level: 'advanced', clock: new FakeClock(), maxRecords: 2 });
  const pool = new MinimalPool();
  pool.addResource();
  watchdog.watch(pool);
  watchdog.scope('a', () => void pool.lease());
  watchdog.scope('b', () => void pool.lease());
  watchdog.scope('c', () => void pool.lease());
  const reports = await watchdog.check();
  expect(reports.length).toBe(2);
});

test.each([
  ['orphaned', { orphaned: false }],
  ['abandoned', { abandoned: false }],
] as const)('the rule %s can be switched off', async (rule, rules) => {
  using watchdog = new Watchdog({ rules, clock: new FakeClock() });
  const pool = new MinimalPool();
  pool.addResource();
  watchdog.watch(pool);
  if (rule === 'orphaned') watchdog.scope('request', () => void pool.lease());
  else (() => void pool.lease())();
  const reports = await watchdog.check({ forceGc: true });
  expect(reports.map((report) => report.rule)).not.toContain(rule);
});

test('assertNoLeaks runs the collector first if there is one', async () => {
  let collections = 0;
  using watchdog = new Watchdog({
    gcSource: {
      async collect() {
        collections++;
      },
    },
  });
  await watchdog.assertNoLeaks();
  expect(collections).toBe(1);
  await watchdog.assertNoLeaks({ forceGc: false });
  expect(collections).toBe(1);
});

test('disposing of the watchdog ends a waiting check', async () => {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ clock });
  const pool = new MinimalPool();
  pool.addResource();
  watchdog.watch(pool);
  watchdog.scope('request', () => void pool.lease());
  const waiting = watchdog.check({ graceMillis: 60_000 });
  watchdog[Symbol.dispose]();
  expect(await waiting).toHaveLength(1);
  expect(clock.pendingTimers).toBe(0);
});

test('a loan that is lost after its watch has ended is not reported', async () => {
  using watchdog = new Watchdog({ clock: new FakeClock() });
  const pool = new MinimalPool();
  pool.addResource();
  const watch = watchdog.watch(pool);
  (() => void pool.lease())();
  watch[Symbol.dispose]();
  expect(await watchdog.check({ forceGc: true })).toEqual([]);
});
