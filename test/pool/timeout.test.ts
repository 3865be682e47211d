import { expect, test, vi } from 'vitest';
import { AcquireTimeoutError, createPool } from '../../src/pool/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory, type Thing } from './strict-factory.js';

const never = () => new Promise<never>(() => {});

test('a wait ends after 30 s by default, and the error explains why', async () => {
  allowLeaks();
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(2), { name: 'db', max: 2, clock });
  const lease = await pool.lease();
  await clock.advance(5_000);
  await pool.acquire();
  const ended = outcomeOf(pool.lease());
  await clock.advance(29_999);
  expect(ended()).toEqual({ is: 'pending' });
  await clock.advance(1);
  const outcome = ended();
  if (outcome.is !== 'rejected') throw new Error(outcome.is);
  const error = outcome.error as AcquireTimeoutError;
  expect(error).toBeInstanceOf(AcquireTimeoutError);
  expect(error).toMatchObject({ code: 'TENURE_POOL_ACQUIRE_TIMEOUT', phase: 'wait' });
  expect(error.stats).toMatchObject({ size: 2, borrowed: 2, available: 0, max: 2 });
  expect(error.loans).toMatchObject([{ takenBy: 'lease' }, { takenBy: 'acquire' }]);
  expect(error.message).toMatch(
    /^db: ResourceRequest timed out: nothing could be lent within 30000 ms/,
  );
  expect(error.message).toMatch(
    /lease\(\) 35 s ago at test\/pool\/timeout\.test\.ts:\d+:\d+, acquire\(\) 30 s ago at test/,
  );
  expect(pool.pending).toBe(0);
  lease[Symbol.dispose]();
  expect(pool.available).toBe(1);
});

test('a caller that timed out is not served later: the resource goes to the next one', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, clock });
  const lease = await pool.lease();
  const impatient = outcomeOf(pool.lease({ timeoutMillis: 10 }));
  const patient = pool.lease();
  await clock.advance(10);
  expect(impatient().is).toBe('rejected');
  void lease.release();
  (await patient)[Symbol.dispose]();
  expect([pool.available, pool.borrowed, pool.pending]).toEqual([1, 0, 0]);
});

test('one deadline covers waiting and creating', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(1, {
    create: (number) => (number === 0 ? undefined : gates.next()),
  });
  const pool = createPool(factory, { max: 1, acquireTimeoutMillis: 100, clock });
  const lease = await pool.lease();
  const ended = outcomeOf(pool.lease());
  await clock.advance(60);
  void lease.destroy();
  await settle();
  expect(pool.stats().creating).toBe(1);
  await clock.advance(39);
  expect(ended()).toEqual({ is: 'pending' });
  await clock.advance(1);
  expect(ended()).toMatchObject({ is: 'rejected', error: { phase: 'create' } });
  gates.at(0).open();
  await settle();
  expect([pool.size, pool.available]).toEqual([1, 1]);
});

test('one deadline covers waiting, validating and creating again', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(1, { validate: never });
  const pool = createPool(factory, {
    max: 1,
    testOnBorrow: true,
    acquireTimeoutMillis: 100,
    clock,
  });
  (await pool.lease())[Symbol.dispose]();
  const ended = outcomeOf(pool.lease());
  await clock.advance(100);
  expect(ended()).toMatchObject({ is: 'rejected', error: { phase: 'validate' } });
});

test('the error carries the last create error while the factory keeps failing', async () => {
  const clock = new FakeClock();
  let fail = false;
  const refused = new Error('connection refused');
  const factory = new StrictFactory(2, {
    create: () => {
      if (fail) throw refused;
    },
  });
  const pool = createPool(factory, {
    max: 2,
    createAttempts: 1,
    createTimeoutMillis: 60_000,
    clock,
  });
  const lease = await pool.lease();
  fail = true;
  await rejection(pool.lease());
  const gates = new Gates();
  factory.steps.create = () => gates.next();
  const ended = outcomeOf(pool.lease());
  await clock.advance(30_000);
  expect(ended()).toMatchObject({ is: 'rejected', error: { cause: refused } });
  const outcome = ended();
  if (outcome.is === 'rejected') {
    expect(String(outcome.error)).toMatch(/Last create error: Error: connection refused/);
  }
  gates.at(0).open();
  await settle();
  lease[Symbol.dispose]();
});

test('timeouts of any length end in the order of their deadlines, on one timer', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, clock, acquireTimeoutMillis: 50 });
  using _held = await pool.lease();
  const ended: number[] = [];
  const lengths = [70, 10, 50, 30, 50, 90, 20, 50, 10];
  for (const timeoutMillis of lengths) {
    pool.lease({ timeoutMillis }).catch(() => ended.push(timeoutMillis));
  }
  expect(clock.foregroundTimers).toBe(1);
  await clock.advance(100);
  expect(ended).toEqual([...lengths].sort((a, b) => a - b));
  expect(clock.foregroundTimers).toBe(0);
});

test('deadlines stay right when waiters leave from the middle of the queue', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, clock });
  using _held = await pool.lease();
  const ended: number[] = [];
  const stay: number[] = [];
  for (let i = 0; i < 200; i++) {
    const timeoutMillis = 1 + ((i * 37) % 199);
    const abort = new AbortController();
    pool.lease({ timeoutMillis, signal: abort.signal }).catch((error: Error) => {
      if (error instanceof AcquireTimeoutError) ended.push(timeoutMillis);
    });
    if (i % 3 === 0) abort.abort();
    else stay.push(timeoutMillis);
  }
  await clock.advance(200);
  expect(ended).toEqual(stay.sort((a, b) => a - b));
  expect([pool.pending, clock.foregroundTimers]).toEqual([0, 0]);
});

test('Infinity waits without a timer; 0 takes only an idle resource', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), {
    max: 1,
    acquireTimeoutMillis: Number.POSITIVE_INFINITY,
    clock,
  });
  const lease = await pool.lease();
  const patient = outcomeOf(pool.lease());
  expect(clock.foregroundTimers).toBe(0);
  expect(await rejection(pool.lease({ timeoutMillis: 0 }))).toMatchObject({
    code: 'TENURE_POOL_ACQUIRE_TIMEOUT',
  });
  await clock.advance(100_000);
  expect(patient()).toEqual({ is: 'pending' });
  void lease.release();
  await settle();
  const outcome = patient();
  if (outcome.is !== 'resolved') throw new Error(outcome.is);
  void outcome.value.release();
  (await pool.lease({ timeoutMillis: 0 }))[Symbol.dispose]();
});

test('the timer ends with the last waiter, so it does not keep the process alive', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, clock });
  const lease = await pool.lease();
  const waiting = pool.use((thing: Thing) => thing.id);
  expect(clock.foregroundTimers).toBe(1);
  void lease.release();
  await waiting;
  expect(clock.foregroundTimers).toBe(0);
});

test('a caller that waits in the turn in which the last waiter was served has a deadline of its own', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, clock });
  const lease = await pool.lease();
  const served = pool.lease();
  void lease.release();
  const late = outcomeOf(pool.lease());
  await clock.advance(30_000);
  expect(late()).toMatchObject({ error: { code: 'TENURE_POOL_ACQUIRE_TIMEOUT' } });
  (await served)[Symbol.dispose]();
});

test('each waiter that times out is counted, and its error tells the timeout of its own', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, clock });
  using _held = await pool.lease();
  const ended = [10, 10].map((timeoutMillis) => outcomeOf(pool.lease({ timeoutMillis })));
  await clock.advance(10);
  for (const outcome of ended) {
    expect(outcome()).toMatchObject({
      error: { message: expect.stringContaining('could be lent within 10 ms') },
    });
  }
  expect(pool.stats().acquireTimeouts).toBe(2);
});

test('the error lists the three longest loans, and counts the others', async () => {
  allowLeaks();
  for (const [loans, others] of [
    [3, undefined],
    [5, ', 2 more'],
  ] as const) {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(loans), { max: loans, callSites: 'none', clock });
    for (let loan = 0; loan < loans; loan++) await pool.lease();
    const { message } = (await rejection(pool.lease({ timeoutMillis: 0 }))) as Error;
    expect(message).toContain(`lease() 0 ms ago${', lease() 0 ms ago'.repeat(2)}${others ?? ''}`);
    expect(message.includes('more')).toBe(others !== undefined);
  }
});

test('a waiter that gives up changes the timeout of no other waiter', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, clock });
  using _held = await pool.lease();
  const begin = clock.now();
  const ended: number[] = [];
  const abort = new AbortController();
  // The waiter that gives up and the last one are in different branches of the heap of deadlines.
  for (const timeoutMillis of [1, 100, 2, 110, 120, 3, 4]) {
    const signal = timeoutMillis === 110 ? { signal: abort.signal } : {};
    pool
      .lease({ timeoutMillis, ...signal })
      .catch(() => ended.push(signal.signal === undefined ? clock.now() - begin : -1));
  }
  abort.abort();
  const late = [130, 131, 132, 133];
  for (const timeoutMillis of late) {
    pool.lease({ timeoutMillis }).catch(() => ended.push(clock.now() - begin));
  }
  for (let millis = 0; millis < 140; millis++) await clock.advance(1);
  expect(ended).toEqual([-1, 1, 2, 3, 4, 100, 120, ...late]);
});

test('no wait ends before its timeout, on a clock with fractions of a millisecond', async () => {
  for (const options of [undefined, { timeoutMillis: 20 }]) {
    const clock = new FakeClock(1_000.5);
    const pool = createPool(new StrictFactory(1), { max: 1, acquireTimeoutMillis: 10, clock });
    using _held = await pool.lease();
    const ended = outcomeOf(pool.lease(options));
    const timeoutMillis = options?.timeoutMillis ?? 10;
    await clock.advance(timeoutMillis - 0.1);
    expect(ended()).toEqual({ is: 'pending' });
    await clock.advance(1);
    expect(ended()).toMatchObject({ error: { code: 'TENURE_POOL_ACQUIRE_TIMEOUT' } });
  }
});

test('waits end in the order of their deadlines, also when the timer fires late', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, acquireTimeoutMillis: 30, clock });
  using _held = await pool.lease();
  const ended: number[] = [];
  for (const timeoutMillis of [50, 30, 10]) {
    pool.lease({ timeoutMillis }).catch(() => ended.push(timeoutMillis));
  }
  clock.jump(100);
  await clock.advance(90);
  expect(ended).toEqual([10, 30, 50]);
});

test('waits of different priorities end at their own deadlines', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), {
    max: 1,
    priorityRange: 2,
    acquireTimeoutMillis: 100,
    clock,
  });
  using _held = await pool.lease();
  const begin = clock.now();
  const ended: number[] = [];
  for (const priority of [0, 0, 1]) {
    pool.lease({ priority }).catch(() => ended.push(clock.now() - begin));
    await clock.advance(30);
  }
  for (let millis = 0; millis < 100; millis++) await clock.advance(1);
  expect(ended).toEqual([100, 130, 160]);
});

test('an infinite timeout outlasts those of other waiters', async () => {
  allowLeaks();
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1), { max: 1, acquireTimeoutMillis: 10, clock });
  const held = await pool.lease();
  const patient = outcomeOf(pool.lease({ timeoutMillis: Number.POSITIVE_INFINITY }));
  const impatient = outcomeOf(pool.lease());
  await clock.advance(1_000);
  expect([patient().is, impatient().is]).toEqual(['pending', 'rejected']);
  void held.release();
  await settle();
  expect(patient().is).toBe('resolved');
});

test('a later waiter with an earlier deadline ends first, whichever of them has a timeout of its own', async () => {
  for (const timeoutMillis of [[200, 100] as const, [100, 50] as const]) {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(1), { max: 1, acquireTimeoutMillis: 100, clock });
    using _held = await pool.lease();
    const ended = timeoutMillis.map((millis) => outcomeOf(pool.lease({ timeoutMillis: millis })));
    await clock.advance(timeoutMillis[1]);
    expect(ended.map((outcome) => outcome().is)).toEqual(['pending', 'rejected']);
    await clock.advance(timeoutMillis[0] - timeoutMillis[1]);
    expect(ended.map((outcome) => outcome().is)).toEqual(['rejected', 'rejected']);
  }
});

test('a pool that was used under fake timers ends waits in real time afterwards', async () => {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 1 });
  vi.useFakeTimers();
  const lease = await pool.lease();
  const left = pool.lease({ timeoutMillis: 500 });
  vi.useRealTimers();
  await expect(pool.lease({ timeoutMillis: 20 })).rejects.toThrow(AcquireTimeoutError);
  void lease.release();
  void (await left).release();
  await pool.close();
});
