/** A watchdog does the program no harm: what it watches, runs and prints behaves as without it. */
import { expect, test, vi } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import {
  formatReport,
  LeaksFoundError,
  type Observer,
  observe,
  Watchdog,
} from '../../src/watchdog/index.js';
import { FailingClock } from '../kit/failing-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

function setUp(max = 4, options: ConstructorParameters<typeof Watchdog>[0] = {}) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, graceMillis: 0, ...options });
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { name: 'db', max, clock, acquireTimeoutMillis: Number.POSITIVE_INFINITY },
  );
  watchdog.watch(pool);
  return {
    watchdog,
    pool,
    clock,
    async [Symbol.asyncDispose](): Promise<void> {
      watchdog[Symbol.dispose]();
      await pool.close({ graceMillis: 0, force: true });
    },
  };
}

/** The rejections that stay unhandled while `body` ran. */
async function unhandledDuring(body: () => unknown): Promise<unknown[]> {
  const seen: unknown[] = [];
  const listeners = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => seen.push(reason));
  try {
    await body();
    await settle();
    await new Promise((resolve) => setImmediate(resolve));
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  }
  return seen;
}

test.each(['off', 'counters', 'simple', 'advanced'] as const)(
  'an unhandled rejection of a scope stays unhandled (%s)',
  async (level) => {
    await using t = setUp(4, { level });
    const error = new Error('job failed');
    const unhandled = await unhandledDuring(() => {
      void t.watchdog.scope('job', () => Promise.reject(error));
    });
    expect(unhandled).toEqual([error]);
  },
);

test('a rejection of a scope that its caller handles is handled', async () => {
  await using t = setUp();
  const unhandled = await unhandledDuring(async () => {
    const failing = t.watchdog.scope('job', () => Promise.reject(new Error('job failed')));
    await expect(failing).rejects.toThrow('job failed');
  });
  expect(unhandled).toEqual([]);
  expect(t.watchdog.stats().scopes).toBe(0);
});

test('a scope whose result has a `then` that throws has ended', async () => {
  await using t = setUp();
  const strict = Object.defineProperty({}, 'then', {
    get() {
      throw new Error('no property then');
    },
  });
  expect(() => t.watchdog.scope('job', () => strict)).toThrow('no property then');
  expect(t.watchdog.stats().scopes).toBe(0);
});

test('a listener that rejects is reported, and the process goes on', async () => {
  const complained = vi.spyOn(console, 'error').mockImplementation(() => {});
  await using t = setUp();
  const page = (): Promise<never> => Promise.reject(new Error('pager is down'));
  t.watchdog.on('leak', page as () => void);
  const unhandled = await unhandledDuring(() => t.watchdog.scope('job', () => t.pool.lease()));
  expect(unhandled).toEqual([]);
  expect(complained).toHaveBeenCalledWith(
    expect.stringContaining("a listener of a watchdog's 'leak'"),
    expect.objectContaining({ message: 'pager is down' }),
  );
  complained.mockRestore();
});

test('a job that starts its next run is not around it', async () => {
  await using t = setUp();
  let runs = 0;
  const done = new Promise<void>((resolve) => {
    const poll = (): void => {
      void t.watchdog.scope('poll', async () => {
        if (++runs === 50) {
          await t.pool.lease();
          resolve();
        } else setImmediate(poll);
      });
    };
    poll();
  });
  await done;
  await settle();
  expect((await t.watchdog.check()).map(({ scope }) => scope)).toEqual(['poll']);
});

test('a deep nest of scopes is told by its outermost names and the innermost', async () => {
  await using t = setUp();
  const nest = (depth: number): unknown =>
    t.watchdog.scope(`s${depth}`, () => (depth === 100 ? t.pool.lease() : nest(depth + 1)));
  await nest(1);
  const [report] = await t.watchdog.check();
  expect(report?.scope).toBe('s1 > s2 > s3 > s4 > s5 > s6 > s7 > s8 > … > s100');
});

test('calls of a component after the end of its watch have no effect', async () => {
  await using t = setUp();
  let observer: Observer | undefined;
  const watch = t.watchdog.watch({
    [observe](given) {
      observer = given;
      return { kind: 'pool', name: 'foreign', stats: () => ({}), [Symbol.dispose]() {} };
    },
  });
  const resource = observer?.allocated('resource', observer.root) ?? 0;
  watch[Symbol.dispose]();
  const before = t.watchdog.stats();
  const nodes = t.watchdog.heap.stats().live;
  const origin = observer?.origin(() => {});
  const loan = observer?.lent(resource, origin as never, {}) ?? 0;
  observer?.touched(loan);
  observer?.expected(loan, 1_000);
  observer?.referenced(loan, resource);
  observer?.dropped(loan, resource);
  observer?.freed(loan);
  observer?.freed(resource);
  expect(observer?.allocated('resource', observer.root)).toBe(observer?.root);
  expect(t.watchdog.stats()).toEqual(before);
  expect(t.watchdog.heap.stats().live).toBe(nodes);
});

test('more leaks than are kept: the newest are reported, and the loans of the others are counted', async () => {
  await using t = setUp(10, { maxRecords: 2 });
  const leases = [
    await t.watchdog.scope('GET /a', () => t.pool.lease()),
    await t.watchdog.scope('GET /b', () => t.pool.lease()),
    await t.watchdog.scope('GET /c', () => t.pool.lease()),
    await t.watchdog.scope('billing', () => t.pool.lease()),
  ];
  const reports = await t.watchdog.check();
  expect(reports.map(({ scope }) => scope)).toEqual(['GET /c', 'billing']);
  expect(t.watchdog.stats()).toMatchObject({ lost: 4, unreported: 2 });
  const failed = await t.watchdog.assertNoLeaks().catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(LeaksFoundError);
  expect(String(failed)).toContain('… and 2 lost loans of older leaks');
  for (const lease of leases) await lease.release();
  expect(t.watchdog.stats()).toMatchObject({ lost: 0, unreported: 0 });
});

test.each(['counters', 'sampled'] as const)(
  'assertNoLeaks counts the loans that are still out and not tracked, at the level %s',
  async (level) => {
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    using watchdog = new Watchdog({ level });
    const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 500 });
    watchdog.watch(pool);
    const leases = await Promise.all(Array.from({ length: 500 }, () => pool.lease()));
    await watchdog.assertNoLeaks();
    const [, tracked, untracked] =
      /still out: pool "db" ×(\d+) and ×(\d+) not tracked$/.exec(String(warned.mock.calls[0])) ??
      [];
    expect(Number(tracked) + Number(untracked)).toBe(500);
    warned.mockClear();
    for (const lease of leases) await lease.release();
    await watchdog.assertNoLeaks();
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
    await pool.close();
  },
);

test('assertNoLeaks says that nothing is watched, unless the watchdog is off on purpose', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const told = [['tenure: no leak was found; nothing is watched']];
  await new Watchdog().assertNoLeaks();
  expect(warned.mock.calls).toEqual(told);
  warned.mockClear();
  await new Watchdog({ level: 'off' }).assertNoLeaks();
  await using t = setUp();
  await t.watchdog.assertNoLeaks();
  expect(warned).not.toHaveBeenCalled();
  t.watchdog[Symbol.dispose]();
  await t.watchdog.assertNoLeaks();
  expect(warned.mock.calls).toEqual(told);
  warned.mockRestore();
});

test('assertNoLeaks says what is still out, unless that is explained', async () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  await using t = setUp();
  const lease = await t.pool.lease();
  const raw = await t.pool.acquire();
  await t.watchdog.assertNoLeaks();
  expect(warned.mock.calls).toEqual([['tenure: no leak was found; still out: pool "db" ×2']]);
  warned.mockClear();
  lease.expectHold(60_000);
  await t.pool.release(raw);
  await t.watchdog.scope('job', async () => {
    await using _inScope = await t.pool.lease();
    await t.watchdog.assertNoLeaks();
  });
  expect(warned).not.toHaveBeenCalled();
  warned.mockRestore();
});

test('a report escapes what would change the terminal, or forge its lines', async () => {
  await using t = setUp();
  const name = 'GET /\u001b[2J\r\nNO LEAKS\u202e';
  await t.watchdog.scope(name, async () => {
    const lease = await t.pool.lease(); // Never released.
    lease.touch('query\u0007 sent\u2028now');
  });
  const text = formatReport(await t.watchdog.check());
  expect(text).toContain('GET /\\u001b[2J\\u000d\\u000aNO LEAKS\\u202e');
  expect(text).toContain('query\\u0007 sent\\u2028now');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f\u2028\u202e]/);
});

test('a clock that throws costs no loan, and no report', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  await using program = setUp(4, { clock });
  const { watchdog, pool } = program;
  clock.fails = true;
  clock.failsToClear = true;
  await watchdog.scope('healthy', () => pool.use(() => settle()));
  await watchdog.scope('leaky', async () => void (await pool.lease()));
  const [report] = await watchdog.check();
  expect(report).toMatchObject({ scope: 'leaky', count: 1 });
  clock.failsToClear = false;
  printed.mockRestore();
});
