/** What the messages of errors say to a person who sees nothing else: the pool, its figures, and what to do. */
import { expect, test } from 'vitest';
import { createKeyedPool, createPool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { outcomeOf, rejection } from './outcome.js';

const factory = { create: () => ({}), destroy: () => {} };

async function messageOf(call: Promise<unknown>): Promise<string> {
  return ((await rejection(call)) as Error).message;
}

test('a failed create is told with the text of its error and the number of the attempt', async () => {
  const refuse = (): never => {
    throw new Error('connect ECONNREFUSED 10.0.0.1:5432.');
  };
  const clock = new FakeClock();
  const pool = createPool({ ...factory, create: refuse }, { name: 'db', createAttempts: 2, clock });
  const waiting = outcomeOf(pool.lease());
  await clock.advance(100);
  expect(waiting()).toMatchObject({
    error: {
      message:
        'db: create() failed, attempt 2: Error: connect ECONNREFUSED 10.0.0.1:5432. See its `cause`.',
    },
  });
  await pool.close();
});

test('no message has a second full stop behind the text of an error', async () => {
  const clock = new FakeClock();
  const pool = createPool(
    { ...factory, create: () => new Promise<object>(() => {}) },
    { name: 'db', createTimeoutMillis: 10, clock },
  );
  const waiting = outcomeOf(pool.lease({ timeoutMillis: 15 }));
  await clock.advance(10);
  await clock.advance(5);
  expect(waiting()).toMatchObject({
    error: {
      code: 'TENURE_POOL_ACQUIRE_TIMEOUT',
      message: expect.stringMatching(/raise `createTimeoutMillis`\. See whether/),
    },
  });
  await pool.close({ graceMillis: 0, force: true });
});

test('a wait for the whole pool that ends by its deadline has the figures and the longest loans', async () => {
  const clock = new FakeClock();
  const pool = createPool(factory, { name: 'db', max: 2, clock });
  const lease = await pool.lease();
  const drained = outcomeOf(pool.drain({ timeoutMillis: 50 }));
  await clock.advance(50);
  expect(drained()).toMatchObject({
    error: {
      message: expect.stringMatching(
        /^db: drain\(\) did not end within 50 ms: 1 of at most 2 resources, 1 borrowed, 0 waiting\. Longest out: lease\(\) \d+ ms ago at test\/pool\/error-messages\.test\.ts:\d+:\d+\. /,
      ),
    },
  });
  void lease.release();
  await pool.close();
});

test('a wait for all keys that ends by its deadline has the figures of all keys', async () => {
  const clock = new FakeClock();
  const pools = createKeyedPool(() => factory, { name: 'shards', maxTotal: 5, clock });
  const leases = [await pools.lease('a'), await pools.lease('b')];
  const drained = outcomeOf(pools.drain({ timeoutMillis: 50 }));
  await clock.advance(50);
  expect(drained()).toMatchObject({
    error: {
      message: expect.stringMatching(
        /^shards: drain\(\) did not end within 50 ms: 2 of at most 5 resources, 2 borrowed, 0 waiting\. Longest out: lease\(\) .*, lease\(\) .*\. /,
      ),
    },
  });
  for (const lease of leases) void lease.release();
  await pools.close();
});

test('an end of a lease after detach says whose the resource is', async () => {
  const pool = createPool(factory, { name: 'db' });
  const lease = await pool.lease();
  lease.detach();
  expect(await messageOf(lease.destroy())).toMatch(
    /^db: this lease was detached already at .*, and is ended again at .*\. Its resource has left the pool: end the resource itself\.$/,
  );
  expect(() => lease.resource).toThrow(
    /^db: this lease has ended \(detached at .*\); its resource has left the pool\. Use what detach\(\) returned\.$/,
  );
  await pool.close();
});

test.each([
  [{ max: 5 }, {}, '`max` is an option, and no part of a factory'],
  [{ min: 1, max: 5 }, { max: 5 }, '`min` is an option, and no part of a factory'],
])(
  'a limit within the factory is refused, as tarn and sequelize-pool take it: %j',
  (limits, options, message) => {
    expect(() => createPool({ ...factory, ...limits }, options)).toThrow(message);
  },
);

test('a factory may know a limit that the options have', async () => {
  const limited = { ...factory, max: 5 };
  await using pool = createPool(limited, { max: limited.max });
  expect(pool.max).toBe(5);
});

test('a pool of this package in place of a factory needs no adoption', async () => {
  await using pool = createPool(factory);
  const refusal = 'this is no factory, but a pool already. Use it as it is.';
  expect(() => createPool(pool as never)).toThrow(refusal);
  await using pools = createKeyedPool(() => pool as never);
  expect(await messageOf(pools.lease('a'))).toContain(refusal);
});

test('a promise that is released in place of its resource is told what to release', async () => {
  await using pool = createPool(factory, { name: 'db' });
  const acquired = pool.acquire();
  expect(await messageOf(pool.release(acquired as never))).toBe(
    'db: Resource not currently part of this pool. Give back only what its own acquire() has resolved to.',
  );
  await pool.release(await acquired);
});

test('a number is refused by lease: it may be meant as a timeout, and not as a priority', async () => {
  await using pool = createPool(factory);
  await using pools = createKeyedPool(() => factory);
  const refusal = 'lease: options must be a plain object, got 5000.';
  expect(await messageOf(pool.lease(5_000 as never))).toBe(refusal);
  expect(await messageOf(pools.lease('a', 5_000 as never))).toBe(refusal);
});
