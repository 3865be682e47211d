/** A long queue of callers without options, with some callers with options among them. */
import { expect, test } from 'vitest';
import { createPool, type Lease, type PoolOptions } from '../../src/pool/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { lineOf } from '../kit/line-of.js';
import { settle } from '../kit/settle.js';
import { outcomeOf } from './outcome.js';
import { StrictFactory, type Thing } from './strict-factory.js';

/** A pool whose only resource is borrowed. */
async function busyPool(options: PoolOptions = {}) {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(100), { max: 1, clock, ...options });
  const first = await pool.lease();
  return { clock, pool, first };
}

/** Adds `name` to `served` and releases the lease, as soon as a lease is granted. */
function passOn(served: string[], name: string): (lease: Lease<Thing>) => void {
  return (lease) => {
    served.push(name);
    void lease.release();
  };
}

test.each(['never', 'now and then', 'often'])(
  'callers are served in the order in which they came; callers with options come %s',
  async (often) => {
    const { pool, first } = await busyPool();
    const period = { never: Number.POSITIVE_INFINITY, 'now and then': 150, often: 7 }[
      often
    ] as number;
    const served: string[] = [];
    const asked: string[] = [];
    const callers: Promise<void>[] = [];
    const ask = async (at: number): Promise<void> => {
      const name = `caller ${at}`;
      asked.push(name);
      if (at % period === 3) {
        await pool.lease({ signal: new AbortController().signal }).then(passOn(served, name));
      } else if (at % period === 5) {
        await pool.lease({ timeoutMillis: 1_000 }).then(passOn(served, name));
      } else if (at % 3 === 1) await pool.use(() => void served.push(name));
      else if (at % 3 === 2) {
        const thing = await pool.acquire();
        served.push(name);
        await pool.release(thing);
      } else await pool.lease().then(passOn(served, name));
    };
    const come = (from: number, to: number): void => {
      for (let at = from; at < to; at++) callers.push(ask(at));
    };
    come(0, 30);
    void first.release();
    while (served.length < 11) await null;
    come(30, 200);
    while (served.length < 150) await null;
    come(200, 2_500);
    await Promise.all(callers);
    expect(served).toEqual(asked);
    expect([pool.available, pool.pending]).toEqual([1, 0]);
  },
);

test('each waiter times out at its own time if no resource comes back, and nothing is left behind', async () => {
  const { clock, pool, first } = await busyPool({ acquireTimeoutMillis: 100 });
  const waits: (() => { is: string })[] = [];
  for (let at = 0; at < 40; at++) {
    waits.push(outcomeOf(pool.lease()));
    await clock.advance(1);
  }
  const waiting = (): number => waits.filter((ended) => ended().is === 'pending').length;
  await clock.advance(59);
  expect(waiting()).toBe(40);
  for (let left = 39; left >= 0; left--) {
    await clock.advance(1);
    await settle();
    expect([waiting(), pool.pending]).toEqual([left, left]);
    expect(waits.findIndex((ended) => ended().is === 'pending')).toBe(left === 0 ? -1 : 40 - left);
  }
  expect(pool.stats().acquireTimeouts).toBe(40);
  void first.release();
  await pool.close();
  expect(clock.pendingTimers).toBe(0);
});

test('a close ends all waits', async () => {
  const { clock, pool, first } = await busyPool();
  const waits = Array.from({ length: 50 }, () => outcomeOf(pool.lease()));
  const closed = pool.close();
  await settle();
  const ends = waits.map((ended) => ended());
  expect(ends).toHaveLength(50);
  for (const end of ends) {
    expect(end).toMatchObject({ is: 'rejected', error: { code: 'TENURE_POOL_CLOSED' } });
  }
  void first.release();
  await closed;
  expect(clock.pendingTimers).toBe(0);
});

test('if no resource comes back and none can be created, each waiter is rejected with the reason', async () => {
  const clock = new FakeClock();
  let isDown = false;
  const factory = new StrictFactory(1, {
    create: () => {
      if (isDown) throw new Error('the database is down');
    },
  });
  const pool = createPool(factory, { max: 1, clock, createAttempts: 1 });
  const first = await pool.lease();
  const waits = Array.from({ length: 5 }, () => outcomeOf(pool.lease()));
  isDown = true;
  await first.destroy();
  await settle();
  for (const ended of waits) {
    expect(ended()).toMatchObject({ is: 'rejected', error: { code: 'TENURE_POOL_CREATE' } });
  }
  isDown = false;
  void (await pool.lease()).release();
  expect([pool.available, pool.pending]).toEqual([1, 0]);
});

test('the wait of a caller is measured from when it came, not from an earlier caller', async () => {
  const { clock, pool, first } = await busyPool();
  const served: string[] = [];
  const early = Array.from({ length: 20 }, () => pool.lease().then(passOn(served, 'early')));
  await clock.advance(7);
  early.push(pool.lease({ timeoutMillis: 1_000 }).then(passOn(served, 'asked for more')));
  await clock.advance(3);
  void first.release();
  await Promise.all(early);
  expect(pool.stats().waitMillis).toMatchObject({ p50: 10, max: 10 });
  for (let again = 0; again < 10; again++) {
    await clock.advance(1_000);
    const lease = await pool.lease();
    const late = Array.from({ length: 20 }, () => pool.lease().then(passOn(served, 'late')));
    await clock.advance(3);
    void lease.release();
    await Promise.all(late);
  }
  expect(pool.stats()).toMatchObject({ waited: 222, waitMillis: { max: 10 } });
  expect(pool.stats().waitMillis.p50, 'of many late ones').toBeLessThan(4);
});

test('each loan names the line of its own caller', async () => {
  const { pool, first } = await busyPool();
  const sites: (string | undefined)[] = [];
  const late: (string | undefined)[] = [];
  const ask = async (): Promise<void> => {
    using _lease = await pool.lease(); // asks first
    sites.push(pool.loans()[0]?.site);
  };
  const askSecond = async (): Promise<void> => {
    using _lease = await pool.lease(); // asks second
    sites.push(pool.loans()[0]?.site);
  };
  const askLast = async (): Promise<void> => {
    using _lease = await pool.lease();
    late.push(pool.loans()[0]?.site);
  };
  const come = (): Promise<void>[] =>
    Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? ask() : askSecond()));
  const callers = come();
  callers.push(pool.lease({ timeoutMillis: 1_000 }).then(passOn([], 'asked for more')));
  callers.push(...come());
  void first.release();
  await Promise.all(callers);
  const lines = [
    lineOf(import.meta.url, '// asks first'),
    lineOf(import.meta.url, '// asks second'),
  ];
  const taken = sites.filter((site) => site !== undefined);
  expect(taken.length).toBeGreaterThan(40);
  expect(taken.length, 'only some lines are taken').toBeLessThan(100);
  for (const [at, site] of taken.entries()) {
    expect(site).toContain(`test/pool/long-queue.test.ts:${lines[at % 2]}:`);
  }
  const again = await pool.lease();
  const others = Array.from({ length: 200 }, askLast);
  void again.release();
  await Promise.all(others);
  expect(new Set(late), 'no more lines are taken by now').toEqual(new Set([undefined]));
});

test('the queue does not keep a lost lease from being collected', async () => {
  const { pool, first } = await busyPool();
  const lost: WeakRef<Lease<Thing>>[] = [];
  const ask = async (): Promise<void> => {
    const lease = await pool.lease();
    lost.push(new WeakRef(lease));
    void lease.release();
  };
  const callers = [ask(), ask(), ask()];
  void first.release();
  await Promise.all(callers.splice(0));
  await collectGarbage();
  expect(lost.map((ref) => ref.deref())).toEqual([undefined, undefined, undefined]);
});

test('the queue keeps no memory when all waiters have left', async () => {
  const { pool, first } = await busyPool({ callSites: 'none' });
  const bytesInUse = async (): Promise<number> => {
    await collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const serve = async (count: number): Promise<void> => {
    const lease = await pool.lease();
    const callers = Array.from({ length: count }, () => pool.use(() => {}));
    void lease.release();
    await Promise.all(callers);
  };
  void first.release();
  await serve(1_000);
  const before = await bytesInUse();
  await serve(100_000);
  expect((await bytesInUse()) - before).toBeLessThan(2_000_000);
});
