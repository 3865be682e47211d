/** What a keyed pool does for all keys at once, and how it names them. */
import { expect, test, vi } from 'vitest';
import {
  createKeyedPool,
  createPool,
  type Factory,
  type KeyedPoolOptions,
  type Pool,
} from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';

interface Thing {
  readonly key: unknown;
  readonly id: number;
}

function open<K = string>(options: KeyedPoolOptions<K> = {}) {
  const clock = new FakeClock();
  const destroyed: [unknown, string][] = [];
  let ids = 0;
  const pools = createKeyedPool<K, Thing>(
    (key) => ({
      create: () => ({ key, id: ++ids }),
      destroy: (thing, reason) => void destroyed.push([thing.key, reason]),
    }),
    { clock, name: 'shard', ...options },
  );
  return { clock, pools, destroyed };
}

test('invalidate replaces the resources of all keys, and waits for those that are out', async () => {
  const { pools, destroyed } = open();
  const lease = await pools.lease('a');
  await pools.use('b', () => {});
  const invalidated = outcomeOf(pools.invalidate());
  await settle();
  expect(destroyed).toEqual([['b', 'invalidated']]);
  expect(invalidated().is).toBe('pending');
  void lease.release();
  await settle();
  expect(invalidated().is).toBe('resolved');
  expect(destroyed).toEqual([
    ['b', 'invalidated'],
    ['a', 'invalidated'],
  ]);
  await pools.close();
});

test('a wait for all keys ends at its deadline or by its signal', async () => {
  const { pools, clock } = open();
  const lease = await pools.lease('a');
  await pools.use('b', () => {});
  const late = outcomeOf(pools.invalidate({ timeoutMillis: 50 }));
  const left = new AbortController();
  const abandoned = outcomeOf(pools.drain({ signal: left.signal }));
  left.abort(new Error('left'));
  await clock.advance(50);
  expect(late()).toMatchObject({ is: 'rejected', error: { code: 'TENURE_POOL_DEADLINE' } });
  expect(abandoned()).toMatchObject({ is: 'rejected', error: { message: 'left' } });
  void lease.release();
  await pools.close();
});

test('a wait for all keys has one deadline, however many keys are late', async () => {
  const { pools, clock } = open();
  const leases = [await pools.lease('a'), await pools.lease('b')];
  const late = [pools.invalidate({ timeoutMillis: 50 }), pools.drain({ timeoutMillis: 50 })];
  const ends = late.map(outcomeOf);
  await clock.advance(50);
  for (const end of ends) {
    expect(end()).toMatchObject({
      is: 'rejected',
      error: { code: 'TENURE_POOL_DEADLINE', message: expect.stringMatching(/^shard: /) },
    });
  }
  for (const lease of leases) void lease.release();
  await pools.close();
});

test('a malformed deadline is refused before any key has one', async () => {
  const { pools } = open();
  for (const wait of [pools.invalidate, pools.drain]) {
    const refused = await rejection(wait.call(pools, { timeoutMillis: -1 }));
    expect(refused).toMatchObject({ code: 'TENURE_INVALID_ARGUMENT' });
  }
  await pools.use('a', () => {});
  await pools.close();
});

test('drain serves the waiters, refuses later callers of any key, and settles when all is back', async () => {
  const { pools } = open({ max: 1 });
  const lease = await pools.lease('a');
  const waiting = pools.lease('a');
  const drained = outcomeOf(pools.drain());
  for (const key of ['a', 'new']) {
    expect(await rejection(pools.lease(key))).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
    expect(() => pools.tryLease(key)).toThrow('draining');
  }
  void lease.release();
  void (await waiting).release();
  await settle();
  expect(drained().is).toBe('resolved');
  await pools.close();
  expect(() => pools.tryLease('new')).toThrow('closed');
  expect(() => pools.pool('new')).toThrow('closed');
  expect(pools.pool('a').size).toBe(0);
});

test('resize changes present and later keys, and destroys what is beyond the new limits', async () => {
  const { pools, destroyed } = open();
  const held = [await pools.lease('a'), await pools.lease('a')];
  for (const key of ['b', 'c']) await pools.use(key, () => {});
  pools.resize({ max: 1, maxTotal: 1 });
  await settle();
  expect(destroyed).toEqual([
    ['b', 'resize'],
    ['c', 'resize'],
  ]);
  expect(pools.stats()).toMatchObject({ size: 2, borrowed: 2, available: 0 });
  void held[0]?.release();
  await settle();
  expect(pools.stats()).toMatchObject({ size: 1, borrowed: 1 });
  void held[1]?.release();
  expect(pools.stats()).toMatchObject({ size: 1, available: 1 });
  const next = pools.lease('d');
  await settle();
  expect([pools.stats().size, pools.pool('d').max]).toEqual([1, 1]);
  void (await next).release();
  pools.resize({ maxTotal: Number.POSITIVE_INFINITY });
  const both = [await pools.lease('a'), await pools.lease('d')];
  for (const lease of both) void lease.release();
  await pools.close();
});

test('resize leaves a key the limits of its own that it does not change', async () => {
  const { pools } = open({ max: 2 });
  const { own, other } = { own: pools.pool('own'), other: pools.pool('other') };
  own.resize({ min: 3, max: 20 });
  pools.resize({ maxTotal: 30 });
  expect([own.min, own.max, other.min, other.max]).toEqual([3, 20, 0, 2]);
  pools.resize({ min: 1 });
  expect([own.min, own.max, other.min, other.max]).toEqual([1, 20, 1, 2]);
  own.resize({ min: 4, max: 4 });
  pools.resize({ max: 3 });
  expect([own.min, own.max, other.min, other.max]).toEqual([3, 3, 1, 3]);
  own.resize({ min: 0, max: 1 });
  pools.resize({ min: 2 });
  expect([own.min, own.max, other.min, other.max]).toEqual([2, 2, 2, 3]);
  await pools.close();
});

test.each([{ max: 0 }, { maxTotal: 0 }, { min: 3, max: 2 }, { maxTotals: 1 }])(
  'resize refuses %j and changes nothing',
  async (limits) => {
    const { pools } = open({ max: 4 });
    expect(() => pools.resize(limits)).toThrow('resize');
    expect(pools.pool('a').max).toBe(4);
    await pools.close();
  },
);

test('pause and resume hold and serve the callers of all keys, new ones too', async () => {
  const { pools } = open({ min: 1 });
  await pools.use('a', () => {});
  pools.pause();
  const asked = [outcomeOf(pools.lease('a')), outcomeOf(pools.lease('new'))];
  await settle();
  expect(asked.map((outcome) => outcome().is)).toEqual(['pending', 'pending']);
  expect(pools.stats()).toMatchObject({ created: 1, pending: 2 });
  pools.resume();
  await settle();
  expect(asked.map((outcome) => outcome().is)).toEqual(['resolved', 'resolved']);
  await pools.close({ graceMillis: 0, force: true });
});

test('evict chooses by resource and key', async () => {
  const { pools, destroyed } = open();
  for (const key of ['a', 'b']) await pools.use(key, () => {});
  expect(pools.evict((thing, key) => key === 'b' && thing.id === 2)).toBe(1);
  expect(destroyed).toEqual([['b', 'evicted']]);
  await pools.close();
});

test('evict hands its reason to `destroy`, also after close', async () => {
  const { pools, destroyed } = open();
  const lease = await pools.lease('a');
  await pools.use('b', () => {});
  expect(pools.evict((thing) => thing.key === 'b', 'broken')).toBe(1);
  await rejection(pools.close({ graceMillis: 0 }));
  expect(pools.evict(() => true, 'broken')).toBe(1);
  void lease.release();
  await settle();
  expect(destroyed).toEqual([
    ['b', 'broken'],
    ['a', 'close'],
  ]);
  expect(() => pools.evict(() => true, 1 as never)).toThrow('evict: `reason`');
});

test('loans come with their keys, longest first', async () => {
  const { pools, clock } = open();
  await pools.lease('a');
  await clock.advance(2_000);
  await pools.lease('b');
  expect(pools.loans().map(({ key, takenBy }) => [key, takenBy])).toEqual([
    ['a', 'lease'],
    ['b', 'lease'],
  ]);
  await pools.close({ graceMillis: 0, force: true });
});

test('stats count resources that are being validated or reset', async () => {
  const inspect = () => new Promise<boolean>(() => {});
  const things = { create: () => ({}), destroy: () => {}, validate: inspect };
  const pools = createKeyedPool(
    (key: string) => (key === 'b' ? { ...things, reset: inspect } : things),
    { testOnBorrow: true, clock: new FakeClock() },
  );
  for (const key of ['a', 'b']) await pools.use(key, () => {});
  void outcomeOf(pools.lease('a'));
  await settle();
  expect(pools.stats()).toMatchObject({ size: 2, available: 0, validating: 1, resetting: 1 });
  await pools.close({ graceMillis: 0 });
});

test('totals never fall, also when empty keys are forgotten', async () => {
  const { pools, clock } = open({ idleTimeoutMillis: 1_000 });
  for (let key = 0; key < 10; key++) await pools.use(`k${key}`, () => {});
  await clock.advance(10_000);
  for (let key = 10; key < 40; key++) {
    await pools.use(`k${key}`, () => {});
    expect(pools.stats()).toMatchObject({ loans: key + 1, created: key + 1 });
    await clock.advance(3_000);
  }
  expect(pools.keys().length).toBeLessThan(40);
  await pools.close();
});

test('a pool that was held while its key was forgotten says so', async () => {
  const { pools, clock } = open({ idleTimeoutMillis: 1_000 });
  const held = pools.pool('held');
  for (let key = 0; key < 20; key++) pools.pool(`k${key}`);
  await clock.advance(10_000);
  expect(await rejection(held.lease())).toMatchObject({
    code: 'TENURE_POOL_CLOSED',
    message: expect.stringContaining(
      "shard/held was empty and is forgotten. Ask the keyed pool's `pool(key)`",
    ),
  });
  await pools.close();
});

test('a factory function that asks for its own key gets the same pool', async () => {
  let own: Pool<object> | undefined;
  let asked = 0;
  const pools = createKeyedPool<string, object>((key) => {
    if (asked++ === 0) own = pools.pool(key);
    return { create: () => ({}), destroy: () => {} };
  });
  const pool = pools.pool('a');
  expect([own === pool, pools.pool('a') === pool]).toEqual([true, true]);
  expect(pools.keys()).toEqual(['a']);
  await pools.close();
});

test('close settles when all keys are closed, and tells all that could not be', async () => {
  const { pools } = open();
  const leases = [await pools.lease('a'), await pools.lease('b')];
  const error = (await rejection(pools.close({ graceMillis: 0 }))) as AggregateError;
  expect(error.errors.map(({ code }: { code: string }) => code)).toEqual([
    'TENURE_POOL_LEASES_OUT',
    'TENURE_POOL_LEASES_OUT',
  ]);
  for (const lease of leases) void lease.release();
  await pools.close();
  expect(pools.stats().size).toBe(0);
});

test.each<[unknown, string]>([
  ['postgres://app:s3cret@db/x', 'shard/postgres://app:***@db/x'],
  [new URL('redis://:s3cret@cache:6379'), 'shard/redis://:***@cache:6379'],
  ['tenant-7', 'shard/tenant-7'],
  [7, 'shard/7'],
  [Symbol('s'), 'shard/Symbol(s)'],
  [{ password: 's3cret' }, 'shard/#1'],
  [Object.create(null), 'shard/#1'],
  ['x'.repeat(200), `shard/${'x'.repeat(100)}…`],
  ['a\u001b[2J\r\nb\u202e', 'shard/a\\u001b[2J\\u000d\\u000ab\\u202e'],
])(
  'the name of the key %o hides what may be secret, and forges no line of a log',
  async (key, name) => {
    const { pools } = open<unknown>();
    expect(pools.pool(key).name).toBe(name);
    await pools.close();
  },
);

test('`keyLabel` names keys; one that throws or answers with no text costs the name only', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const labels: unknown[] = ['tenant', 5, new Error('broken')];
  const { pools } = open({
    keyLabel: () => {
      const label = labels.shift();
      if (label instanceof Error) throw label;
      return label as string;
    },
  });
  expect(['a', 'b', 'c'].map((key) => pools.pool(key).name)).toEqual([
    'shard/tenant',
    'shard/#1',
    'shard/#2',
  ]);
  expect(printed).toHaveBeenCalledTimes(1);
  printed.mockRestore();
  await pools.close();
});

test('no text of a name, an error or a hint forges a line of a log', async () => {
  const clock = new FakeClock();
  const forged = 'x\u001b[2J\r\nall is well\u2028\u0007';
  const create = () => Promise.reject(new Error(forged));
  const options = { name: forged, max: 1, clock };
  const failing = createPool({ create, destroy: () => {} }, { ...options, createAttempts: 100 });
  const full = createPool({ create: () => ({}), destroy: () => {} }, options);
  const lease = await full.lease();
  lease.touch(forged);
  const asked = [
    outcomeOf(failing.lease({ timeoutMillis: 100 })),
    outcomeOf(full.lease({ timeoutMillis: 100 })),
    outcomeOf(full.close({ graceMillis: 200 })),
    outcomeOf(full.lease()),
  ];
  await clock.advance(1_000);
  void lease.release();
  const errors = [await rejection(Promise.resolve().then(() => lease.release()))];
  for (const outcome of asked) errors.push((outcome() as { error: unknown }).error);
  for (const error of errors) {
    const { message } = error as Error;
    expect(message).toContain('x\\u001b[2J\\u000d\\u000aall is well\\u2028\\u0007');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(message).not.toMatch(/[\u0000-\u001f\u2028]/);
  }
  await failing.close();
});

test('a secret in a failing factory reaches no error message of a caller', async () => {
  const { clock } = open();
  const pools = createKeyedPool<string, object>(
    (key) => ({
      create: () => Promise.reject(new Error(`cannot connect to ${key}`)),
      destroy: () => {},
    }),
    { clock, acquireTimeoutMillis: 100, createAttempts: 100 },
  );
  const asked = outcomeOf(pools.lease('postgres://app:s3cret@db/x'));
  await clock.advance(200);
  const outcome = asked() as { error: Error };
  expect(outcome.error.message).toContain('app:***@db');
  expect(outcome.error.message).not.toContain('s3cret');
  await pools.close();
});

test('borrowed resources beyond a smaller maxTotal are destroyed when they come back', async () => {
  const { pools, destroyed } = open();
  const leases = [await pools.lease('a'), await pools.lease('b'), await pools.lease('c')];
  pools.resize({ maxTotal: 1 });
  for (const lease of leases) void lease.release();
  await settle();
  expect(destroyed).toEqual([
    ['a', 'resize'],
    ['b', 'resize'],
  ]);
  await pools.close();
});

test('a destruction that hangs costs no resource below a smaller maxTotal', async () => {
  const clock = new FakeClock();
  const pools = createKeyedPool((_key: string) => ({ create: () => ({}), destroy: never }), {
    clock,
  });
  const leases = await Promise.all(['a', 'a', 'b', 'b'].map((key) => pools.lease(key)));
  pools.resize({ maxTotal: 2 });
  for (const lease of leases.splice(0, 2)) void lease.release();
  await clock.advance(200);
  expect(pools.stats()).toMatchObject({ borrowed: 2, destroying: 2 });
  pools.resize({ maxTotal: 2 });
  for (const lease of leases) void lease.release();
  expect(pools.stats()).toMatchObject({ available: 2, destroying: 2 });
  const closed = pools.close();
  await clock.advance(20_000);
  await closed;
});

/** Ways in which a key may hold the only resource, or the place of one. */
const occupations: [string, Partial<Factory<Thing>>, (pool: Pool<Thing>) => unknown][] = [
  ['creation', { create: never }, leaseWithoutEnd],
  [
    'validation',
    { validate: never },
    async (pool) => {
      await pool.use(() => {});
      leaseWithoutEnd(pool);
    },
  ],
  ['reset', { reset: never }, (pool) => pool.use(() => {})],
  ['destruction', { destroy: never }, (pool) => pool.lease()],
  ['loan', {}, (pool) => pool.lease()],
];

function never(): Promise<never> {
  return new Promise(() => {});
}

function leaseWithoutEnd(pool: Pool<Thing>): void {
  pool.lease().catch(() => {});
}

test.each(occupations)(
  'a forced close of a key whose %s does not end makes room for the other keys',
  async (_what, hanging, occupy) => {
    const clock = new FakeClock();
    const pools = createKeyedPool<string, Thing>(
      (key) => ({
        create: () => ({ key, id: 1 }),
        validate: () => true,
        destroy: () => {},
        ...(key === 'stuck' && hanging),
      }),
      { clock, maxTotal: 1, testOnBorrow: true, destroyTimeoutMillis: 100 },
    );
    void occupy(pools.pool('stuck'));
    await settle();
    const waiting = outcomeOf(pools.lease('other'));
    await settle();
    expect(waiting().is).toBe('pending');
    const closed = outcomeOf(pools.pool('stuck').close({ force: true, graceMillis: 10 }));
    await clock.advance(10);
    await clock.advance(100);
    expect([closed().is, waiting().is]).toEqual(['resolved', 'resolved']);
    await pools.close({ force: true, graceMillis: 0 });
  },
);
