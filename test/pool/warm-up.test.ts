import { expect, test } from 'vitest';
import { createKeyedPool, createPool } from '../../src/pool/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

test('warmUp settles when that many resources exist, and no sooner', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(5, { create: () => gates.next() });
  const pool = createPool(factory, { max: 5, maxConcurrentCreates: 2, clock: new FakeClock() });
  const warm = outcomeOf(pool.warmUp(3));
  for (let opened = 0; opened < 3; opened++) {
    await settle();
    expect([warm().is, pool.size]).toEqual(['pending', Math.min(3, opened + 2)]);
    gates.at(opened).open();
  }
  await settle();
  expect([warm().is, pool.available, factory.creates]).toEqual(['resolved', 3, 3]);
  await pool.warmUp(2);
  expect(factory.creates).toBe(3);
  await pool.close();
});

test('resources of warmUp are not kept warm: only min keeps resources', async () => {
  const clock = new FakeClock();
  const pool = createPool(new StrictFactory(), {
    min: 1,
    max: 4,
    idleTimeoutMillis: 5_000,
    clock,
  });
  await pool.warmUp();
  expect(pool.available).toBe(4);
  await clock.advance(10_000);
  expect(pool.available).toBe(1);
  await pool.close();
});

test('warmUp rejects when a creation fails, and refuses malformed counts', async () => {
  const refused = new Error('refused');
  const factory = new StrictFactory(3, { create: () => Promise.reject(refused) });
  const pool = createPool(factory, { max: 3, clock: new FakeClock() });
  expect(await rejection(pool.warmUp(2))).toMatchObject({
    code: 'TENURE_POOL_CREATE',
    cause: refused,
  });
  for (const count of [0, 1.5, Number.POSITIVE_INFINITY]) {
    expect(() => pool.warmUp(count)).toThrow(/warmUp: `count` must be an integer/);
  }
  await pool.close();
  expect(await rejection(pool.warmUp(1))).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
});

test('warmUp of more than `max` rejects, creates nothing, and succeeds after a resize', async () => {
  const factory = new StrictFactory(5);
  const pool = createPool(factory, { max: 3, clock: new FakeClock() });
  expect(await rejection(pool.warmUp(4))).toMatchObject({
    code: 'TENURE_POOL_WARM_UP',
    message: expect.stringContaining('`max` is 3 now'),
  });
  expect([pool.size, factory.creates]).toEqual([0, 0]);
  pool.resize({ max: 5 });
  await pool.warmUp(4);
  expect(pool.available).toBe(4);
  await pool.close();
});

test('ten thousand resources that are created synchronously do not overflow the stack', async () => {
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { min: 5_000, max: 10_000, clock: new FakeClock() },
  );
  await pool.warmUp();
  expect(pool.available).toBe(10_000);
  pool.resize({ min: 0, max: 1 });
  await settle();
  expect(pool.size).toBe(1);
  await pool.close();
});

test('a warm-up that has failed is not carried on', async () => {
  const clock = new FakeClock();
  let isDown = true;
  const factory = new StrictFactory(3, {
    create: () => {
      if (isDown) throw new Error('down');
    },
  });
  const pool = createPool(factory, { min: 1, max: 3, clock });
  await rejection(pool.warmUp(3));
  isDown = false;
  await clock.advance(60_000);
  expect([pool.available, clock.foregroundTimers]).toEqual([1, 0]);
  await pool.close();
});

test('a resize below its count ends warmUp: coopernurse/node-pool#268', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(10, { create: () => gates.next() });
  const pool = createPool(factory, { max: 10, maxConcurrentCreates: 1, clock: new FakeClock() });
  const warm = outcomeOf(pool.warmUp(8));
  pool.resize({ max: 3 });
  await settle();
  expect(warm()).toMatchObject({
    error: { code: 'TENURE_POOL_WARM_UP', message: expect.stringContaining('`max` is 3') },
  });
  gates.at(0).open();
  await settle();
  expect(factory.creates).toBe(1);
  await pool.close();
});

test('ready follows `min` through a resize', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(10, { create: () => gates.next() });
  const pool = createPool(factory, {
    min: 3,
    max: 5,
    maxConcurrentCreates: 1,
    clock: new FakeClock(),
  });
  const ready = outcomeOf(pool.ready());
  pool.resize({ min: 1, max: 2 });
  gates.at(0).open();
  await settle();
  expect([ready().is, pool.available]).toEqual(['resolved', 1]);
  await pool.close();
});

test('resources that leave after a warmUp are not created again: redis/jedis#2064', async () => {
  const clock = new FakeClock();
  const factory = new StrictFactory(10);
  const pool = createPool(factory, { max: 10, idleTimeoutMillis: 1_000, clock });
  await pool.warmUp(10);
  await clock.advance(60_000);
  expect([pool.size, factory.creates]).toEqual([0, 10]);
  await pool.close();
});

test('in a keyed pool, warmUp creates up to `maxTotal`, and more than that is refused', async () => {
  const pools = createKeyedPool(() => new StrictFactory(10), {
    max: 10,
    maxTotal: 3,
    clock: new FakeClock(),
  });
  const pool = pools.pool('a');
  await pool.warmUp();
  expect(pool.available).toBe(3);
  expect(await rejection(pool.warmUp(4))).toMatchObject({
    code: 'TENURE_POOL_WARM_UP',
    message: expect.stringContaining('`maxTotal` is 3 now'),
  });
  await pools.close();
});

test('a resize of `maxTotal` below its count ends warmUp', async () => {
  const gates = new Gates();
  const pools = createKeyedPool(() => new StrictFactory(10, { create: () => gates.next() }), {
    max: 10,
    maxTotal: 10,
    maxConcurrentCreates: 1,
    clock: new FakeClock(),
  });
  const warm = outcomeOf(pools.pool('a').warmUp(8));
  const fewer = outcomeOf(pools.pool('a').warmUp(1));
  pools.resize({ maxTotal: 3 });
  gates.at(0).open();
  await settle();
  expect(warm()).toMatchObject({
    error: { code: 'TENURE_POOL_WARM_UP', message: expect.stringContaining('`maxTotal` is 3') },
  });
  expect(fewer().is).toBe('resolved');
  await pools.close();
});

test('ready of a key whose `min` is above `maxTotal` rejects, also when a resize made it so', async () => {
  const options = { max: 10, min: 5, clock: new FakeClock() };
  const pools = createKeyedPool(() => new StrictFactory(10), { ...options, maxTotal: 3 });
  const impossible = {
    code: 'TENURE_POOL_WARM_UP',
    message: expect.stringContaining('5 resources'),
  };
  expect(await rejection(pools.pool('a').ready())).toMatchObject(impossible);
  pools.resize({ maxTotal: 6 });
  await pools.pool('a').ready();
  const late = outcomeOf(pools.pool('b').ready());
  pools.resize({ maxTotal: 4 });
  await settle();
  expect(late()).toMatchObject({ error: impossible });
  await pools.close();
});

test('warmUp that other keys leave no place for ends by its deadline or signal', async () => {
  const clock = new FakeClock();
  const pools = createKeyedPool(() => new StrictFactory(10), { max: 10, maxTotal: 2, clock });
  const held = [await pools.lease('a'), await pools.lease('a')];
  const late = outcomeOf(pools.pool('b').warmUp(1, { timeoutMillis: 100 }));
  const left = new AbortController();
  const abandoned = outcomeOf(pools.pool('b').warmUp(1, { signal: left.signal }));
  left.abort(new Error('left'));
  await clock.advance(100);
  expect(late()).toMatchObject({ error: { code: 'TENURE_POOL_DEADLINE' } });
  expect(abandoned()).toMatchObject({ error: { message: 'left' } });
  for (const lease of held) void lease.destroy();
  await settle();
  expect(pools.pool('b').size).toBe(0);
  await pools.close();
});

test.each(['ready', 'drain', 'clear', 'invalidate'] as const)(
  '%s ends by its deadline or signal',
  async (method) => {
    const clock = new FakeClock();
    const pool = createPool(
      { create: () => new Promise<object>(() => {}), destroy: () => {} },
      { min: 1, createTimeoutMillis: 60_000, acquireTimeoutMillis: 60_000, clock },
    );
    pool.lease().catch(() => {});
    const left = new AbortController();
    const abandoned = outcomeOf(pool[method]({ signal: left.signal }));
    const late = outcomeOf(pool[method]({ timeoutMillis: 100 }));
    left.abort(new Error('left'));
    await clock.advance(100);
    expect(late()).toMatchObject({
      error: { code: 'TENURE_POOL_DEADLINE', message: expect.stringContaining(`${method}()`) },
    });
    expect(abandoned()).toMatchObject({ error: { message: 'left' } });
    expect(() => pool[method]({ timeoutMilis: 5 } as never)).toThrow('unknown option');
    await pool.close({ graceMillis: 0, force: true });
  },
);

/** A pool of up to five resources, which are created when their gates are opened: by default, one after the other. */
function gatedPool(maxConcurrentCreates = 1) {
  const gates = new Gates();
  const factory = new StrictFactory(5, { create: () => gates.next() });
  const clock = new FakeClock();
  const pool = createPool(factory, { max: 5, maxConcurrentCreates, clock });
  return { pool, factory, gates, clock };
}

test('two callers of warmUp share the resources', async () => {
  const { pool, factory, gates } = gatedPool(5);
  const both = [outcomeOf(pool.warmUp(2)), outcomeOf(pool.warmUp(3))];
  for (let gate = 0; gate < 5; gate++) gates.at(gate).open();
  await settle();
  expect(both.map((outcome) => outcome().is)).toEqual(['resolved', 'resolved']);
  expect(factory.creates).toBe(3);
  await pool.close();
});

test('nothing is created for a caller of warmUp that has left', async () => {
  const { pool, factory, gates } = gatedPool();
  const abort = new AbortController();
  const left = outcomeOf(pool.warmUp(3, { signal: abort.signal }));
  abort.abort();
  for (let gate = 0; gate < 5; gate++) gates.at(gate).open();
  await settle();
  expect([left().is, factory.creates]).toEqual(['rejected', 1]);
  await pool.close();
});

test('a resize to the count of warmUp does not end it', async () => {
  const { pool, gates } = gatedPool();
  const warm = outcomeOf(pool.warmUp(3));
  pool.resize({ max: 3 });
  for (let gate = 0; gate < 3; gate++) gates.at(gate).open();
  await settle();
  expect([warm().is, pool.available]).toEqual(['resolved', 3]);
  await pool.close();
});

test('a wait that has ended in time leaves no timer', async () => {
  const { pool, gates, clock } = gatedPool();
  gates.at(0).open();
  await pool.warmUp(1, { timeoutMillis: 10_000 });
  expect(clock.foregroundTimers).toBe(0);
  await pool.close();
});

test('a pool is not kept in memory by a caller of warmUp that has left by its signal', async () => {
  const factories: WeakRef<object>[] = [];
  await (async () => {
    const factory = { create: () => ({}), destroy: () => {} };
    factories.push(new WeakRef(factory));
    const pool = createPool(factory);
    pool.pause();
    const caller = new AbortController();
    const left = rejection(pool.warmUp(1, { signal: caller.signal }));
    caller.abort();
    expect(await left).toBe(caller.signal.reason);
  })();
  await collectGarbage();
  expect(factories[0]?.deref()).toBeUndefined();
});
