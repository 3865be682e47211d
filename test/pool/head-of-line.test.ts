/** A call of the factory that hangs for one caller is not counted on for the next: it is served otherwise, as far as there is room. */
import { expect, test } from 'vitest';
import { createKeyedPool, createPool, type Factory, type Pool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

interface Thing {
  readonly id: number;
}

const hang = <R>(): Promise<R> => new Promise(() => {});

/** A factory whose methods hang for the first thing, or for the first call of `create`. */
class HangsOnce implements Factory<Thing> {
  readonly method: 'create' | 'validate' | 'reset' | 'destroy';
  readonly signals: AbortSignal[] = [];
  readonly #clock: FakeClock;
  #made = 0;

  constructor(method: HangsOnce['method'], clock: FakeClock) {
    this.method = method;
    this.#clock = clock;
  }

  get creates(): number {
    return this.signals.length;
  }

  create({ signal }: { signal: AbortSignal }): Promise<Thing> {
    this.signals.push(signal);
    if (this.method === 'create' && this.signals.length === 1) return hang();
    return this.#after(5, () => ({ id: ++this.#made }));
  }

  validate({ id }: Thing): Promise<boolean> {
    return this.method === 'validate' && id === 1 ? hang() : this.#after(5, () => true);
  }

  reset({ id }: Thing): Promise<void> {
    return this.method === 'reset' && id === 1 ? hang() : this.#after(5, () => {});
  }

  destroy({ id }: Thing): Promise<void> {
    return this.method === 'destroy' && id === 1 ? hang() : this.#after(5, () => {});
  }

  #after<R>(millis: number, result: () => R): Promise<R> {
    return new Promise((resolve) => this.#clock.setTimer(() => resolve(result()), millis));
  }
}

/** Closes the pool, however long its factory takes. */
async function close(
  pool: { close(options: object): Promise<void> },
  clock: FakeClock,
): Promise<void> {
  const closed = outcomeOf(pool.close({ graceMillis: 0, force: true }));
  await clock.advance(30_000);
  expect(closed().is).toBe('resolved');
}

/** Lends and takes back, one caller after the other, each with so much patience. Returns how many were served. */
async function callers(
  count: number,
  timeoutMillis: number,
  clock: FakeClock,
  use: (options: { timeoutMillis: number }) => Promise<unknown>,
): Promise<number> {
  let served = 0;
  for (let caller = 0; caller < count; caller++) {
    const outcome = outcomeOf(use({ timeoutMillis }));
    await clock.advance(timeoutMillis + 50);
    expect(outcome().is).not.toBe('pending');
    if (outcome().is === 'resolved') served++;
  }
  return served;
}

test('a validation that hangs, idle resources beside it: oracle/rust-oracledb#29, oracle/python-oracledb#221', async () => {
  const clock = new FakeClock();
  const factory = new HangsOnce('validate', clock);
  const pool = createPool(factory, { max: 5, testOnBorrow: true, clock });
  const warm = pool.warmUp(5);
  await clock.advance(10);
  await warm;
  // The validation becomes slow after 100 ms; then the very caller that it was begun for gets another resource.
  expect(await callers(10, 300, clock, (options) => pool.use(() => {}, options))).toBe(10);
  expect(factory.creates).toBe(5);
  await close(pool, clock);
});

test('a reset that hangs, room beside it: apify/crawlee#1829, #4108', async () => {
  const clock = new FakeClock();
  const pool = createPool(new HangsOnce('reset', clock), { max: 10, clock });
  const first = pool.use(() => {});
  await clock.advance(10);
  await first;
  expect(await callers(5, 300, clock, (options) => pool.use(() => {}, options))).toBe(5);
  expect(pool.size).toBeLessThanOrEqual(3);
  await close(pool, clock);
});

test('a validation that takes as long as usual is counted on, however long that is', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(3, {
    validate: () => new Promise<void>((resolve) => clock.setTimer(resolve, 150)),
  });
  const pool = createPool(factory, { max: 3, testOnBorrow: true, clock });
  await pool.warmUp(2);
  for (let loan = 0; loan < 5; loan++) {
    const used = outcomeOf(pool.use(() => {}));
    await clock.advance(500);
    expect(used().is).toBe('resolved');
  }
  expect([factory.validates, pool.size], 'only the first was not known').toEqual([6, 2]);
  await close(pool, clock);
});

test('a reset that takes as long as usual is counted on, however long that is', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(5, {
    reset: () => new Promise<void>((resolve) => clock.setTimer(resolve, 150)),
  });
  const pool = createPool(factory, { max: 5, clock });
  await pool.use(() => {});
  await clock.advance(500);
  for (let loan = 0; loan < 5; loan++) {
    const lease = await pool.lease();
    void lease.release();
    const next = outcomeOf(pool.use(() => {}));
    await clock.advance(500);
    expect(next().is).toBe('resolved');
  }
  expect(pool.stats().created).toBe(1);
  await close(pool, clock);
});

test.each([1, 3])(
  'a creation that hangs, its caller left, max %i: brianc/node-postgres#2243, nodejs/undici#386, #5662',
  async (max) => {
    const clock = new FakeClock();
    const factory = new HangsOnce('create', clock);
    const pool = createPool(factory, { max, clock });
    expect(await callers(14, 200, clock, (options) => pool.use(() => {}, options))).toBe(13);
    expect(factory.signals[0]?.aborted).toBe(true);
    expect(pool.size).toBe(1);
    await close(pool, clock);
    expect([pool.size, clock.foregroundTimers]).toEqual([0, 0]);
  },
);

test.each(['signals', 'timeouts'])(
  'creations that hang, all callers left one after the other by their %s: djc/bb8#67, hgourvest/node-firebird#406',
  async (by) => {
    const clock = new FakeClock();
    const signals: AbortSignal[] = [];
    const create = ({ signal }: { signal: AbortSignal }) =>
      signals.push(signal) <= 2 ? hang<Thing>() : Promise.resolve({ id: signals.length });
    const pool = createPool({ create, destroy: () => {} }, { max: 2, clock });
    const left = Array.from({ length: 10 }, (_, i) => {
      const controller = new AbortController();
      if (by === 'signals') clock.setTimer(() => controller.abort(), 50 + i);
      const ends = by === 'signals' ? { signal: controller.signal } : { timeoutMillis: 50 + i };
      return outcomeOf(pool.lease(ends));
    });
    await clock.advance(70);
    for (const outcome of left) expect(outcome().is).toBe('rejected');
    expect([signals[0]?.aborted, signals[1]?.aborted, pool.size]).toEqual([true, true, 0]);
    const served = outcomeOf(pool.use(({ id }) => id));
    await settle();
    expect(served().is).toBe('resolved');
    await close(pool, clock);
  },
);

test('a creation that hangs and whose caller was served otherwise is given up when the next caller leaves', async () => {
  const clock = new FakeClock();
  let creates = 0;
  const create = () =>
    ++creates === 2
      ? hang<Thing>()
      : new Promise<Thing>((resolve) => clock.setTimer(() => resolve({ id: creates }), 5));
  const pool = createPool({ create, destroy: () => {} }, { max: 2, clock });
  const first = pool.lease();
  await clock.advance(10);
  const second = outcomeOf(pool.lease());
  await (await first).release();
  await settle();
  expect([second().is, pool.stats().creating]).toEqual(['resolved', 1]);
  expect(await callers(3, 200, clock, (options) => pool.use(() => {}, options))).toBe(2);
  await close(pool, clock);
});

test('a creation that other waiters need goes on until the last of them has left', async () => {
  const clock = new FakeClock();
  const factory = new HangsOnce('create', clock);
  const pool = createPool(factory, { max: 1, clock });
  const callers = [20, 30, 40].map((timeoutMillis) => outcomeOf(pool.lease({ timeoutMillis })));
  await clock.advance(35);
  expect([factory.creates, factory.signals[0]?.aborted, pool.pending]).toEqual([1, false, 1]);
  await clock.advance(10);
  expect([factory.signals[0]?.aborted, pool.size]).toEqual([true, 0]);
  for (const outcome of callers) expect(outcome().is).toBe('rejected');
  await close(pool, clock);
});

test('a creation that hangs does not keep waiters that came behind its own', async () => {
  const clock = new FakeClock();
  const pool = createPool(new HangsOnce('create', clock), { max: 5, clock });
  const asked = [1, 2, 3].map(() => outcomeOf(pool.lease({ timeoutMillis: 1_000 })));
  await clock.advance(500);
  expect(asked.map((outcome) => outcome().is)).toEqual(['resolved', 'resolved', 'resolved']);
  await close(pool, clock);
});

test('a destruction that hangs, room beside it', async () => {
  const clock = new FakeClock();
  const pool = createPool(new HangsOnce('destroy', clock), { max: 2, clock });
  const lease = pool.lease();
  await clock.advance(10);
  void (await lease).destroy();
  expect(await callers(3, 200, clock, (options) => pool.use(() => {}, options))).toBe(3);
  await close(pool, clock);
});

test('a keyed pool: what hangs for one key holds back no other', async () => {
  for (const method of ['create', 'validate', 'reset', 'destroy'] as const) {
    const clock = new FakeClock();
    const pools = createKeyedPool(
      (key: string) => new HangsOnce(key === 'sick' ? method : ('none' as never), clock),
      { max: 2, maxTotal: 3, testOnBorrow: true, clock },
    );
    const sick = [1, 2, 3].map(() =>
      outcomeOf(pools.use('sick', () => {}, { timeoutMillis: 200 })),
    );
    await clock.advance(20);
    for (const key of ['a', 'b', 'c']) {
      const served = await callers(3, 300, clock, (options) => pools.use(key, () => {}, options));
      expect([method, key, served]).toEqual([method, key, 3]);
    }
    for (const outcome of sick) expect(outcome().is).not.toBe('pending');
    await close(pools, clock);
  }
});

test('a keyed pool makes room for all starved callers at once, not one destruction after the other', async () => {
  const clock = new FakeClock();
  const after = <R>(millis: number, result: R): Promise<R> =>
    new Promise((resolve) => clock.setTimer(() => resolve(result), millis));
  const pools = createKeyedPool(
    (key: string) => ({ create: () => ({ key }), destroy: () => after(90, undefined) }),
    { max: 10, maxTotal: 10, clock },
  );
  const old = await Promise.all(Array.from({ length: 10 }, () => pools.lease('old')));
  for (const lease of old) void lease.release();
  const asked = Array.from({ length: 10 }, () => outcomeOf(pools.lease('new')));
  await clock.advance(100);
  expect(asked.filter((outcome) => outcome().is === 'resolved')).toHaveLength(10);
  await close(pools, clock);
});

test('a signal that aborts while `create` begins ends the wait: nodejs/undici#350, #352', async () => {
  const clock = new FakeClock();
  const abort = new AbortController();
  const pool = createPool(
    {
      create: () => {
        abort.abort(new Error('changed my mind'));
        return new Promise<Thing>((resolve) => clock.setTimer(() => resolve({ id: 1 }), 800));
      },
      destroy: () => {},
    },
    { max: 1, clock },
  );
  const asked = outcomeOf(pool.lease({ signal: abort.signal }));
  await settle();
  expect(asked()).toMatchObject({ is: 'rejected', error: { message: 'changed my mind' } });
  await clock.advance(1_000);
  expect(pool.available).toBe(1); // The factory did not listen to its signal, and there is room for what it made.
  await close(pool, clock);
});

test('a caller that left holds neither the process nor the place: nodejs/undici#4405, node-postgres#2078', async () => {
  const clock = new FakeClock();
  const factory = new HangsOnce('create', clock);
  const pool = createPool(factory, { max: 1, clock });
  const abort = new AbortController();
  const asked = outcomeOf(pool.lease({ signal: abort.signal }));
  await clock.advance(50);
  expect(clock.foregroundTimers).toBeGreaterThan(0);
  abort.abort();
  await settle();
  expect(asked().is).toBe('rejected');
  expect([factory.signals[0]?.aborted, pool.size, clock.foregroundTimers]).toEqual([true, 0, 0]);
  await close(pool, clock);
});

test('callers in a hurry do not storm a slow server: no more than twice `max` creations run at a time', async () => {
  const clock = new FakeClock();
  let running = 0;
  let most = 0;
  const pool = createPool(
    {
      create: () => {
        most = Math.max(most, ++running);
        return new Promise<Thing>((resolve) =>
          clock.setTimer(() => {
            running--;
            resolve({ id: 1 });
          }, 10_000),
        ).then(() => ({ id: 1 }));
      },
      destroy: () => {},
    },
    { max: 3, clock },
  );
  for (let caller = 0; caller < 100; caller++) {
    void pool.lease({ timeoutMillis: 50 }).catch(() => {});
    await clock.advance(20);
  }
  expect(most).toBeLessThanOrEqual(6);
  await close(pool, clock);
});

test('a call is slow when its time has come, also if the time of the clock is rounded', async () => {
  const clock = new FakeClock(1023.2834361661195); // (now + 100) - now is less than 100.
  const gates = new Gates();
  const factory = new StrictFactory(3, { create: () => gates.next() });
  const pool = createPool(factory, { max: 2, clock });
  gates.at(0).open();
  await (await pool.lease()).destroy();
  const first = outcomeOf(pool.lease());
  await clock.advance(100);
  expect(factory.creates, 'another is begun beside the slow one').toBe(3);
  gates.at(2).open();
  await settle();
  expect(first().is).toBe('resolved');
  await close(pool, clock);
});

/** Callers come every 20 ms for a minute, and leave after 100 ms. */
async function callersInAHurry(pool: Pool<Thing>, clock: FakeClock): Promise<void> {
  const waiting: AbortController[] = [];
  for (let caller = 0; caller < 3_000; caller++) {
    const abort = new AbortController();
    waiting.push(abort);
    pool.use(() => {}, { signal: abort.signal }).catch(() => {});
    await clock.advance(20);
    if (waiting.length >= 5) waiting.shift()?.abort();
  }
  for (const abort of waiting) abort.abort();
  await settle();
}

test.each([
  { how: 'tells its calls to stop', createAttempts: 8, heedsSignals: true },
  { how: 'tells its calls to stop', createAttempts: 1, heedsSignals: true },
  { how: 'cannot stop its calls', createAttempts: 8, heedsSignals: false },
])(
  'a server that hangs gets ever fewer calls while callers leave: a factory that $how, createAttempts $createAttempts',
  async ({ createAttempts, heedsSignals }) => {
    const clock = new FakeClock();
    let creates = 0;
    let hangs = false;
    const pool = createPool<Thing>(
      {
        create: async ({ signal }) => {
          creates++;
          if (!hangs) return { id: creates };
          return new Promise<Thing>((_, reject) => {
            if (heedsSignals) signal.addEventListener('abort', () => reject(signal.reason));
          });
        },
        destroy: () => {},
      },
      { max: 2, createAttempts, clock },
    );
    await pool.use(() => {});
    hangs = true;
    pool.evict(() => true);
    creates = 0;
    await callersInAHurry(pool, clock);
    // Without a pause there are 2 in each 100 ms: 1,200.
    expect(creates).toBeLessThanOrEqual(70);
    expect(creates, 'it is tried again').toBeGreaterThan(3);
    hangs = false;
    const lease = outcomeOf(pool.lease());
    await clock.advance(30_000);
    expect(lease().is).toBe('resolved');
    await close(pool, clock);
  },
);

/** A caller that leaves so many milliseconds after its call. */
async function leaveAfter<T>(millis: number, pool: Pool<T>, clock: FakeClock): Promise<void> {
  const abort = new AbortController();
  const left = outcomeOf(pool.lease({ signal: abort.signal }));
  await settle();
  await clock.advance(millis);
  abort.abort();
  await settle();
  expect(left().is).toBe('rejected');
}

test('callers that leave now and then cause no pause', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(3, { create: () => gates.next() });
  const pool = createPool(factory, { max: 3, clock });
  for (let caller = 0; caller < 2; caller++) {
    await clock.advance(60_000);
    await leaveAfter(0, pool, clock);
  }
  const asks = outcomeOf(pool.lease());
  await settle();
  expect(factory.creates).toBe(3);
  gates.at(2).open();
  await settle();
  expect(asks().is).toBe('resolved');
  await close(pool, clock);
});

test('callers that leave a server which has answered in between cause no pause', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(3, { create: () => gates.next() });
  const pool = createPool(factory, { max: 3, clock });
  await leaveAfter(0, pool, clock);
  const served = outcomeOf(pool.lease());
  await settle();
  gates.at(1).open();
  await clock.advance(200);
  expect(served().is).toBe('resolved');
  await leaveAfter(0, pool, clock);
  void outcomeOf(pool.lease());
  await settle();
  expect(factory.creates).toBe(4);
  await close(pool, clock);
});

test('a call that was given up and succeeds all the same ends the pause', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(3, { create: () => gates.next() });
  const pool = createPool(factory, { max: 2, clock });
  for (let caller = 0; caller < 2; caller++) await leaveAfter(100, pool, clock);
  const waits = outcomeOf(Promise.all([pool.lease(), pool.lease(), pool.lease()]));
  expect(factory.creates, 'the factory has answered nothing for 100 ms').toBe(2);
  gates.at(0).open();
  await settle();
  expect(factory.creates, 'it works').toBe(3);
  expect(waits().is).toBe('pending');
  await close(pool, clock);
});

test.each(['succeeds', 'is abandoned'] as const)(
  'a slow creation that %s counts as slow no longer',
  async (end) => {
    const clock = new FakeClock();
    const gates = new Gates();
    const factory = new StrictFactory(4, { create: () => gates.next() });
    const pool = createPool(factory, { max: 4, clock });
    gates.at(0).open();
    await pool.lease();
    const abort = new AbortController();
    const first = outcomeOf(pool.lease({ signal: abort.signal }));
    await clock.advance(150);
    expect(factory.creates, 'one is slow, and another is begun').toBe(3);
    if (end === 'succeeds') gates.at(1).open();
    else abort.abort();
    await settle();
    expect(first().is).toBe(end === 'succeeds' ? 'resolved' : 'rejected');
    void outcomeOf(pool.lease());
    expect(factory.creates, 'the other is on its way').toBe(3);
    await close(pool, clock);
  },
);

test('a slow creation whose caller has left gives its place to the next caller', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const pool = createPool(new StrictFactory(1, { create: () => gates.next() }), { max: 1, clock });
  gates.at(0).open();
  await (await pool.lease()).destroy();
  const abort = new AbortController();
  const left = outcomeOf(pool.lease({ signal: abort.signal }));
  const next = outcomeOf(pool.lease());
  await clock.advance(150);
  abort.abort();
  gates.at(2).open();
  await settle();
  expect([left().is, next().is]).toEqual(['rejected', 'resolved']);
  await close(pool, clock);
});

test.each(['failed', 'succeeded'])(
  'a creation that was abandoned makes way for another once it has %s',
  async (outcome) => {
    const clock = new FakeClock();
    const gates = new Gates();
    const signals: AbortSignal[] = [];
    const factory = new StrictFactory(1, {
      create: (_number, signal) => {
        signals.push(signal);
        return gates.next();
      },
    });
    const pool = createPool(factory, { max: 1, clock });
    for (let caller = 0; caller < 3; caller++) {
      const abort = new AbortController();
      void outcomeOf(pool.lease({ signal: abort.signal }));
      abort.abort();
      if (outcome === 'failed') gates.at(caller).fail('aborted');
      else gates.at(caller).open();
      await settle();
      pool.evict(() => true);
      await settle();
    }
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    await close(pool, clock);
  },
);

test.each([0, 60_000])(
  'a creation that is slow takes no idle resource out of service, validateAfterIdleMillis %i: none is lost or validated in vain',
  async (validateAfterIdleMillis) => {
    const clock = new FakeClock();
    const factory = new StrictFactory(5, {
      create: (number) => (number === 0 ? undefined : hang()),
      validate: (_, number) => (number < 100 ? true : hang()),
    });
    const pool = createPool(factory, { testOnBorrow: true, validateAfterIdleMillis, clock });
    const lease = await pool.lease();
    const warm = outcomeOf(pool.warmUp(2));
    await clock.advance(1_000);
    void lease.release();
    pool.resize({ max: 5 });
    await settle();
    expect([pool.available, factory.validates, warm().is]).toEqual([1, 0, 'pending']);
    void (await pool.lease()).release();
    await pool.close({ graceMillis: 0 });
  },
);

test('a validation of a returned resource that is slow takes no idle resource out of service', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(2, { validate: () => hang() });
  const options = { max: 2, testOnBorrow: true, testOnReturn: true, clock };
  const pool = createPool(factory, { ...options, validateAfterIdleMillis: 60_000 });
  await pool.warmUp(2);
  void pool.tryLease()?.release();
  await clock.advance(1_000);
  pool.resize({ max: 3 });
  expect([pool.stats().resetting, pool.available, factory.validates]).toEqual([1, 1, 1]);
  await close(pool, clock);
});

test('a creation that was given up causes no further one when its time to be slow has come', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(4, {
    create: (number) => (number === 0 ? undefined : hang()),
  });
  const pool = createPool(factory, { max: 4, clock });
  using _first = await pool.lease();
  await leaveAfter(0, pool, clock);
  await clock.advance(50);
  const waits = outcomeOf(pool.lease());
  await clock.advance(60);
  expect([factory.creates, waits().is]).toEqual([3, 'pending']);
  await close(pool, clock);
});
