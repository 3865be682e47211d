import { expect, test } from 'vitest';
import { type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { lineOf } from '../kit/line-of.js';
import { settle } from '../kit/settle.js';
import { type MinimalLease, MinimalPool } from './minimal-pool.js';
import { watchedPool } from './watched-pool.js';

const watched = (level: 'simple' | 'advanced' | 'counters' = 'advanced') =>
  watchedPool({ level, graceMillis: 0 });

test('a loan that outlives its synchronous scope is reported at once, with line and scope', () => {
  using t = watched();
  t.watchdog.scope('GET /orders', () => {
    t.pool.lease(); // the leaking line
  });
  expect(t.leaks).toHaveLength(1);
  const [report] = t.leaks as [LeakReport];
  expect(report.rule).toBe('orphaned');
  expect(report.scope).toBe('GET /orders');
  expect(report.component).toEqual({ kind: 'pool', name: 'db' });
  expect(report.site?.file).toBe('test/watchdog/orphaned.test.ts');
  expect(report.site?.line).toBe(lineOf(import.meta.url, '// the leaking line'));
  expect(report.certainty).toBe('probable');
});

test('a loan that is released within its scope is not reported, in a sync or an async scope', async () => {
  using t = watched();
  t.watchdog.scope('sync', () => t.pool.lease().release());
  await t.watchdog.scope('async', async () => {
    const lease = t.pool.lease();
    await settle();
    lease.release();
  });
  expect(t.leaks).toEqual([]);
  expect(await t.watchdog.check()).toEqual([]);
  expect(t.watchdog.stats()).toMatchObject({ loans: 2, loansOut: 0, lost: 0, scopes: 0 });
});

test('an async scope ends when its promise settles, not before', async () => {
  using t = watched();
  const gate = new Gate();
  const done = t.watchdog.scope('job', async () => {
    t.pool.lease();
    await gate.passed;
  });
  await settle();
  expect(t.leaks).toEqual([]);
  gate.open();
  await done;
  expect(t.leaks).toHaveLength(1);
});

test('a scope that throws or rejects ends, and the caller gets the error', async () => {
  using t = watched();
  const failure = new Error('from the body');
  expect(() =>
    t.watchdog.scope('sync', () => {
      t.pool.lease();
      throw failure;
    }),
  ).toThrow(failure);
  const rejected = t.watchdog.scope('async', async () => {
    t.pool.lease();
    await settle();
    throw failure;
  });
  await expect(rejected).rejects.toBe(failure);
  expect(t.leaks.map((report) => report.scope)).toEqual(['sync', 'async']);
});

test('parallel scopes own their loans, in whatever order they end', async () => {
  using t = watched();
  const gates = [new Gate(), new Gate()];
  const run = (name: string, gate: Gate, leaks: boolean): Promise<void> =>
    t.watchdog.scope(name, async () => {
      await settle();
      const lease = t.pool.lease();
      await gate.passed;
      if (!leaks) lease.release();
    });
  const first = run('honest', gates[0] as Gate, false);
  const second = run('leaky', gates[1] as Gate, true);
  await settle();
  gates[1]?.open();
  await second;
  expect(t.leaks.map((report) => report.scope)).toEqual(['leaky']);
  gates[0]?.open();
  await first;
  expect(t.leaks).toHaveLength(1);
});

test('nested scopes are named from the outermost to the innermost, and the innermost owns the loan', async () => {
  using t = watched();
  await t.watchdog.scope('request', async () => {
    await t.watchdog.scope('transaction', async () => {
      t.pool.lease();
    });
    expect(t.leaks.map((report) => report.scope)).toEqual(['request > transaction']);
  });
});

test('a loan belongs to the scope that asked for it, not to the scope in which it was granted', async () => {
  using t = watched();
  let grant!: () => MinimalLease;
  const asking = new Gate();
  const asker = t.watchdog.scope('asker', async () => {
    grant = t.pool.leaseLater();
    await asking.passed;
  });
  await t.watchdog.scope('granter', async () => {
    grant();
  });
  expect(t.leaks).toEqual([]);
  asking.open();
  await asker;
  expect(t.leaks.map((report) => report.scope)).toEqual(['asker']);
});

test('a loan taken outside of any scope is not orphaned', async () => {
  using t = watched();
  t.pool.lease();
  t.watchdog.scope('other', () => {});
  expect(t.leaks).toEqual([]);
});

test('a loan that is taken or granted after its scope has ended is told without a sweep', async () => {
  using t = watched();
  const gate = new Gate();
  let background!: Promise<void>;
  let grant!: () => MinimalLease;
  t.watchdog.scope('asks late', () => {
    background = gate.passed.then(() => {
      t.pool.lease();
    });
  });
  t.watchdog.scope('is granted late', () => {
    grant = t.pool.leaseLater();
  });
  gate.open();
  await background;
  grant();
  const lessThanASweep = 2_000;
  await t.clock.advance(lessThanASweep);
  expect(t.leaks.map(({ rule, scope }) => [rule, scope])).toEqual([
    ['orphaned', 'asks late'],
    ['orphaned', 'is granted late'],
  ]);
  t.watchdog.heap.assertInvariants();
});

test('a loan of the background that comes back within some microtasks is not noticed', async () => {
  using t = watched();
  const gate = new Gate();
  let background!: Promise<void>;
  t.watchdog.scope('request', () => {
    background = gate.passed.then(() => t.pool.lease().release());
  });
  gate.open();
  await background;
  await settle();
  expect([t.leaks, await t.watchdog.check()]).toEqual([[], []]);
});

test('a loan whose holder expects to keep it is orphaned when that time is over', async () => {
  using t = watched();
  const leases = [1, 2].map(() =>
    t.watchdog.scope('start', () => {
      const lease = t.pool.lease();
      lease.expectHold(60_000);
      return lease;
    }),
  );
  leases[1]?.expectHold(Number.POSITIVE_INFINITY);
  await t.clock.advance(59_000);
  expect([t.leaks, await t.watchdog.check()]).toEqual([[], []]);
  await t.clock.advance(11_000); // A sweep.
  expect(t.leaks.map(({ rule, count }) => [rule, count])).toEqual([['orphaned', 1]]);
});

test('a loan that comes back late is retracted', async () => {
  using t = watched();
  let lease!: MinimalLease;
  t.watchdog.scope('request', () => {
    lease = t.pool.lease();
  });
  expect(await t.watchdog.check()).toHaveLength(1);
  lease.release();
  expect(t.retracted).toHaveLength(1);
  expect(t.retracted[0]?.count).toBe(0);
  expect(await t.watchdog.check()).toEqual([]);
  expect(t.watchdog.stats()).toMatchObject({ lost: 0, retracted: 1 });
});

test('a loan that its component took back by force stays a leak', async () => {
  using t = watched();
  let loan!: number;
  t.watchdog.scope('request', () => {
    loan = t.pool.lendWithoutLease();
  });
  t.pool.takeBack(loan, true);
  expect(t.retracted).toEqual([]);
  const [report] = await t.watchdog.check();
  expect(report?.count).toBe(1);
  expect(report?.evidence.generation).toBeUndefined();
  expect(t.watchdog.stats().loansOut).toBe(0);
});

test('check waits up to graceMillis for lost loans to come back', async () => {
  using t = watched();
  const leases: MinimalLease[] = [];
  t.watchdog.scope('request', () => {
    leases.push(t.pool.lease(), t.pool.lease());
  });
  const patient = t.watchdog.check({ graceMillis: 5_000 });
  await settle();
  leases[0]?.release();
  await t.clock.advance(4_000);
  leases[1]?.release();
  expect(await patient).toEqual([]);

  t.watchdog.scope('request', () => {
    t.pool.lease();
  });
  const impatient = t.watchdog.check({ graceMillis: 5_000 });
  await t.clock.advance(5_000);
  expect(await impatient).toHaveLength(1);
  expect(t.clock.foregroundTimers).toBe(0);
});

test('loans lost by one line are one leak, emitted again when its count has doubled', () => {
  using t = watched();
  for (let i = 0; i < 37; i++) {
    t.watchdog.scope('GET /orders', () => {
      t.pool.lease();
    });
  }
  expect(t.leaks.map((report) => report.count)).toEqual([1, 2, 4, 8, 16, 32]);
  expect(new Set(t.leaks.map((report) => report.signature)).size).toBe(1);
});

test('two lines are two leaks; one line in two scopes is one, with the scopes counted', async () => {
  using t = watched();
  const leak = (): void => {
    t.pool.lease();
  };
  t.watchdog.scope('b', () => {
    t.pool.lease();
  });
  for (const scope of ['a', 'b', 'a', undefined]) {
    if (scope === undefined) t.pool.lease();
    else t.watchdog.scope(scope, leak);
  }
  const reports = await t.watchdog.check();
  expect(reports.map(({ count, scope, scopes }) => [count, scope, scopes])).toEqual([
    [
      3,
      'a',
      [
        { scope: 'a', count: 2 },
        { scope: 'b', count: 1 },
      ],
    ],
    [1, 'b', [{ scope: 'b', count: 1 }]],
  ]);
});

test('after a leak without a line, the next loans have their stacks taken', async () => {
  using t = watched('simple');
  for (let i = 0; i < 4; i++) t.pool.lease().release(); // The first four have their stacks taken.
  t.watchdog.scope('GET /orders', () => {
    t.pool.lease();
  });
  expect(t.leaks[0]?.site).toBeUndefined();
  t.watchdog.scope('GET /orders', () => {
    t.pool.lease(); // the line after a leak without a line
  });
  expect(t.leaks[1]?.site?.line).toBe(
    lineOf(import.meta.url, '// the line after a leak without a line'),
  );
});

test('the level counters names the scope, without a line', () => {
  using t = watched('counters');
  t.watchdog.scope('GET /orders', () => {
    t.pool.lease();
  });
  expect(t.leaks).toMatchObject([{ scope: 'GET /orders', stack: [] }]);
});

test('an error of a listener is printed, and the other listeners are called', () => {
  using t = watched();
  const printed: unknown[][] = [];
  const print = console.error;
  console.error = (...args: unknown[]) => printed.push(args);
  try {
    t.watchdog.on('leak', () => {
      throw new Error('from the listener');
    });
    const after: string[] = [];
    t.watchdog.on('leak', (report) => after.push(report.rule));
    t.watchdog.scope('request', () => {
      t.pool.lease();
    });
    expect(after).toEqual(['orphaned']);
    expect(String(printed[0])).toContain("a listener of a watchdog's 'leak'");
  } finally {
    console.error = print;
  }
});

test('a listener may use the watchdog', async () => {
  using t = watched();
  const nested: number[] = [];
  t.watchdog.on('leak', () => {
    nested.push(t.watchdog.scope('within', () => t.watchdog.stats().lost));
  });
  t.watchdog.scope('request', () => {
    t.pool.lease();
  });
  expect(nested).toEqual([1]);
});

test('the level simple takes the lines of the first four loans of a component', () => {
  using t = watched('simple');
  for (let i = 0; i < 3; i++) t.pool.lease().release();
  t.watchdog.scope('GET /orders', () => {
    t.pool.lease(); // the fourth loan
  });
  expect(t.leaks[0]?.site?.line).toBe(lineOf(import.meta.url, '// the fourth loan'));
});

test('after a leak without a line, a thousand loans have their stacks taken, and then no more', () => {
  using t = watched('simple');
  const leak = (): void => t.watchdog.scope('leak', () => void t.pool.lease());
  for (let i = 0; i < 4; i++) t.pool.lease().release();
  leak();
  expect(t.leaks.at(-1)?.site).toBeUndefined();
  for (let i = 0; i < 999; i++) t.pool.lease().release();
  t.watchdog.scope('the thousandth', () => void t.pool.lease());
  expect(t.leaks.at(-1)).toMatchObject({ scope: 'the thousandth', site: expect.anything() });
  leak();
  expect(t.leaks.at(-1)).toMatchObject({ count: 2, stack: [] });
});

test('a report gives the age of the oldest loan, and the most numerous leak comes first', async () => {
  using t = watched();
  t.watchdog.scope('once', () => void t.pool.lease());
  for (const wait of [3_000, 2_000, 0]) {
    t.watchdog.scope('often', () => void t.pool.lease());
    t.clock.jump(wait);
  }
  const reports = await t.watchdog.check();
  expect(reports.map(({ scope, count, ageMillis }) => [scope, count, ageMillis])).toEqual([
    ['often', 3, 5_000],
    ['once', 1, 5_000],
  ]);
});

test('a resource that is destroyed while it is lent stays in the heap until the loan ends', () => {
  using t = watched();
  const lease = t.pool.lease();
  t.pool.destroyResource(0);
  expect(t.watchdog.heap.stats().liveByKind.get('resource')).toBe(1);
  lease.release();
  expect(t.watchdog.heap.stats().liveByKind.has('resource')).toBe(false);
  t.watchdog.heap.assertInvariants();
});

test('ending a loan twice, or an unknown loan, has no effect', async () => {
  using t = watched();
  const lease = t.pool.lease();
  lease.release();
  lease.release();
  lease.touch('too late');
  lease.expectHold(1);
  t.pool.takeBack(12_345);
  expect(t.watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
  expect(await t.watchdog.check()).toEqual([]);
  t.watchdog.heap.assertInvariants();
});

test('a report says what a loan was last used for, at each level', () => {
  for (const level of ['counters', 'simple', 'advanced'] as const) {
    using t = watched(level);
    t.watchdog.scope('request', () => {
      const lease = t.pool.lease();
      lease.touch('connected');
      lease.touch('query sent');
      t.clock.jump(40);
    });
    expect(t.leaks[0]?.lastTouch, level).toEqual({ hint: 'query sent', agoMillis: 40 });
  }
});

test('a report gives the advice of the component, if it has one', () => {
  const pool = new MinimalPool();
  pool.releaseAdvice = 'call it a day';
  pool.addResource();
  using watchdog = new Watchdog({ graceMillis: 0 });
  const leaks: LeakReport[] = [];
  watchdog.on('leak', (report) => leaks.push(report));
  watchdog.watch(pool);
  const scope = watchdog.openScope('request');
  scope.run(() => void pool.lease());
  scope.end();
  expect(leaks[0]?.fix).toBe('call it a day');
});

test('only the level counters asks its components to count misuse', () => {
  for (const level of ['counters', 'simple', 'advanced', 'paranoid'] as const) {
    using watchdog = new Watchdog({ level });
    const pool = new MinimalPool();
    watchdog.watch(pool);
    expect(pool.countsMisuse, level).toBe(level === 'counters');
  }
});

test('firstStacks has the first loans of a component take their stacks, whatever their rate', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({
    level: 'advanced',
    clock,
    graceMillis: 0,
    stacksPerSecond: 0,
    firstStacks: 3,
  });
  const pool = new MinimalPool('db');
  pool.addResource();
  watchdog.watch(pool);
  for (let i = 0; i < 4; i++) watchdog.scope('job', () => void pool.lease());
  const counts = (await watchdog.check()).map(({ site, count, withoutLine }) => [
    site !== undefined,
    count,
    withoutLine,
  ]);
  expect(counts).toEqual([[true, 4, 1]]);
});

test('stacksPerSecond bounds the stacks of a level that takes each; a leak without a line has the next ones taken', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({ level: 'advanced', clock, graceMillis: 0, stacksPerSecond: 2 });
  const pool = new MinimalPool('db');
  pool.addResource();
  watchdog.watch(pool);
  const lose = (): void => watchdog.scope('job', () => void pool.lease());
  for (let i = 0; i < 2; i++) lose();
  pool.lease().release(); // The third of this second has no stack.
  for (const report of await watchdog.check()) expect(report.site).toBeDefined();
  lose();
  expect((await watchdog.check()).map(({ withoutLine }) => withoutLine)).toEqual([1]);
  lose();
  const counts = (await watchdog.check()).map(({ site, count, withoutLine }) => [
    site !== undefined,
    count,
    withoutLine,
  ]);
  expect(counts).toEqual([[true, 4, 1]]);
});
