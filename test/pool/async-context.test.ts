import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

const flow = new AsyncLocalStorage<string>();

test('the factory is called in the async context of the pool, not in that of a request', async () => {
  const seen: string[] = [];
  const see = (what: string) => void seen.push(`${what} in ${flow.getStore()}`);
  const clock = new FakeClock();
  const pool = flow.run('the pool', () =>
    createPool(
      {
        async create() {
          see('create');
          await null;
          see('create later');
          return {};
        },
        async destroy() {
          see('destroy');
        },
        async validate() {
          see('validate');
          return true;
        },
        async reset() {
          see('reset');
        },
        isBroken() {
          see('isBroken');
          return false;
        },
      },
      { max: 1, testOnBorrow: true, idleTimeoutMillis: 1_000, clock },
    ),
  );
  pool.on('factoryDestroyError', () => see('event'));
  await flow.run('request 1', async () => {
    await using _lease = await pool.lease();
  });
  await flow.run('request 2', () => pool.use(() => see('use')));
  const failing = () => Promise.reject(new Error('no'));
  await flow.run('request 3', () => pool.use(failing).catch(() => {}));
  await flow.run('test', () => clock.advance(5_000));
  expect(seen).toEqual([
    'create in the pool',
    'create later in the pool',
    'reset in the pool',
    'validate in the pool',
    'use in request 2',
    'reset in the pool',
    'validate in the pool',
    'isBroken in the pool',
    'reset in the pool',
    'destroy in the pool',
  ]);
});

test('listeners are called in the async context of the pool', async () => {
  const seen: unknown[] = [];
  const failing = { create: () => Promise.reject(new Error('no')), destroy() {} };
  const pool = flow.run('the pool', () =>
    createPool(failing, { createAttempts: 1, clock: new FakeClock() }),
  );
  pool.on('factoryCreateError', () => seen.push(flow.getStore()));
  await flow.run('request', () => pool.lease().catch(() => {}));
  expect(seen).toEqual(['the pool']);
});

test('a waiter continues in its own async context, not in that of the caller that released', async () => {
  const pool = createPool({ create: () => ({}), destroy() {} }, { max: 1, clock: new FakeClock() });
  const lease = await flow.run('holder', () => pool.lease());
  const seen: unknown[] = [];
  const waiting = [1, 2].map((number) =>
    flow.run(`waiter ${number}`, async () => {
      using _lease = await pool.lease();
      seen.push(flow.getStore());
    }),
  );
  const used = flow.run('user', () => pool.use(() => seen.push(flow.getStore())));
  flow.run('holder', () => void lease.release());
  await Promise.all([...waiting, used]);
  expect(seen).toEqual(['waiter 1', 'waiter 2', 'user']);
});

test('background work keeps the store of no request alive', async () => {
  const store = new AsyncLocalStorage<object>();
  const clock = new FakeClock();
  const pool = createPool({ create: async () => ({}), destroy() {} }, { max: 1, min: 1, clock });
  const ref = await (async () => {
    const request = { id: 1 };
    await store.run(request, async () => {
      (await pool.lease())[Symbol.dispose]();
    });
    return new WeakRef(request);
  })();
  await settle();
  await collectGarbage();
  expect(ref.deref()).toBeUndefined();
  expect(clock.pendingTimers).toBe(1);
});
