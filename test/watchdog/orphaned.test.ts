import { expect, test } from 'vitest';
import { type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { lineOf } from '../kit/line-of.js';
import { settle } from '../kit/settle.js';
import { LendingShelf, type Ticket } from './lending-shelf.js';

function watched(level: 'simple' | 'advanced' | 'counters' = 'advanced') {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level, clock });
  const shelf = new LendingShelf('db');
  shelf.put();
  watchdog.watch(shelf);
  const told: LeakReport[] = [];
  const retracted: LeakReport[] = [];
  watchdog.on('leak', (report) => told.push(report));
  watchdog.on('retracted', (report) => retracted.push(report));
  return {
    clock,
    watchdog,
    shelf,
    told,
    retracted,
    [Symbol.dispose]: () => watchdog[Symbol.dispose](),
  };
}

test('a loan that outlives its synchronous scope is told at once, with line and scope', () => {
  using t = watched();
  t.watchdog.scope('GET /orders', () => {
    t.shelf.lend(); // the leaking line
  });
  expect(t.told).toHaveLength(1);
  const [report] = t.told as [LeakReport];
  expect(report.rule).toBe('orphaned');
  expect(report.scope).toBe('GET /orders');
  expect(report.component).toEqual({ kind: 'pool', name: 'db' });
  expect(report.site?.file).toBe('test/watchdog/orphaned.test.ts');
  expect(report.site?.line).toBe(lineOf(import.meta.url, '// the leaking line'));
  expect(report.certainty).toBe('probable');
});

test('a loan that is given back within its scope is not told, sync or async', async () => {
  using t = watched();
  t.watchdog.scope('sync', () => t.shelf.lend().giveBack());
  await t.watchdog.scope('async', async () => {
    const ticket = t.shelf.lend();
    await settle();
    ticket.giveBack();
  });
  expect(t.told).toEqual([]);
  expect(await t.watchdog.check()).toEqual([]);
  expect(t.watchdog.stats()).toMatchObject({ loans: 2, loansOut: 0, lost: 0, scopes: 0 });
});

test('an async scope ends when its promise settles, not before', async () => {
  using t = watched();
  const gate = new Gate();
  const done = t.watchdog.scope('job', async () => {
    t.shelf.lend();
    await gate.passed;
  });
  await settle();
  expect(t.told).toEqual([]);
  gate.open();
  await done;
  expect(t.told).toHaveLength(1);
});

test('a scope that throws or rejects ends too, and the error passes through', async () => {
  using t = watched();
  const failure = new Error('from the body');
  expect(() =>
    t.watchdog.scope('sync', () => {
      t.shelf.lend();
      throw failure;
    }),
  ).toThrow(failure);
  const rejected = t.watchdog.scope('async', async () => {
    t.shelf.lend();
    await settle();
    throw failure;
  });
  await expect(rejected).rejects.toBe(failure);
  expect(t.told.map((report) => report.scope)).toEqual(['sync', 'async']);
});

test('parallel scopes own what they took, whoever ends first', async () => {
  using t = watched();
  const gates = [new Gate(), new Gate()];
  const run = (name: string, gate: Gate, leaks: boolean): Promise<void> =>
    t.watchdog.scope(name, async () => {
      await settle();
      const ticket = t.shelf.lend();
      await gate.passed;
      if (!leaks) ticket.giveBack();
    });
  const first = run('honest', gates[0] as Gate, false);
  const second = run('leaky', gates[1] as Gate, true);
  await settle();
  gates[1]?.open();
  await second;
  expect(t.told.map((report) => report.scope)).toEqual(['leaky']);
  gates[0]?.open();
  await first;
  expect(t.told).toHaveLength(1);
});

test('nested scopes are named from outside in, and the inner one owns what it took', async () => {
  using t = watched();
  await t.watchdog.scope('request', async () => {
    await t.watchdog.scope('transaction', async () => {
      t.shelf.lend();
    });
    expect(t.told.map((report) => report.scope)).toEqual(['request > transaction']);
  });
});

test('a loan belongs to the scope that asked for it, whoever was running when it was granted', async () => {
  using t = watched();
  let grant!: () => Ticket;
  const asking = new Gate();
  const asker = t.watchdog.scope('asker', async () => {
    grant = t.shelf.lendLater();
    await asking.passed;
  });
  await t.watchdog.scope('granter', async () => {
    grant();
  });
  expect(t.told).toEqual([]);
  asking.open();
  await asker;
  expect(t.told.map((report) => report.scope)).toEqual(['asker']);
});

test('a loan taken outside of any scope is not orphaned', async () => {
  using t = watched();
  t.shelf.lend();
  t.watchdog.scope('other', () => {});
  expect(t.told).toEqual([]);
});

test('a loan taken in the background after its scope has ended is not orphaned by it', async () => {
  using t = watched();
  const gate = new Gate();
  let background!: Promise<void>;
  t.watchdog.scope('request', () => {
    background = gate.passed.then(() => {
      t.shelf.lend();
    });
  });
  gate.open();
  await background;
  expect(t.told).toEqual([]);
  expect(t.watchdog.stats().loansOut).toBe(1);
});

test('a loan that comes back late is retracted', async () => {
  using t = watched();
  let ticket!: Ticket;
  t.watchdog.scope('request', () => {
    ticket = t.shelf.lend();
  });
  expect(await t.watchdog.check()).toHaveLength(1);
  ticket.giveBack();
  expect(t.retracted).toHaveLength(1);
  expect(t.retracted[0]?.count).toBe(0);
  expect(await t.watchdog.check()).toEqual([]);
  expect(t.watchdog.stats()).toMatchObject({ lost: 0, retracted: 1 });
});

test('a loan that its component took back by force stays a leak', async () => {
  using t = watched();
  let loan!: number;
  t.watchdog.scope('request', () => {
    loan = t.shelf.lendBare();
  });
  t.shelf.takeBack(loan, true);
  expect(t.retracted).toEqual([]);
  const [report] = await t.watchdog.check();
  expect(report?.count).toBe(1);
  expect(report?.evidence.generation).toBeUndefined();
  expect(t.watchdog.stats().loansOut).toBe(0);
});

test('check waits for latecomers as long as it is told to, and no longer', async () => {
  using t = watched();
  const tickets: Ticket[] = [];
  t.watchdog.scope('request', () => {
    tickets.push(t.shelf.lend(), t.shelf.lend());
  });
  const patient = t.watchdog.check({ settleMillis: 5_000 });
  await settle();
  tickets[0]?.giveBack();
  await t.clock.advance(4_000);
  tickets[1]?.giveBack();
  expect(await patient).toEqual([]);

  t.watchdog.scope('request', () => {
    t.shelf.lend();
  });
  const impatient = t.watchdog.check({ settleMillis: 5_000 });
  await t.clock.advance(5_000);
  expect(await impatient).toHaveLength(1);
  expect(t.clock.foregroundTimers).toBe(0);
});

test('loans lost by one line are one leak, told when its count has doubled', () => {
  using t = watched();
  for (let i = 0; i < 37; i++) {
    t.watchdog.scope('GET /orders', () => {
      t.shelf.lend();
    });
  }
  expect(t.told.map((report) => report.count)).toEqual([1, 2, 4, 8, 16, 32]);
  expect(new Set(t.told.map((report) => report.signature)).size).toBe(1);
});

test('two lines, or one line in two scopes, are two leaks', async () => {
  using t = watched();
  const leak = (): void => {
    t.shelf.lend();
  };
  t.watchdog.scope('a', leak);
  t.watchdog.scope('b', leak);
  t.watchdog.scope('b', () => {
    t.shelf.lend();
  });
  const reports = await t.watchdog.check();
  expect(reports).toHaveLength(3);
  expect(new Set(reports.map((report) => report.signature)).size).toBe(3);
});

test('a leak without a line has the stacks of the next loans taken', async () => {
  using t = watched('simple');
  for (let i = 0; i < 4; i++) t.shelf.lend().giveBack(); // These have theirs taken anyway.
  t.watchdog.scope('GET /orders', () => {
    t.shelf.lend();
  });
  expect(t.told[0]?.site).toBeUndefined();
  t.watchdog.scope('GET /orders', () => {
    t.shelf.lend(); // the armed line
  });
  expect(t.told[1]?.site?.line).toBe(lineOf(import.meta.url, '// the armed line'));
});

test('level counters finds the scope, without a line', () => {
  using t = watched('counters');
  t.watchdog.scope('GET /orders', () => {
    t.shelf.lend();
  });
  expect(t.told).toMatchObject([{ scope: 'GET /orders', stack: [] }]);
});

test('a listener that throws is reported and ignored, and the others are called', () => {
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
      t.shelf.lend();
    });
    expect(after).toEqual(['orphaned']);
    expect(String(printed[0])).toContain("a watchdog's listener of 'leak'");
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
    t.shelf.lend();
  });
  expect(nested).toEqual([1]);
});

test('at level simple the first four loans of a component have their lines', () => {
  using t = watched('simple');
  for (let i = 0; i < 3; i++) t.shelf.lend().giveBack();
  t.watchdog.scope('GET /orders', () => {
    t.shelf.lend(); // the fourth loan
  });
  expect(t.told[0]?.site?.line).toBe(lineOf(import.meta.url, '// the fourth loan'));
});

test('stacks are taken of a thousand loans after a leak without a line, and then no more', () => {
  using t = watched('simple');
  const leak = (): void => t.watchdog.scope('leak', () => void t.shelf.lend());
  for (let i = 0; i < 4; i++) t.shelf.lend().giveBack();
  leak();
  expect(t.told.at(-1)?.site).toBeUndefined();
  for (let i = 0; i < 999; i++) t.shelf.lend().giveBack();
  t.watchdog.scope('the thousandth', () => void t.shelf.lend());
  expect(t.told.at(-1)).toMatchObject({ scope: 'the thousandth', site: expect.anything() });
  t.watchdog.scope('the next', () => void t.shelf.lend());
  expect(t.told.at(-1)).toMatchObject({ scope: 'the next', stack: [] });
});

test('the age is that of the oldest, and the most numerous leak comes first', async () => {
  using t = watched();
  t.watchdog.scope('once', () => void t.shelf.lend());
  for (const wait of [3_000, 2_000, 0]) {
    t.watchdog.scope('often', () => void t.shelf.lend());
    t.clock.jump(wait);
  }
  const reports = await t.watchdog.check();
  expect(reports.map(({ scope, count, ageMillis }) => [scope, count, ageMillis])).toEqual([
    ['often', 3, 5_000],
    ['once', 1, 5_000],
  ]);
});

test('a resource that is scrapped while it is lent stays in the heap until the loan ends', () => {
  using t = watched();
  const ticket = t.shelf.lend();
  t.shelf.scrap(0);
  expect(t.watchdog.heap.stats().liveByKind.get('resource')).toBe(1);
  ticket.giveBack();
  expect(t.watchdog.heap.stats().liveByKind.has('resource')).toBe(false);
  t.watchdog.heap.assertInvariants();
});

test('a component that ends a loan twice, or one that never was, disturbs nobody', async () => {
  using t = watched();
  const ticket = t.shelf.lend();
  ticket.giveBack();
  ticket.giveBack();
  ticket.touch('too late');
  ticket.expectHold(1);
  t.shelf.takeBack(12_345);
  expect(t.watchdog.stats()).toMatchObject({ loans: 1, loansOut: 0 });
  expect(await t.watchdog.check()).toEqual([]);
  t.watchdog.heap.assertInvariants();
});

test('what a loan was last used for is told, at the levels that keep it', () => {
  for (const [level, expected] of [
    ['advanced', { hint: 'query sent', agoMillis: 40 }],
    ['simple', undefined],
  ] as const) {
    using t = watched(level);
    t.watchdog.scope('request', () => {
      const ticket = t.shelf.lend();
      ticket.touch('connected');
      ticket.touch('query sent');
      t.clock.jump(40);
    });
    expect(t.told[0]?.lastTouch).toEqual(expected);
  }
});
