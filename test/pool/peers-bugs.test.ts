/**
 * Complaints about other pools and bugs found in them, each as a test whose title names the report. The tests assert
 * behaviour, so they would catch such a bug in this pool for any cause.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from 'vitest';
import { createPool, type Pool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory, type Thing } from './strict-factory.js';

const refused = new Error('connection refused');
const refuse = (): never => {
  throw refused;
};
const never = (): Promise<never> => new Promise(() => {});

/** All resources are back, no caller waits, and no timer runs. */
async function expectAtRest(pool: Pool<Thing>, clock: FakeClock, size: number): Promise<void> {
  await settle();
  expect(pool.stats()).toMatchObject({ size, available: size, borrowed: 0, pending: 0 });
  expect(clock.foregroundTimers).toBe(0);
}

describe('creating', () => {
  test('a factory that fails is not called in a loop, and the caller is rejected: node-pool#175, #183, #194, #273, sequelize#7884', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(1, { create: refuse });
    const pool = createPool(factory, { max: 1, clock });
    const ended = outcomeOf(pool.acquire());
    await clock.advance(500);
    expect(factory.creates).toBeLessThan(10);
    await clock.advance(29_500);
    expect(ended()).toMatchObject({ is: 'rejected', error: { code: 'TENURE_POOL_CREATE' } });
    expect(factory.creates).toBe(8);
    expect(pool.pending).toBe(0);
  });

  test('a create that throws synchronously leaves no waiter and no occupied place: generic-pool, sequelize-pool', async () => {
    const clock = new FakeClock();
    let fails = true;
    const factory = new StrictFactory(1);
    const pool = createPool<Thing>(
      {
        create: (context) => (fails ? refuse() : factory.create(context)),
        destroy: (thing, reason) => factory.destroy(thing, reason),
      },
      { max: 1, createAttempts: 1, clock },
    );
    for (let i = 0; i < 3; i++) {
      expect(await rejection(pool.acquire())).toMatchObject({ cause: refused });
    }
    fails = false;
    await pool.use(() => {});
    await expectAtRest(pool, clock, 1);
  });

  test('a connection that comes after its timeout is not lost, and no caller waits for it: node-postgres#3543, #3197', async () => {
    const clock = new FakeClock();
    const gates = new Gates();
    const factory = new StrictFactory(2, { create: () => gates.next() });
    const options = { max: 1, createTimeoutMillis: 100, createAttempts: 1, clock };
    const pool = createPool(factory, options);
    const timedOut = outcomeOf(pool.lease());
    await clock.advance(100);
    expect(timedOut()).toMatchObject({ is: 'rejected', error: { phase: 'create' } });
    const next = pool.lease();
    await settle();
    gates.at(0).open();
    gates.at(1).open();
    (await next)[Symbol.dispose]();
    await settle();
    expect([pool.size, factory.alive]).toEqual([1, 1]);
  });

  test('a failed acquisition leaks nothing: Effect#7109', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(2, { create: (n) => (n % 2 === 0 ? refuse() : undefined) });
    const pool = createPool(factory, { max: 2, createAttempts: 1, clock });
    for (let i = 0; i < 50; i++) {
      await pool.use(() => {}).catch(() => {});
      const lease = await pool.lease().catch(() => undefined);
      await lease?.destroy();
    }
    expect([pool.borrowed, pool.pending]).toEqual([0, 0]);
    expect(factory.alive).toBe(pool.size);
    await pool.close();
    expect(factory.alive).toBe(0);
  });

  test('a falsy value can be a resource: tarn', async () => {
    const pool = createPool<unknown>({ create: () => 0, destroy: () => {} }, { max: 1 });
    expect(await pool.acquire()).toBe(0);
    await pool.release(0);
    await pool.close();
  });
});

describe('waiting', () => {
  test('a caller that gave up is not given a resource later: oven-sh/bun#39451, cap-js/cds-dbs#1721, knex#1694', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(2), { max: 2, acquireTimeoutMillis: 50, clock });
    const held = [await pool.lease(), await pool.lease()];
    const leaving = new AbortController();
    const gaveUp = [
      ...Array.from({ length: 10 }, () => outcomeOf(pool.acquire())),
      outcomeOf(pool.lease({ signal: leaving.signal })),
    ];
    leaving.abort();
    await clock.advance(50);
    for (const lease of held) void lease.release();
    await expectAtRest(pool, clock, 2);
    expect(gaveUp.map((outcome) => outcome().is)).toEqual(gaveUp.map(() => 'rejected'));
  });

  test('a caller has one absolute deadline, even if it has to queue again: mysql2#4497, #4498', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(1, { validate: () => false });
    const options = { max: 1, testOnBorrow: true, acquireTimeoutMillis: 100, clock };
    const pool = createPool(factory, options);
    const holder = await pool.lease();
    const began = clock.now();
    const ended = outcomeOf(pool.lease());
    await clock.advance(60);
    factory.steps.create = never;
    void holder.release(); // The resource is invalid, so the waiter has to wait for another.
    await clock.advance(39);
    expect(ended().is).toBe('pending');
    await clock.advance(1);
    expect([ended().is, clock.now() - began]).toEqual(['rejected', 100]);
  });

  test('the number of waiters can be limited, and one more is rejected at once: node-pool#108', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(1), { max: 1, maxWaitingClients: 2, clock });
    const lease = await pool.lease();
    const waiting = [pool.use(() => {}), pool.use(() => {})];
    expect(await rejection(pool.lease())).toMatchObject({ code: 'TENURE_POOL_FULL' });
    void lease.release();
    await Promise.all(waiting);
    await expectAtRest(pool, clock, 1);
  });

  test('a later caller takes nothing from a waiter: golang/go#31708, sqlx#453, asyncpg#1247, Effect 3', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(1), { max: 1, clock });
    const served: number[] = [];
    const turn = async (id: number): Promise<void> => {
      using _lease = await pool.lease();
      served.push(id);
    };
    const holder = await pool.lease();
    const line = Array.from({ length: 20 }, (_, id) => turn(id));
    void holder.release();
    expect(pool.tryLease()).toBeUndefined();
    line.push(turn(20));
    await Promise.all(line);
    expect(served).toEqual(Array.from({ length: 21 }, (_, id) => id));
  });

  test('after saturation the pool comes to rest at its full size: HikariCP#830', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(10, {
      create: () => new Promise((resolve) => clock.setTimer(() => resolve(0), 50)),
    });
    const pool = createPool(factory, { max: 10, acquireTimeoutMillis: 1_000, clock });
    const done = Array.from({ length: 200 }, async () => {
      using _lease = await pool.lease();
      await new Promise((resolve) => clock.setTimer(() => resolve(0), 5));
    });
    await clock.advance(1_000);
    await Promise.all(done);
    await expectAtRest(pool, clock, 10);
    expect(factory.creates).toBe(10);
  });

  test('the error of a nested acquire that can never end names both lines: knex#1381, #2820, HikariCP#442', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(1), { max: 1, acquireTimeoutMillis: 1_000, clock });
    const nested = outcomeOf(pool.use(() => pool.use(() => {})));
    await clock.advance(1_000);
    const ended = nested();
    const error = ended.is === 'rejected' ? (ended.error as Error) : undefined;
    expect(error).toMatchObject({ stats: { borrowed: 1, max: 1 }, loans: [{ takenBy: 'use' }] });
    expect(error?.message).toMatch(/use\(\) 1 s ago at .*peers-bugs\.test\.ts/);
    await expectAtRest(pool, clock, 1);
  });

  test('a timer runs while a caller waits, and none keeps the process alive afterwards: node-pool#147', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(1), { max: 1, clock });
    const lease = await pool.lease();
    expect(clock.foregroundTimers).toBe(0);
    const waiting = pool.use(() => {});
    expect(clock.foregroundTimers).toBe(1);
    void lease.release();
    await waiting;
    expect(clock.foregroundTimers).toBe(0);
  });
});

describe('giving back', () => {
  test('a double release never gives one resource to two callers: mysql2#1280, #3559, node-pg-pool#115', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(1), { max: 1, clock });
    const lease = await pool.lease();
    void lease.release();
    using next = await pool.lease();
    expect(() => lease.release()).toThrow(
      expect.objectContaining({ code: 'TENURE_POOL_DOUBLE_RELEASE' }),
    );
    expect(pool.tryLease()).toBeUndefined();
    expect(pool.stats()).toMatchObject({ size: 1, borrowed: 1 });
    expect(next.resource.state).toBe('alive');
  });

  test('a late release does not affect the resource that took its place: Effect#7515', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(1);
    const pool = createPool(factory, { max: 1, clock });
    const stale = await pool.lease();
    const ended = stale.destroy();
    using replacement = await pool.lease();
    await ended;
    stale[Symbol.dispose]();
    await stale[Symbol.asyncDispose]();
    expect(replacement.resource).toMatchObject({ id: 1, state: 'alive' });
    expect([pool.size, pool.borrowed, factory.alive]).toEqual([1, 1, 1]);
  });

  test('the error tells a resource that was never lent from one that was given back: node-pool#206', async () => {
    const pool = createPool(new StrictFactory(1), { max: 1, clock: new FakeClock() });
    const thing = await pool.acquire();
    await pool.release(thing);
    expect(await rejection(pool.release(thing))).toMatchObject({
      code: 'TENURE_POOL_DOUBLE_RELEASE',
      message: expect.stringContaining('was released already') as unknown,
    });
    const foreign = await rejection(pool.release({ ...thing }));
    expect(foreign).toMatchObject({ code: 'TENURE_POOL_FOREIGN_RESOURCE' });
  });

  test('an error of the function in use() costs no resource, and no way out of it leaks one: generic-pool', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(1);
    const pool = createPool(factory, { max: 1, clock });
    const business = new Error('out of stock');
    const fail = (): never => {
      throw business;
    };
    await expect(pool.use(() => Promise.reject(business))).rejects.toBe(business);
    await expect(pool.use(fail)).rejects.toBe(business);
    expect(await pool.use(() => 42)).toBe(42);
    await expectAtRest(pool, clock, 1);
    expect(factory.destroyed).toEqual([]);
  });

  test.each(['rejects', 'throws'])(
    'a validate that %s causes no unhandled rejection, and costs no place: node-pool#195',
    async (way) => {
      const clock = new FakeClock();
      const factory = new StrictFactory(1);
      const failing = new Error('validate');
      const pool = createPool<Thing>(
        {
          create: (context) => factory.create(context),
          destroy: (thing, reason) => factory.destroy(thing, reason),
          validate: () => {
            if (way === 'throws') throw failing;
            return Promise.reject(failing);
          },
        },
        { max: 1, testOnBorrow: true, clock },
      );
      for (let i = 0; i < 5; i++) await pool.use(() => {});
      await expectAtRest(pool, clock, 1);
      expect(factory.destroyed).toHaveLength(4);
    },
  );
});

describe('ending', () => {
  test('close ends although a holder keeps a lease, and later callers are rejected at once: node-pool#256, node-postgres#2199, #2778, tarn#81, Effect', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(2, { create: (n) => (n === 0 ? undefined : never()) });
    const pool = createPool(factory, { max: 2, min: 1, clock });
    const lost = await pool.lease();
    const waiting = rejection(pool.lease());
    const closed = outcomeOf(pool.close({ graceMillis: 100, force: true }));
    expect(await waiting).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
    expect(await rejection(pool.lease())).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
    const { creates } = factory;
    await clock.advance(60_000);
    expect(closed().is).toBe('resolved');
    expect([factory.creates, factory.alive, pool.size]).toEqual([creates, 0, 0]);
    lost[Symbol.dispose]();
  });

  test('close settles when the resources are gone, not before: node-postgres#2328, tarn#29', async () => {
    const clock = new FakeClock();
    const gates = new Gates();
    const pool = createPool(new StrictFactory(1, { destroy: () => gates.next() }), {
      max: 1,
      clock,
    });
    await pool.use(() => {});
    const closed = outcomeOf(pool.close());
    await settle();
    expect(closed().is).toBe('pending');
    gates.at(0).open();
    await settle();
    expect(closed().is).toBe('resolved');
  });

  test('a destroy that hangs blocks nothing forever: node-pool#288', async () => {
    const clock = new FakeClock();
    const pool = createPool(new StrictFactory(4, { destroy: never }), { max: 2, clock });
    await Promise.all([pool.use(() => {}), pool.use(() => {})]);
    const cleared = outcomeOf(pool.clear());
    await clock.advance(5_000);
    expect(cleared().is).toBe('resolved');
    await pool.use(() => {});
    const closed = outcomeOf(pool.close());
    await clock.advance(5_000);
    expect(closed().is).toBe('resolved');
  });

  test('a resource that is being destroyed counts towards max, which is never exceeded: node-pool#233', async () => {
    const clock = new FakeClock();
    const slowly = (): Promise<void> =>
      new Promise((resolve) => clock.setTimer(() => resolve(), 100));
    const factory = new StrictFactory(2, { destroy: slowly }); // Throws when a third resource is alive.
    const pool = createPool(factory, { max: 2, clock });
    const rounds = Array.from({ length: 20 }, async () => {
      const lease = await pool.lease();
      await lease.destroy();
    });
    await clock.advance(2_000);
    await Promise.all(rounds);
    expect([factory.creates, factory.alive]).toEqual([20, 0]);
  });

  test('an idle resource that breaks does not end the process: node-postgres#2386, bytebase/dbhub#422', async () => {
    const clock = new FakeClock();
    const factory = new StrictFactory(2, { create: (n) => (n === 1 ? refuse() : undefined) });
    const failing = () => Promise.reject(new Error('already gone'));
    const pool = createPool(factory, { max: 2, createAttempts: 1, clock });
    const lease = await pool.lease();
    factory.steps.destroy = failing;
    expect(await rejection(pool.lease())).toBeDefined(); // There is no event for it, and nothing is thrown.
    await lease.destroy();
    await settle();
    await pool.use(() => {});
    expect(pool.stats()).toMatchObject({ createErrors: 1, borrowed: 0 });
  });
});

describe('idling', () => {
  const idlePool = async (options: object, count = 5) => {
    const clock = new FakeClock();
    const factory = new StrictFactory(count);
    const pool = createPool(factory, { max: count, clock, ...options });
    const leases = await Promise.all(Array.from({ length: count }, () => pool.lease()));
    for (const lease of leases) void lease.release();
    return { clock, factory, pool };
  };

  test('resources that are idle for too long are destroyed without a request, all in one sweep: node-pool#178, #200', async () => {
    const { clock, factory, pool } = await idlePool({ idleTimeoutMillis: 10_000 });
    await clock.advance(13_000);
    expect([pool.size, factory.alive]).toEqual([0, 0]);
  });

  test('below min no resource is destroyed only to be created again: node-pool#56', async () => {
    const options = { min: 5, softIdleTimeoutMillis: 1_000, maxLifetimeMillis: 3_600_000 };
    const { clock, factory, pool } = await idlePool(options);
    await clock.advance(300_000);
    expect([pool.size, factory.creates]).toEqual([5, 5]);
  });

  test('lifetimes and uses are limited, and resources created together are not destroyed together: node-pool#133, tarn#11, mysql2#4384, pgx#1437', async () => {
    let draw = 0;
    const random = (): number => (draw++ % 5) / 5;
    const { clock, factory, pool } = await idlePool({
      idleTimeoutMillis: Number.POSITIVE_INFINITY,
      maxLifetimeMillis: 1_000_000,
      random,
    });
    const draws = draw;
    const sizes = new Set<number>();
    for (let i = 0; i < 110; i++) {
      await clock.advance(10_000);
      sizes.add(pool.size);
    }
    expect(draws, 'drawn once, at the creation').toBe(5);
    expect([...sizes]).toEqual([5, 4, 3, 2, 1, 0]);
    expect(factory.alive).toBe(0);
    const once = createPool(new StrictFactory(1), { max: 1, maxUses: 1, clock });
    expect([await once.use(({ id }) => id), await once.use(({ id }) => id)]).toEqual([0, 1]);
  });

  test('resources that have left the pool leave no timer behind: Effect#8310', async () => {
    const { clock, pool } = await idlePool({ idleTimeoutMillis: 600_000 }, 50);
    const leases = await Promise.all(Array.from({ length: 50 }, () => pool.lease()));
    await Promise.all(leases.map((lease) => lease.destroy()));
    expect([pool.size, clock.pendingTimers]).toEqual([0, 0]);
  });
});

test('each caller continues in its own async context, not in that of the caller that released: node-pg-pool#108', async () => {
  const request = new AsyncLocalStorage<string>();
  const pool = createPool(new StrictFactory(1), { max: 1, clock: new FakeClock() });
  const seen = ['a', 'b', 'c'].map((id) =>
    request.run(id, async () => {
      using _lease = await pool.lease();
      await settle();
      return request.getStore();
    }),
  );
  expect(await Promise.all(seen)).toEqual(['a', 'b', 'c']);
});

test('an abort at any moment between the request and the grant leaks nothing: Effect#8390', async () => {
  for (let moment = 0; moment < 40; moment++) {
    const clock = new FakeClock();
    const after = (millis: number): Promise<void> =>
      new Promise((resolve) => clock.setTimer(() => resolve(), millis));
    const factory = new StrictFactory(1, {
      create: () => after(10),
      validate: () => after(10).then(() => true),
      reset: () => after(10),
    });
    const pool = createPool(factory, { max: 1, testOnBorrow: true, clock });
    const first = pool.use(() => after(5));
    const leaving = new AbortController();
    const left = outcomeOf(pool.use(() => {}, { signal: leaving.signal }));
    await clock.advance(moment);
    leaving.abort();
    await clock.advance(1_000);
    await first;
    expect(left().is).not.toBe('pending');
    expect(pool.stats()).toMatchObject({ size: 1, available: 1, borrowed: 0, pending: 0 });
    expect(clock.foregroundTimers).toBe(0);
  }
});
