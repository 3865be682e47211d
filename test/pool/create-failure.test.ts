import { expect, test } from 'vitest';
import { CreateError, createPool } from '../../src/pool/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory, Thing } from './strict-factory.js';

const refused = new Error('connection refused');
const refuse = () => {
  throw refused;
};

test('with createAttempts 1, the caller that caused a creation gets its failure and cause, after one call', async () => {
  const factory = new StrictFactory(2, { create: refuse });
  const events: unknown[] = [];
  const pool = createPool(factory, {
    name: 'db',
    max: 2,
    createAttempts: 1,
    clock: new FakeClock(),
  });
  pool.on('factoryCreateError', (error) => events.push(error));
  const error = await rejection(pool.lease());
  expect(error).toBeInstanceOf(CreateError);
  expect(error).toMatchObject({ code: 'TENURE_POOL_CREATE', phase: 'create', cause: refused });
  expect([factory.creates, events, pool.size, pool.pending]).toEqual([1, [refused], 0, 0]);
});

test('a create that throws synchronously fails like one that rejects', async () => {
  let calls = 0;
  const pool = createPool(
    {
      create(): Thing {
        calls++;
        throw refused;
      },
      destroy() {},
    },
    { max: 1, createAttempts: 1, clock: new FakeClock() },
  );
  for (const ask of [() => pool.lease(), () => pool.acquire(), () => pool.use(() => {})]) {
    expect(await rejection(ask())).toMatchObject({ cause: refused });
  }
  expect([calls, pool.size, pool.spareResourceCapacity]).toEqual([3, 0, 1]);
});

test('with many callers, each gets the failure, and the factory is called once for each', async () => {
  const factory = new StrictFactory(2, { create: refuse });
  const pool = createPool(factory, { max: 2, createAttempts: 1, clock: new FakeClock() });
  const errors = await Promise.all(Array.from({ length: 50 }, () => rejection(pool.lease())));
  expect(errors.every((error) => error instanceof CreateError)).toBe(true);
  expect(factory.creates).toBe(50);
});

test('when the factory recovers, the next caller is served', async () => {
  const factory = new StrictFactory(1, {
    create: (number) => (number < 3 ? refuse() : undefined),
  });
  const pool = createPool(factory, { max: 1, createAttempts: 1, clock: new FakeClock() });
  for (let i = 0; i < 3; i++) await rejection(pool.lease());
  (await pool.lease())[Symbol.dispose]();
  expect(pool.available).toBe(1);
});

test('a caller that got a returned resource is not rejected by the creation begun for it', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(2, {
    create: (number) => (number === 0 ? undefined : gates.next()),
  });
  const pool = createPool(factory, { max: 2, clock: new FakeClock() });
  const first = await pool.lease();
  const second = pool.lease();
  void first.release();
  using lease = await second;
  gates.at(0).fail(refused);
  await settle();
  expect(lease.resource.id).toBe(0);
  expect([pool.size, pool.stats().createErrors]).toEqual([1, 1]);
});

test('a caller whose creation served another caller causes a new one, and gets its failure', async () => {
  allowLeaks();
  const gates = new Gates();
  const factory = new StrictFactory(2, { create: () => gates.next() });
  const pool = createPool(factory, { max: 2, createAttempts: 1, clock: new FakeClock() });
  const first = outcomeOf(pool.lease());
  const second = outcomeOf(pool.lease());
  gates.at(1).open(); // The creation that was begun for the second caller serves the first.
  await settle();
  expect([first().is, second().is]).toEqual(['resolved', 'pending']);
  gates.at(0).fail(refused); // This creation has no waiter any more.
  await settle();
  expect([second().is, factory.creates]).toEqual(['pending', 3]);
  gates.at(2).fail(refused);
  await settle();
  expect(second()).toMatchObject({ is: 'rejected', error: { cause: refused } });
  expect(factory.creates).toBe(3);
});

test('a create that times out rejects its caller, and aborts its signal', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  let told: AbortSignal | undefined;
  const factory = new StrictFactory(1, {
    create(_number, signal) {
      told = signal;
      return gates.next();
    },
  });
  const pool = createPool(factory, { max: 1, createTimeoutMillis: 100, createAttempts: 1, clock });
  const asked = outcomeOf(pool.lease());
  await clock.advance(99);
  expect([asked().is, told?.aborted]).toEqual(['pending', false]);
  await clock.advance(1);
  expect(asked()).toMatchObject({
    is: 'rejected',
    error: { name: 'CreateTimeoutError', code: 'TENURE_POOL_CREATE_TIMEOUT', phase: 'create' },
  });
  expect([told?.aborted, pool.size]).toEqual([true, 0]);
});

test('a resource that comes after its timeout is kept if the pool is below max', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(1, { create: () => gates.next() });
  const pool = createPool(factory, { max: 1, createTimeoutMillis: 100, createAttempts: 1, clock });
  outcomeOf(pool.lease());
  await clock.advance(100);
  gates.at(0).open();
  await settle();
  expect([pool.size, pool.available, factory.destroyed]).toEqual([1, 1, []]);
  (await pool.lease())[Symbol.dispose]();
  expect(factory.creates).toBe(1);
});

test('a resource that comes after its timeout is destroyed if its place is taken, or the pool closed', async () => {
  for (const meanwhile of ['taken', 'closed']) {
    const clock = new FakeClock();
    const gates = new Gates();
    const factory = new StrictFactory(2, {
      create: (number) => (number === 0 ? gates.next() : undefined),
    });
    const pool = createPool(factory, {
      max: 1,
      createTimeoutMillis: 100,
      createAttempts: 1,
      clock,
    });
    outcomeOf(pool.lease());
    await clock.advance(100);
    if (meanwhile === 'taken') (await pool.lease())[Symbol.dispose]();
    else await pool.close();
    gates.at(0).open();
    await settle();
    expect(factory.destroyed).toEqual([meanwhile === 'taken' ? '1 late' : '0 late']);
    expect(pool.size).toBe(meanwhile === 'taken' ? 1 : 0);
    await pool.close();
    expect(factory.alive).toBe(0);
  }
});

test('a transient failure rejects no caller: the factory is tried again, after a longer pause each time', async () => {
  allowLeaks();
  const clock = new FakeClock();
  const tries: [time: number, attempt: number][] = [];
  const pool = createPool(
    {
      create({ attempt }) {
        tries.push([clock.now() - 1_000, attempt]);
        if (tries.length < 6) throw refused;
        return new Thing(0);
      },
      destroy() {},
    },
    { max: 1, clock, random: () => 0 },
  );
  const asked = outcomeOf(pool.lease());
  await clock.advance(309);
  expect([asked().is, tries.length]).toEqual(['pending', 5]);
  await clock.advance(1);
  expect(asked().is).toBe('resolved');
  expect(tries).toEqual([
    [0, 1],
    [10, 2],
    [30, 3],
    [70, 4],
    [150, 5],
    [310, 6],
  ]);
});

test('an outage rejects the waiters after createAttempts failures in a row, then each caller after one', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(3, { create: refuse });
  const pool = createPool(factory, { max: 3, createAttempts: 4, clock, random: () => 0 });
  const first = [0, 1, 2].map(() => outcomeOf(pool.lease()));
  await clock.advance(69);
  expect(first.map((outcome) => outcome().is)).toEqual(['pending', 'pending', 'pending']);
  await clock.advance(1);
  for (const outcome of first) {
    expect(outcome()).toMatchObject({ is: 'rejected', error: { cause: refused } });
  }
  expect(factory.creates).toBe(4 * 3);
  const later = outcomeOf(pool.lease());
  await clock.advance(79);
  expect([later().is, factory.creates]).toEqual(['pending', 4 * 3]);
  await clock.advance(1);
  expect(later()).toMatchObject({ is: 'rejected', error: { code: 'TENURE_POOL_CREATE' } });
  expect([factory.creates, pool.size, pool.pending]).toEqual([4 * 3 + 1, 0, 0]);
  await pool.close();
  expect(clock.pendingTimers).toBe(0);
});

test('during a pause of the factory, a returned resource serves a waiter, and a success ends the pause', async () => {
  allowLeaks();
  const clock = new FakeClock();
  let broken = false;
  const factory = new StrictFactory(3, { create: () => (broken ? refuse() : undefined) });
  const pool = createPool(factory, { max: 3, clock });
  const held = await pool.lease();
  broken = true;
  const [second, third] = [outcomeOf(pool.lease()), outcomeOf(pool.lease())];
  await settle();
  expect([factory.creates, pool.stats().creating]).toEqual([3, 0]);
  void held.release();
  await settle();
  expect([second().is, third().is]).toEqual(['resolved', 'pending']);
  broken = false;
  await clock.advance(10);
  expect(third().is).toBe('resolved');
});

test('during a pause of the factory, no more than maxWaitingClients callers wait', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(9, { create: refuse }), {
    max: 9,
    maxWaitingClients: 2,
    clock,
  });
  const waiting = [outcomeOf(pool.lease()), outcomeOf(pool.lease())];
  await settle();
  expect(await rejection(pool.lease())).toMatchObject({ code: 'TENURE_POOL_FULL' });
  expect([pool.stats().refusals, waiting.map((outcome) => outcome().is)]).toEqual([
    1,
    ['pending', 'pending'],
  ]);
  await pool.close();
});

test('filling up to min doubles its pause each time, with jitter, up to a limit', async () => {
  const clock = new FakeClock();
  const times: number[] = [];
  let broken = true;
  const factory = new StrictFactory(1, {
    create: () => {
      times.push(clock.now());
      if (broken) throw refused;
    },
  });
  const pool = createPool(factory, { min: 1, max: 1, clock, random: () => 0.5 });
  await clock.advance(100_000);
  const waits = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  expect(waits.slice(0, 4)).toEqual([7.5, 15, 30, 60]);
  expect(waits.slice(8, 11)).toEqual([1_920, 3_750, 3_750]);
  broken = false;
  await clock.advance(10_000);
  expect([pool.available, clock.foregroundTimers]).toEqual([1, 0]);
});

test('filling up to min never loops without a pause, even if create throws synchronously', async () => {
  const clock = new FakeClock();
  let calls = 0;
  const pool = createPool(
    {
      create(): Thing {
        calls++;
        throw refused;
      },
      destroy() {},
    },
    { min: 3, max: 3, clock },
  );
  expect(calls).toBe(1);
  await clock.advance(1_000);
  expect(calls).toBeLessThan(12);
  await pool.close();
  expect(clock.pendingTimers).toBe(0);
});

test('ready() rejects when min cannot be created, and resolves when it can', async () => {
  const clock = new FakeClock();
  let broken = true;
  const factory = new StrictFactory(2, { create: () => (broken ? refuse() : undefined) });
  const pool = createPool(factory, { min: 2, max: 2, autostart: false, clock });
  expect(await rejection(pool.ready())).toMatchObject({ cause: refused });
  broken = false;
  const ready = outcomeOf(pool.ready());
  await clock.advance(1_000);
  expect(ready().is).toBe('resolved');
  expect(pool.available).toBe(2);
  await pool.close();
  expect(await rejection(pool.ready())).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
});

test('a caller that waits while min is being filled is not rejected by a failure of the filling', async () => {
  allowLeaks();
  const gates = new Gates();
  const clock = new FakeClock();
  const factory = new StrictFactory(1, { create: () => gates.next() });
  const pool = createPool(factory, { min: 1, max: 1, clock });
  const asked = outcomeOf(pool.lease());
  gates.at(0).fail(refused);
  await clock.advance(10);
  expect([asked().is, factory.creates]).toEqual(['pending', 2]);
  gates.at(1).open();
  await settle();
  expect(asked().is).toBe('resolved');
});

test('an object that is already in the pool is refused, and not destroyed under its holder', async () => {
  const only = new Thing(0);
  const destroyed: Thing[] = [];
  const pool = createPool(
    { create: () => only, destroy: (thing) => void destroyed.push(thing) },
    { max: 2, createAttempts: 1, clock: new FakeClock() },
  );
  using lease = await pool.lease();
  expect(await rejection(pool.lease())).toMatchObject({
    name: 'DuplicateResourceError',
    code: 'TENURE_POOL_DUPLICATE_RESOURCE',
  });
  expect([lease.resource, pool.size, destroyed]).toEqual([only, 1, []]);
});

test('a listener that throws has no effect on callers or other listeners', async () => {
  const pool = createPool(new StrictFactory(1, { create: refuse }), {
    createAttempts: 1,
    clock: new FakeClock(),
  });
  const heard: unknown[] = [];
  const noise = console.error;
  console.error = () => {};
  try {
    const faulty = () => {
      throw new Error('listener');
    };
    pool.on('factoryCreateError', faulty).on('factoryCreateError', (error) => heard.push(error));
    expect(await rejection(pool.lease())).toMatchObject({ cause: refused });
    pool.off('factoryCreateError', faulty);
    await rejection(pool.lease());
  } finally {
    console.error = noise;
  }
  expect(heard).toEqual([refused, refused]);
});

test('an object that is lent already, and comes again too late, is not destroyed under its holder', async () => {
  const clock = new FakeClock();
  const gates = new Gates<Thing>();
  const made = [new Thing(0), new Thing(1)];
  const destroyed: Thing[] = [];
  let creates = 0;
  const pool = createPool(
    {
      create: () => (creates++ === 1 ? gates.next() : (made[creates === 1 ? 0 : 1] as Thing)),
      destroy: (thing) => void destroyed.push(thing),
    },
    { max: 2, createTimeoutMillis: 100, createAttempts: 1, clock },
  );
  using _first = await pool.lease();
  const timedOut = outcomeOf(pool.lease());
  await clock.advance(100);
  using _second = await pool.lease();
  gates.at(0).open(made[0] as Thing);
  await settle();
  expect([timedOut().is, pool.borrowed, destroyed]).toEqual(['rejected', 2, []]);
});

test('a pause keeps the process alive from the moment that a caller waits for its end', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1, { create: refuse }), { min: 1, max: 1, clock });
  await settle();
  expect(clock.foregroundTimers).toBe(0);
  const waiting = outcomeOf(pool.lease({ timeoutMillis: Number.POSITIVE_INFINITY }));
  expect([waiting().is, clock.foregroundTimers]).toEqual(['pending', 1]);
  await pool.close();
});

test('after a success, failures are counted from one again', async () => {
  allowLeaks();
  const clock = new FakeClock();
  const attempts: number[] = [];
  const outcomes = ['fails', 'fails', 'succeeds', 'fails', 'succeeds'];
  const pool = createPool(
    {
      create({ attempt }) {
        attempts.push(attempt);
        return outcomes.shift() === 'fails' ? refuse() : new Thing(0);
      },
      destroy() {},
    },
    { max: 1, createAttempts: 3, clock, random: () => 0 },
  );
  const first = pool.lease();
  await clock.advance(30);
  await (await first).destroy();
  const second = outcomeOf(pool.lease());
  await clock.advance(10);
  expect([second().is, attempts]).toEqual(['resolved', [1, 2, 3, 1, 2]]);
});

test('a caller of ready keeps the process alive during a pause, until it is told of the next failure', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(1, { create: refuse }), { min: 1, max: 1, clock });
  await settle();
  const ready = outcomeOf(pool.ready());
  await settle();
  expect([ready().is, clock.foregroundTimers]).toEqual(['pending', 1]);
  await clock.advance(10);
  expect([ready().is, clock.foregroundTimers]).toEqual(['rejected', 0]);
  await pool.close();
});

test('an error says nothing of a failure that a success has followed', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(1, { create: (number) => (number === 0 ? refuse() : 0) });
  const pool = createPool(factory, { max: 1, createAttempts: 1, clock });
  await rejection(pool.lease());
  using _held = await pool.lease();
  const error = (await rejection(pool.lease({ timeoutMillis: 0 }))) as Error;
  expect(error.cause).toBeUndefined();
  expect(error.message).not.toContain('Last create error');
});

test('a thenable that settles twice is one resource, and one that throws is a failure', async () => {
  const thenable = (then: (resolve: (thing: Thing) => void) => void): PromiseLike<Thing> =>
    Object.defineProperty({}, 'then', { value: then }) as PromiseLike<Thing>;
  const results = [
    thenable((resolve) => {
      resolve(new Thing(0));
      resolve(new Thing(1));
    }),
    thenable(refuse),
    new Thing(2),
  ];
  const pool = createPool(
    { create: () => results.shift() as Thing, destroy() {} },
    { max: 2, createAttempts: 1, clock: new FakeClock() },
  );
  using first = await pool.lease();
  expect([first.resource.id, pool.size]).toEqual([0, 1]);
  expect(await rejection(pool.lease())).toMatchObject({ cause: refused });
  using second = await pool.lease();
  expect(second.resource.id).toBe(2);
});

test('a creation that a caller waits for keeps the process alive, and one in the background does not', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(2, { create: () => new Promise(() => {}) });
  const pool = createPool(factory, { min: 1, max: 2, clock });
  expect([factory.creates, clock.foregroundTimers]).toEqual([1, 0]);
  const patient = { timeoutMillis: Number.POSITIVE_INFINITY };
  const waiting = [outcomeOf(pool.lease(patient)), outcomeOf(pool.lease(patient))];
  expect([factory.creates, clock.foregroundTimers]).toEqual([2, 1]);
  await pool.close({ graceMillis: 0 });
  expect(waiting.map((ended) => ended().is)).toEqual(['rejected', 'rejected']);
});

test.each(['before', 'after'] as const)(
  'a creation for a caller of ready or warmUp, begun %s the call, keeps the process alive until the caller leaves',
  async (begun) => {
    const clock = new FakeClock();
    const factory = new StrictFactory(3, { create: () => new Promise(() => {}) });
    const pool = createPool(factory, { min: 1, max: 3, autostart: begun === 'before', clock });
    const leaving = new AbortController();
    const { signal } = leaving;
    const calls = [outcomeOf(pool.ready({ signal })), outcomeOf(pool.warmUp(2, { signal }))];
    expect([factory.creates, clock.foregroundTimers]).toEqual([2, 2]);
    leaving.abort();
    await settle();
    expect(calls.map((ended) => ended().is)).toEqual(['rejected', 'rejected']);
    expect(clock.foregroundTimers).toBe(0);
    const ready = outcomeOf(pool.ready());
    await clock.advance(60_000);
    expect(ready()).toMatchObject({ error: { code: 'TENURE_POOL_CREATE_TIMEOUT' } });
    await pool.close({ graceMillis: 0 });
  },
);

test('a caller that comes when a pause is over, but before its timer has fired, has the factory tried again', async () => {
  allowLeaks();
  const clock = new FakeClock();
  let isDown = true;
  const factory = new StrictFactory(1, { create: () => (isDown ? refuse() : undefined) });
  const pool = createPool(factory, { min: 1, max: 1, clock });
  await settle();
  isDown = false;
  clock.jump(1_000);
  const waiting = outcomeOf(pool.lease());
  await clock.advance(0);
  expect(waiting().is).toBe('resolved');
});

test('a success ends the pause after a failure at once', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(3, { create: () => gates.next() });
  const pool = createPool(factory, { max: 3, clock: new FakeClock() });
  const waiting = [outcomeOf(pool.lease()), outcomeOf(pool.lease())];
  gates.at(0).fail(refused);
  await settle();
  expect(factory.creates).toBe(2);
  gates.at(1).open();
  gates.at(2).open();
  await settle();
  expect(waiting.map((ended) => ended().is)).toEqual(['resolved', 'resolved']);
  await pool.close({ graceMillis: 0, force: true });
});
