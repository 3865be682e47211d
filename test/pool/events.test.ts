import { expect, expectTypeOf, test } from 'vitest';
import {
  type AcquiredResource,
  createKeyedPool,
  createPool,
  type PoolEventMap,
  type ReleasedResource,
} from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

test('creations, destructions with their reasons, and failed waits are emitted and counted', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(), { max: 2, maxWaitingClients: 1, clock });
  const heard: string[] = [];
  const note =
    <E extends keyof PoolEventMap>(event: E, say: (payload: PoolEventMap[E]) => unknown) =>
    (payload: PoolEventMap[E]) =>
      void heard.push(`${event} ${say(payload)}`);
  const id = (thing: unknown) => (thing as { id: number }).id;
  pool
    .on('created', note('created', id))
    .on(
      'destroyed',
      note('destroyed', ({ resource, reason }) => `${id(resource)} ${reason}`),
    )
    .on('detached', note('detached', id))
    .on(
      'release',
      note('release', ({ resource }) => id(resource)),
    )
    .on(
      'acquireTimeout',
      note('acquireTimeout', ({ code }) => code),
    )
    .on(
      'refused',
      note('refused', ({ code }) => code),
    );
  const first = await pool.lease();
  const second = await pool.lease();
  const waiting = outcomeOf(pool.lease({ timeoutMillis: 10 }));
  await rejection(pool.lease());
  await clock.advance(10);
  expect(waiting().is).toBe('rejected');
  await first.destroy();
  second.detach();
  await pool.close();
  expect(heard).toEqual([
    'created 0',
    'created 1',
    'refused TENURE_POOL_FULL',
    'acquireTimeout TENURE_POOL_ACQUIRE_TIMEOUT',
    'release 0',
    'destroyed 0 discarded',
    'release 1',
    'detached 1',
  ]);
  expect(pool.stats()).toMatchObject({
    created: 2,
    destroyed: 1,
    detached: 1,
    refusals: 1,
    acquireTimeouts: 1,
    loans: 2,
    waited: 3,
  });
});

test('an unknown event is refused', () => {
  const pool = createPool(new StrictFactory(), { clock: new FakeClock() });
  expect(() => pool.on('error' as 'created', () => {})).toThrow(/on: `event` must be one of/);
});

test('acquire and release tell of every loan how long it was waited for and held', async () => {
  const clock = new FakeClock();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 1, clock });
  for (let loan = 0; loan < 1_000; loan++) (await pool.lease())[Symbol.dispose]();
  const waits: number[] = [];
  const holds: number[] = [];
  const onAcquire = ({ waitMillis }: AcquiredResource) => waits.push(waitMillis);
  const onRelease = ({ holdMillis }: ReleasedResource) => holds.push(holdMillis);
  pool.on('acquire', onAcquire).on('release', onRelease);
  for (let loan = 1; loan <= 20; loan++) {
    const first = await pool.lease();
    const second = pool.acquire();
    await clock.advance(loan);
    first[Symbol.dispose]();
    const resource = await second;
    await clock.advance(2 * loan);
    await pool.release(resource);
    await clock.advance(3 * loan);
    await pool.use(() => {});
  }
  const loans = Array.from({ length: 20 }, (_, index) => index + 1);
  expect(waits).toEqual(loans.flatMap((loan) => [0, loan, 0]));
  expect(holds).toEqual(loans.flatMap((loan) => [loan, 2 * loan, 0]));
  pool.off('acquire', onAcquire);
  (await pool.lease())[Symbol.dispose]();
  await settle();
  expect([waits.length, holds.length]).toEqual([60, 61]);
  pool.off('release', onRelease);
  (await pool.lease())[Symbol.dispose]();
  await settle();
  expect([waits.length, holds.length]).toEqual([60, 61]);
  await pool.close();
});

test('a listener that is added right after the pool was made hears of the resources that it made at once', async () => {
  let made = 0;
  const create = () => {
    if (++made === 2) throw new Error('refused');
    return { id: made };
  };
  const pool = createPool({ create, destroy: () => {} }, { min: 2, clock: new FakeClock() });
  const heard: unknown[] = [];
  pool.on('created', (resource) => void heard.push(resource));
  pool.on('factoryCreateError', (error) => void heard.push((error as Error).message));
  await settle();
  expect(heard).toEqual([{ id: 1 }, 'refused']);
  await pool.close();
});

test('a listener is called when the step of the pool is complete, so it may call the pool', async () => {
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { max: 1, clock: new FakeClock() },
  );
  const seen: number[] = [];
  pool.on('release', () => {
    seen.push(pool.available);
    void pool.close({ graceMillis: 0, force: true });
  });
  (await pool.lease())[Symbol.dispose]();
  expect(seen).toEqual([]);
  await settle();
  expect([seen, pool.size]).toEqual([[1], 0]);
});

test('reasons of destruction are counted apart up to a hundred, whatever their text', async () => {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { clock: new FakeClock() });
  for (const reason of [
    'constructor',
    '__proto__',
    ...Array.from({ length: 200 }, (_, i) => `error ${i}`),
  ]) {
    await (await pool.lease()).destroy(reason);
  }
  const { destroyedBy } = pool.stats();
  expect(Object.keys(destroyedBy)).toHaveLength(101);
  expect(destroyedBy['constructor']).toBe(1);
  expect(destroyedBy['toString'], 'a reason that was never given').toBeUndefined();
  expect(Object.entries(destroyedBy).find(([reason]) => reason === '__proto__')).toEqual([
    '__proto__',
    1,
  ]);
  expect(destroyedBy['other reasons']).toBe(102);
  await pool.close();
});

test('a destroy that ends after its timeout is counted once', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(1, { destroy: () => gates.next() });
  const pool = createPool(factory, { destroyTimeoutMillis: 100, clock });
  void (await pool.lease()).destroy();
  await clock.advance(100);
  expect(pool.stats()).toMatchObject({ size: 0, destroying: 0, destroyed: 1 });
  gates.at(0).open();
  await settle();
  expect(pool.stats()).toMatchObject({ size: 0, destroying: 0, destroyed: 1 });
  await pool.close();
});

test('a creation that was told to stop reports no failure', async () => {
  const factory = new StrictFactory(1, {
    create: (_number, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
      }),
  });
  const pool = createPool(factory, { max: 1, clock: new FakeClock() });
  const errors: unknown[] = [];
  pool.on('factoryCreateError', (error) => errors.push(error));
  const abort = new AbortController();
  const asked = outcomeOf(pool.lease({ signal: abort.signal }));
  abort.abort();
  await settle();
  expect([asked().is, errors, pool.stats().createErrors]).toEqual(['rejected', [], 0]);
  await pool.close();
});

test('a listener knows the type of the resources', async () => {
  const factory = { create: () => ({ pid: 7 }), destroy: () => {} };
  const heard: number[] = [];
  const pool = createPool(factory)
    .on('created', ({ pid }) => heard.push(pid))
    .on('acquire', ({ resource }) => heard.push(resource.pid));
  const pools = createKeyedPool((_: string) => factory).on('created', ({ key, payload }) => {
    expectTypeOf(key).toBeString();
    heard.push(payload.pid);
  });
  await pool.use(() => {});
  await pools.use('a', () => {});
  expect(heard).toEqual([7, 7, 7]);
  await pool.close();
  await pools.close();
});
