/** generic-pool's options, compared with generic-pool itself. */
import { EventEmitter } from 'node:events';
import genericPool, { type Options } from 'generic-pool';
import { expect, test } from 'vitest';
import { createGenericPool, createPool } from '../../src/pool/index.js';

const factory = {
  create: async () => ({}),
  destroy: async () => {},
  validate: async () => true,
};

/** An event that a test can cause. */
const EVENT = 'factoryDestroyError';

const READINGS: Record<string, unknown>[] = [
  {},
  { max: 3 },
  { max: '3', min: '2' },
  { max: [], min: 'asf' },
  { min: 5, max: 3 },
  { max: 0 },
  { max: -7, min: -1 },
  { max: 2.9, min: null },
  { max: null, testOnBorrow: 'yes', fifo: 0 },
  { max: 4, idletimeoutMillis: 300_000, log: false, Promise },
  { max: Number.POSITIVE_INFINITY, min: Number.POSITIVE_INFINITY },
  { priorityRange: 5_000 },
  { priorityRange: 50_000 },
  { priorityRange: null, maxWaitingClients: null, acquireTimeoutMillis: null },
  { destroyTimeoutMillis: null, evictionRunIntervalMillis: null, numTestsPerEvictionRun: null },
  { softIdleTimeoutMillis: null, idleTimeoutMillis: null, autostart: null, fifo: null },
  { priorityRange: -1, maxWaitingClients: -1, acquireTimeoutMillis: -1 },
  { destroyTimeoutMillis: -1, evictionRunIntervalMillis: -1, numTestsPerEvictionRun: -1 },
  { softIdleTimeoutMillis: -7, idleTimeoutMillis: -1 },
  { priorityRange: {}, maxWaitingClients: [], acquireTimeoutMillis: () => {} },
];

test('limits are read as generic-pool reads them, malformed ones included', async () => {
  for (const options of READINGS) {
    const theirs = genericPool.createPool(factory, { ...options, autostart: false });
    const ours = createGenericPool(factory, { ...options, autostart: false });
    const limits = ({
      max,
      spareResourceCapacity,
    }: {
      max: number;
      spareResourceCapacity: number;
    }) => ({
      max,
      spareResourceCapacity,
    });
    expect({ options, ...limits(ours) }).toEqual({ options, ...limits(theirs) });
    expect(ours.min).toBe(Math.max(0, theirs.min));
    await ours.close();
  }
});

test("both ways of making a pool take options of generic-pool's own type", async () => {
  const options: Options = { max: 3, testOnBorrow: false };
  for (const make of [createGenericPool, createPool] as const) {
    const pool = make({ create: async () => ({}), destroy: async () => {} }, options);
    expect(pool.max).toBe(3);
    await pool.close();
  }
  const pool = createGenericPool(
    { create: async () => ({}), destroy: async () => {} },
    { max: 3, evictor: 'none' },
  );
  expect(pool.max).toBe(3);
  await pool.close();
});

test('options may be null', async () => {
  const pool = createGenericPool(factory, null);
  expect(pool.max).toBe(1);
  await pool.close();
});

test('with a negative maxWaitingClients no caller may wait, as in generic-pool', async () => {
  const pool = createGenericPool(factory, { maxWaitingClients: -1 });
  const held = await pool.acquire();
  await expect(pool.acquire()).rejects.toThrow('max waitingClients count exceeded');
  await pool.release(held);
  await pool.close();
});

/** What programs do with the pool as an event emitter. Each gives what it learned. */
const SCRIPTS: readonly ((pool: EventEmitter, heard: string[]) => unknown)[] = [
  (pool, heard) => pool.once(EVENT, () => heard.push('once')) === pool,
  (pool, heard) => pool.addListener(EVENT, () => heard.push('added')) === pool,
  (pool, heard) => {
    const twice = () => heard.push('twice');
    pool.on(EVENT, twice).on(EVENT, twice);
    const counts = [pool.listenerCount(EVENT)];
    pool.off(EVENT, twice);
    return [...counts, pool.listenerCount(EVENT)];
  },
  (pool, heard) => {
    const listener = () => heard.push('removed');
    return pool.on(EVENT, listener).removeListener(EVENT, listener) === pool;
  },
  (pool, heard) => {
    const listener = () => heard.push('once, removed');
    pool.once(EVENT, listener).off(EVENT, listener);
  },
  (pool, heard) => {
    pool.on(EVENT, () => heard.push('all removed'));
    pool.on('destroyed', () => heard.push('all removed'));
    pool.removeAllListeners(EVENT).removeAllListeners();
    return pool.eventNames();
  },
  (pool) => pool.on('no event of a pool', () => {}).eventNames(),
  (pool, heard) => {
    pool.on(EVENT, function (this: unknown) {
      heard.push(`this is the pool: ${this === pool}`);
    });
  },
  (pool) => {
    const listener = () => {};
    return pool.on(EVENT, listener).listeners(EVENT)[0] === listener;
  },
  (pool, heard) => {
    const listener = () => heard.push('once, and then always');
    pool.once(EVENT, listener).on(EVENT, listener);
  },
  (pool, heard) => {
    pool.once(EVENT, () => {
      heard.push('outer');
      pool.once(EVENT, () => heard.push('inner'));
    });
  },
];

test.each(SCRIPTS.map((script) => [String(script), script] as const))(
  'listeners are those of an event emitter: %s',
  async (_text, script) => {
    const emitter = new EventEmitter();
    const expected: string[] = [];
    const learned = script(emitter, expected);
    for (let happens = 0; happens < 3; happens++) emitter.emit(EVENT, new Error('refused'));

    const pool = createGenericPool({ ...factory, destroy: () => Promise.reject(new Error('no')) });
    const heard: string[] = [];
    expect(script(pool as unknown as EventEmitter, heard)).toEqual(learned);
    for (let happens = 0; happens < 3; happens++) await pool.destroy(await pool.acquire());
    expect(heard).toEqual(expected);
    await pool.close();
  },
);

test('without options there is one resource, no sweep, and no limit on a wait', async () => {
  const pool = createGenericPool(factory);
  const held = await pool.acquire();
  const second = pool.acquire();
  expect([pool.max, pool.pending]).toEqual([1, 1]);
  await pool.release(held);
  expect(await second).toBe(held);
  await pool.release(held);
  await pool.drain();
  await pool.clear();
  expect(pool.size).toBe(0);
});

test('a failing create is tried again as long as a caller waits', async () => {
  let tries = 0;
  const errors: unknown[] = [];
  const pool = createGenericPool({
    create: async () => {
      if (++tries <= 5) throw new Error(`refused ${tries}`);
      return { tries };
    },
    destroy: async () => {},
  });
  pool.on('factoryCreateError', (error) => errors.push(String(error)));
  const resource = await pool.acquire();
  expect([resource.tries, errors.length, errors[4]]).toEqual([6, 5, 'Error: refused 5']);
  await pool.release(resource);
  await pool.close();
});

test('use destroys a resource whose function fails, as in generic-pool', async () => {
  for (const createEither of [genericPool.createPool, createGenericPool]) {
    const destroyed: unknown[] = [];
    const pool = createEither({ ...factory, destroy: async (each) => void destroyed.push(each) });
    const used: unknown[] = [];
    const failing = pool.use(async (resource) => {
      used.push(resource);
      throw new Error('the query failed');
    });
    await expect(failing).rejects.toThrow('the query failed');
    const next = await pool.use(async (resource) => resource);
    expect(destroyed).toEqual(used);
    expect(used.includes(next)).toBe(false);
    expect([pool.size, pool.borrowed]).toEqual([1, 0]);
    await pool.drain();
    await pool.clear();
  }
});

test('a caller without a function is told so, and no resource is destroyed', async () => {
  const pool = createGenericPool(factory);
  await pool.release(await pool.acquire());
  await expect(pool.use(undefined as never)).rejects.toThrow(/`fn` must be a function/);
  expect(pool.available).toBe(1);
  await pool.close();
});

test('priorities are read as generic-pool reads them, malformed ones included', async () => {
  const given = [2, undefined, 'x', -1, 1.5, 0, 99, null, '1', Number.NaN] as (
    | number
    | undefined
  )[];
  const orders = [genericPool.createPool, createGenericPool].map(async (createEither) => {
    const pool = createEither(factory, { priorityRange: 3 });
    const held = await pool.acquire();
    const served: unknown[] = [];
    const calls = given.flatMap((priority) => [
      pool.acquire(priority).then((resource) => {
        served.push(priority);
        return pool.release(resource);
      }),
      pool.use(async () => void served.push(`used ${String(priority)}`), priority),
    ]);
    await pool.release(held);
    await Promise.all(calls);
    await pool.drain();
    await pool.clear();
    return served;
  });
  const [theirs, ours] = await Promise.all(orders);
  expect(theirs).toHaveLength(2 * given.length);
  expect(ours).toEqual(theirs);
});

test('the line of a caller is named, and not one of the pool', async () => {
  const pool = createGenericPool(factory, { acquireTimeoutMillis: 1 });
  const held = await pool.acquire();
  await expect(pool.acquire()).rejects.toThrow(/acquire\(\) .* at \S*generic-pool-options\.test/);
  await pool.release(held);
  await pool.use(async () => {
    await expect(pool.acquire()).rejects.toThrow(/use\(\) .* at \S*generic-pool-options\.test/);
  });
  await pool.close();
});

test('createPool accepts the options of generic-pool that have no effect, and refuses malformed ones', async () => {
  const pool = createPool(factory, { max: 2, log: false, Promise });
  expect(pool.max).toBe(2);
  await pool.close();
  for (const options of [{ max: 'two' }, { min: 5, max: 3 }, { idletimeoutMillis: 300_000 }]) {
    expect(() => createPool(factory, options as object)).toThrow(/createPool: /);
  }
});

test('the messages that programs search for are kept', async () => {
  const pool = createPool(factory, { max: 1, maxWaitingClients: 0, name: 'db' });
  const held = await pool.acquire();
  await expect(pool.acquire()).rejects.toMatchObject({
    message:
      'db: max waitingClients count exceeded (0). Shed load, or raise `max` or `maxWaitingClients`.',
    pool: 'db',
    maxWaitingClients: 0,
  });
  await expect(pool.release({})).rejects.toThrow(/Resource not currently part of this pool/);
  await pool.release(held);
  await pool.drain();
  await expect(pool.acquire()).rejects.toThrow(/is draining and cannot accept work/);
  await pool.close();
});

test('a soft idle timeout of 0 means none, as in generic-pool', async () => {
  const pool = createGenericPool(factory, { softIdleTimeoutMillis: 0 });
  await pool.release(await pool.acquire());
  expect(pool.available).toBe(1);
  await pool.close();
});
