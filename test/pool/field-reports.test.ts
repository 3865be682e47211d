/** Faults that users of other pools reported, by source, and faults of the same kinds. */
import { describe, expect, test } from 'vitest';
import {
  type AcquireTimeoutError,
  createKeyedPool,
  createPool,
  type Factory,
  type PoolOptions,
} from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

const hang = <R>(): Promise<R> => new Promise(() => {});

function open(options: PoolOptions = {}, factory: Partial<Factory<object>> = {}) {
  const clock = new FakeClock();
  const whole = { create: () => ({}), destroy: () => {}, ...factory };
  return { clock, pool: createPool<object>(whole, { clock, random: () => 0, ...options }) };
}

describe('a promise with a `then` of its own, as instrumentations make them: angular/zone.js#1112', () => {
  const broken = () =>
    Object.assign(Promise.resolve({}), {
      // biome-ignore lint/suspicious/noThenProperty: the fault under test
      then: () => {
        throw new Error('no then');
      },
    });
  const twice = () =>
    Object.assign(Promise.resolve({}), {
      // biome-ignore lint/suspicious/noThenProperty: the fault under test
      then: (resolve: (resource: object) => void) => {
        resolve({});
        resolve({});
      },
    });

  test('one that throws settles as `await` settles it', async () => {
    const { pool } = open({ max: 1, createAttempts: 1 }, { create: broken as never });
    void (await pool.lease()).release();
    expect(pool.stats()).toMatchObject({ creating: 0, pending: 0, size: 1, available: 1 });
    await pool.close();
  });

  test('one that resolves twice is one resource', async () => {
    const { pool } = open({ max: 3 }, { create: twice as never });
    void (await pool.lease()).release();
    expect(pool.stats()).toMatchObject({ size: 1, created: 1 });
    await pool.close();
  });

  test.each(['reset', 'validate', 'destroy'] as const)(
    'one from `%s` loses no resource',
    async (method) => {
      const options = method === 'validate' ? { max: 1, testOnReturn: true } : { max: 1 };
      const { pool } = open(options, { [method]: broken });
      const lease = await pool.lease();
      await lease.release();
      void (await pool.lease()).release();
      await settle();
      await pool.close();
      expect(pool.size).toBe(0);
    },
  );
});

test.each([
  Object.create(null),
  {
    toString: () => {
      throw new Error('no text');
    },
  },
  Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('no message');
    },
  }),
  Object.assign(new Error('x'), { name: Symbol('name') }),
])(
  'an error of `create` that has no text does not keep callers from timing out: fullstack-build/tslog#335',
  async (error) => {
    const { pool, clock } = open(
      { acquireTimeoutMillis: 100 },
      { create: () => Promise.reject(error) },
    );
    const asked = [outcomeOf(pool.lease()), outcomeOf(pool.lease())];
    await clock.advance(100);
    for (const outcome of asked) {
      expect(outcome()).toMatchObject({ error: { code: 'TENURE_POOL_ACQUIRE_TIMEOUT' } });
    }
    await pool.close();
  },
);

describe('a limit that has grown wakes those that wait for it: dotnet/SqlClient#4376', () => {
  function limited(options: PoolOptions = {}) {
    const server = { most: 2, connections: 0 };
    const factory = {
      create: () => {
        if (server.connections >= server.most) throw new Error('too many clients');
        server.connections++;
        return {};
      },
      destroy: () => void server.connections--,
      isFull: () => true,
    };
    const adaptiveMax = { floor: 1, recoverMillis: 10_000 };
    return { server, ...open({ max: 8, adaptiveMax, ...options }, factory) };
  }

  test('a caller is served although no resource comes back', async () => {
    const { pool, clock, server } = limited({ acquireTimeoutMillis: Number.POSITIVE_INFINITY });
    await pool.lease();
    await pool.lease();
    const waiting = outcomeOf(pool.lease());
    server.most = 8;
    await clock.advance(15_000);
    expect(waiting().is).toBe('pending');
    await clock.advance(6_000);
    expect(waiting().is).toBe('resolved');
    await pool.close({ graceMillis: 0, force: true });
  });

  test('callers of warmUp are told, and `min` is filled', async () => {
    const { pool, clock, server } = limited({ min: 5 });
    const warm = outcomeOf(pool.warmUp(4));
    await clock.advance(100);
    server.most = 8;
    await clock.advance(60_000);
    expect(warm().is).toBe('resolved');
    expect(pool.size).toBe(5);
    await pool.close();
  });

  test('also in a pool without resources, whose only creation hangs', async () => {
    const steps = [
      () => Promise.reject(new Error('too many clients')),
      () => new Promise(() => {}),
    ];
    const create = async () => (await steps.shift()?.()) ?? {};
    const adaptiveMax = { floor: 1, recoverMillis: 10_000 };
    const { pool, clock } = open({ max: 4, adaptiveMax }, { create, isFull: () => true });
    const waiting = [outcomeOf(pool.lease()), outcomeOf(pool.lease())];
    await clock.advance(9_000);
    expect(waiting.map((outcome) => outcome().is)).toEqual(['pending', 'pending']);
    await clock.advance(2_000);
    expect(waiting.map((outcome) => outcome().is)).toEqual(['resolved', 'pending']);
    await pool.close({ graceMillis: 0, force: true });
    await clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  test('also when the figures were asked for at the moment of the growth', async () => {
    const { pool, clock, server } = limited({ max: 3 });
    await pool.lease();
    await pool.lease();
    const waiting = outcomeOf(pool.lease());
    server.most = 8;
    for (let second = 0; second < 22; second++) {
      await clock.advance(999);
      pool.stats();
    }
    expect(waiting().is).toBe('resolved');
    await pool.close({ graceMillis: 0, force: true });
  });
});

test('the options of adaptiveMax are read once', async () => {
  const adaptiveMax = { floor: 3, recoverMillis: 1_000 };
  const create = (): never => {
    throw new Error('too many clients');
  };
  const { pool, clock } = open({ max: 9, adaptiveMax }, { create, isFull: () => true });
  Object.assign(adaptiveMax, { floor: 'x', recoverMillis: Number.NaN });
  const asked = outcomeOf(pool.lease());
  await clock.advance(0);
  expect(pool.stats().effectiveMax).toBe(3);
  await pool.close();
  await settle();
  expect(asked().is).toBe('rejected');
});

describe('a signal that gives no reason, as in React Native: MetaMask/metamask-mobile#28596', () => {
  const aborted = { aborted: true, addEventListener() {}, removeEventListener() {} } as never;

  test('rejects with an AbortError instead of `undefined`', async () => {
    const { pool } = open({ max: 1 });
    const error = { name: 'AbortError' };
    expect(await rejection(pool.lease({ signal: aborted }))).toMatchObject(error);
    expect(await rejection(pool.warmUp(1, { signal: aborted }))).toMatchObject(error);
    const lease = await pool.lease();
    expect(await rejection(pool.drain({ signal: aborted }))).toMatchObject(error);
    void lease.release();
    await pool.close();
  });

  test('also one that aborts while its caller waits', async () => {
    const { pool } = open({ max: 1 });
    const lease = await pool.lease();
    const listeners: (() => void)[] = [];
    const signal = {
      aborted: false,
      addEventListener: (_: string, listener: () => void) => listeners.push(listener),
      removeEventListener: () => {},
    };
    const waiting = outcomeOf(pool.lease({ signal: signal as never }));
    listeners[0]?.();
    await settle();
    expect(waiting()).toMatchObject({ error: { name: 'AbortError' } });
    void lease.release();
    await pool.close();
  });
});

test('a signal that has aborted creates nothing for warmUp', async () => {
  const factory = new StrictFactory();
  const pool = createPool(factory, { clock: new FakeClock() });
  const signal = AbortSignal.abort(new Error('left'));
  expect(await rejection(pool.warmUp(3, { signal }))).toBe(signal.reason);
  expect(factory.creates).toBe(0);
  await pool.close();
});

test('100,000 callers of ready do not block the event loop', async () => {
  const { pool } = open({ min: 1 }, { create: async () => ({}) });
  await Promise.all(Array.from({ length: 100_000 }, () => pool.ready()));
  expect(pool.size).toBe(1);
  await pool.close();
});

describe('the error of a timeout says what kept the caller waiting: HikariCP#258', () => {
  test('a pause', async () => {
    const { pool, clock } = open();
    pool.pause();
    const asked = outcomeOf(pool.lease({ timeoutMillis: 10 }));
    await clock.advance(10);
    const { message } = (asked() as { error: AcquireTimeoutError }).error;
    expect(message).toContain('the pool is paused');
    expect(message).toContain('Call resume()');
    expect(message).not.toContain('raise `max`');
    await pool.close();
  });

  test('the resources of other keys', async () => {
    const clock = new FakeClock();
    const factory = { create: () => ({}), destroy: () => {} };
    const pools = createKeyedPool(() => factory, { max: 5, maxTotal: 1, clock });
    const lease = await pools.lease('a');
    const asked = outcomeOf(pools.lease('b', { timeoutMillis: 10 }));
    await clock.advance(10);
    expect((asked() as { error: AcquireTimeoutError }).error.message).toContain('raise `maxTotal`');
    void lease.release();
    await pools.close();
  });
});

test('a caller that leaves a paused pool gives up the creation that hangs for it', async () => {
  const signals: AbortSignal[] = [];
  const { pool } = open(
    { max: 1 },
    {
      create: ({ signal }) => {
        signals.push(signal);
        return hang();
      },
    },
  );
  const left = new AbortController();
  const asked = outcomeOf(pool.lease({ signal: left.signal }));
  pool.pause();
  left.abort();
  await settle();
  expect(asked().is).toBe('rejected');
  expect([pool.stats().creating, signals[0]?.aborted]).toEqual([0, true]);
  await pool.close({ graceMillis: 0 });
});

describe('resources that break before their first loan are no endless loop: resque-pool#108, josdejong/workerpool#35', () => {
  /** A pool whose resources break as soon as they are there, until it is healed or has made a thousand. */
  function openBreaking(options: PoolOptions = {}, breaks = true) {
    let isBreaking = breaks;
    let made = 0;
    const t = open(
      { min: 1, ...options },
      {
        create: () => {
          const resource = {};
          if (isBreaking && ++made <= 1_000) {
            queueMicrotask(() => t.pool.evict((each) => each === resource, 'broken'));
          }
          return resource;
        },
      },
    );
    return {
      ...t,
      heal: () => {
        isBreaking = false;
      },
    };
  }

  /** Lets time pass in steps, and gives how many resources were created in it. */
  async function createdIn({ clock, pool }: ReturnType<typeof openBreaking>, millis: number) {
    const before = pool.stats().created;
    for (let passed = 0; passed < millis; passed += 10) {
      clock.advance(10);
      await settle();
    }
    return pool.stats().created - before;
  }

  test('the factory has longer and longer pauses', async () => {
    const t = openBreaking();
    await settle();
    expect(t.pool.stats().created).toBe(1);
    expect(await createdIn(t, 1_000)).toBeLessThan(8);
    expect(await createdIn(t, 20_000)).toBeLessThan(8);
    t.heal();
    await createdIn(t, 5_000);
    expect(t.pool.available).toBe(1);
    await t.pool.close();
  });

  test('a creation that ends meanwhile does not end the pause: porsager/postgres#1179', async () => {
    let made = 0;
    const { clock, pool } = open(
      { min: 2 },
      {
        create: () =>
          new Promise((resolve) => {
            const resource = {};
            const millis = 1 + 4 * (++made % 2);
            clock.setTimer(() => resolve(resource), millis);
            clock.setTimer(() => pool.evict((each) => each === resource, 'broken'), millis + 1);
          }),
      },
    );
    for (let passed = 0; passed < 1_000; passed++) {
      await clock.advance(1);
      await settle();
    }
    expect(made).toBeLessThan(20);
    await pool.close();
  });

  test('several that break at once are one failure, and cost no caller its wait', async () => {
    const t = openBreaking({ min: 3, max: 3, createAttempts: 2 });
    await createdIn(t, 1_000);
    const lease = t.pool.lease();
    t.heal();
    await createdIn(t, 5_000);
    await (await lease).release();
    expect(t.pool.stats()).toMatchObject({ createErrors: 0, available: 3 });
    await t.pool.close();
  });

  test('one that breaks after a loan, or after a while, is replaced at once', async () => {
    const t = openBreaking({}, false);
    await t.pool.use(() => {});
    t.pool.evict(() => true, 'broken');
    expect(t.pool.available).toBe(1);
    await createdIn(t, 5_000);
    t.pool.evict(() => true, 'broken');
    expect(t.pool.available).toBe(1);
    await t.pool.close();
  });

  test('one that is evicted for another reason is replaced at once', async () => {
    const t = openBreaking({}, false);
    t.pool.evict(() => true);
    expect(t.pool.available).toBe(1);
    await t.pool.close();
  });
});

describe('a full queue refuses no caller that can be served at once: reactor-pool#98', () => {
  test('by a creation that may fail for its caller alone', async () => {
    let made = 0;
    const create = () => (++made === 1 ? Promise.reject(new Error('refused')) : {});
    const { pool } = open({ maxWaitingClients: 0, createAttempts: 1 }, { create });
    expect(await rejection(pool.lease())).toMatchObject({ code: 'TENURE_POOL_CREATE' });
    await pool.use(() => {});
    await pool.close();
  });

  test('by an idle resource while the factory has a pause', async () => {
    let made = 0;
    const create = () => (++made === 1 ? {} : Promise.reject(new Error('refused')));
    const options = { maxWaitingClients: 0, testOnBorrow: true };
    const { pool } = open(options, { create, validate: () => true });
    const first = await pool.lease();
    const second = pool.lease();
    await settle();
    await first.release();
    await (await second).release();
    await pool.use(() => {});
    expect(pool.stats()).toMatchObject({ createErrors: 1, refusals: 0, borrowed: 0 });
    await pool.close();
  });

  test('by the place of an idle resource of another key, at maxTotal', async () => {
    const factory = { create: async () => ({}), destroy: async () => {} };
    const pools = createKeyedPool<string, object>(() => factory, {
      max: 1,
      maxTotal: 1,
      maxWaitingClients: 0,
    });
    await pools.use('a', () => {});
    const lease = await pools.lease('b');
    expect(await rejection(pools.lease('a'))).toMatchObject({ code: 'TENURE_POOL_FULL' });
    void lease.release();
    await pools.use('a', () => {});
    await pools.close();
  });
});

describe('reasons of destruction from callers without types, who pass the error itself: node-postgres release(err)', () => {
  const broken = {
    toString: () => {
      throw new Error('no text');
    },
  };

  test.each([new Error('x'), broken, Symbol('x'), null])('destroy(%o)', async (reason) => {
    const reasons: unknown[] = [];
    const { pool } = open({}, { destroy: (_, given) => void reasons.push(given) });
    await (await pool.lease()).destroy(reason as never);
    await pool.use((_, context) => context.discard(reason as never));
    expect(reasons).toEqual(['discarded', 'discarded']);
    expect(pool.stats().destroyedBy).toEqual({ discarded: 2 });
    await pool.close();
  });

  test('evict refuses a reason that is no text', async () => {
    const { pool } = open();
    await pool.warmUp(1);
    expect(() => pool.evict(() => true, broken as never)).toThrow('`reason`');
    expect(pool.size).toBe(1);
    await pool.close();
  });
});

test('evict refuses an asynchronous predicate, whose promise would count as true', async () => {
  const { pool } = open();
  await pool.warmUp(2);
  expect(() => pool.evict((async () => Promise.reject(new Error('x'))) as never)).toThrow(
    'got a promise',
  );
  expect(pool.size).toBe(2);
  await pool.close();
});

describe('tryLease of a pool that validates', () => {
  test('lends what needs no validation, and nothing else', async () => {
    const factory = new StrictFactory(5, { validate: () => true });
    const clock = new FakeClock();
    const options = { testOnBorrow: true, validateAfterIdleMillis: 500, clock };
    const pool = createPool(factory, options);
    await pool.use(() => {});
    const lease = pool.tryLease();
    expect(lease?.resource).toBe(factory.things[0]);
    expect(pool.tryLease()).toBe(undefined);
    void lease?.release();
    await clock.advance(500);
    expect(pool.tryLease()).toBe(undefined);
    expect([pool.available, pool.borrowed, factory.validates]).toEqual([1, 0, 0]);
    await pool.close();
  });

  test('lends nothing that has expired, and nothing while a caller waits or the pool is paused', async () => {
    const factory = new StrictFactory(5, { validate: () => true });
    const clock = new FakeClock();
    const pool = createPool(factory, {
      max: 1,
      testOnBorrow: true,
      validateAfterIdleMillis: 60_000,
      maxLifetimeMillis: 1_500,
      evictionRunIntervalMillis: 0,
      clock,
      random: () => 0,
    });
    await pool.use(() => {});
    pool.pause();
    expect(pool.tryLease()).toBe(undefined);
    const waiting = outcomeOf(pool.lease());
    expect(pool.tryLease()).toBe(undefined);
    pool.resume();
    await settle();
    void (waiting() as { value: { release(): void } }).value.release();
    await clock.advance(1_500);
    expect(pool.tryLease()).toBe(undefined);
    await pool.close();
    expect(() => pool.tryLease()).toThrow('closed');
  });
});
