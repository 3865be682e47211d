/** Errors that the factory explains: which resource is broken, and when the server is full. */
import { expect, test, vi } from 'vitest';
import { createPool, type Factory, type PoolOptions } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate, Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory, type Thing } from './strict-factory.js';

class ReadOnly extends Error {
  readonly code = '25006';
}

const isBroken: Factory<Thing>['isBroken'] = (error) => error instanceof ReadOnly;

function open(
  extra: Partial<Factory<Thing>>,
  options: PoolOptions = {},
  strict = new StrictFactory(),
) {
  const clock = new FakeClock();
  const factory = Object.assign(strict, extra);
  return { clock, factory, pool: createPool(factory, { clock, random: () => 0, ...options }) };
}

test('use: a resource with an error that shows it broken is not lent again: HikariCP#1960, gpustack/gpustack#6107', async () => {
  const { pool, factory } = open({ isBroken });
  const failing = pool.use(() => Promise.reject(new ReadOnly('cannot execute INSERT')));
  expect(await rejection(failing)).toBeInstanceOf(ReadOnly);
  await expect(pool.use(() => Promise.reject(new Error('of the user')))).rejects.toThrow(
    'of the user',
  );
  expect(await pool.use((thing) => thing.id)).toBe(1);
  expect(factory.destroyed).toEqual(['0 broken']);
  expect(pool.stats().destroyedBy).toEqual({ broken: 1 });
  await pool.close();
});

test('lease.reportError: the resource is destroyed when it comes back, and no later lease is concerned', async () => {
  const { pool, factory } = open({ isBroken });
  const lease = await pool.lease();
  lease.reportError(new Error('harmless'));
  lease.reportError(new ReadOnly('x'));
  expect(lease.resource.id).toBe(0);
  await lease.release();
  await settle();
  expect(factory.destroyed).toEqual(['0 broken']);
  const last = await pool.lease();
  await last.release();
  const next = await pool.lease();
  for (const ended of [lease, last]) ended.reportError(new ReadOnly('late'));
  await next.release();
  expect(pool.available).toBe(1);
  await pool.close();
});

test('isBroken gets the error and the resource', async () => {
  const asked: unknown[] = [];
  const { pool } = open({
    isBroken(error, resource) {
      asked.push([this === undefined, error, resource.id]);
      return false;
    },
  });
  const error = new Error('x');
  await rejection(pool.use(() => Promise.reject(error)));
  expect(asked).toEqual([[false, error, 0]]);
  await pool.close();
});

/** A server that takes `most` connections from all processes together. */
function fullServer(most: number) {
  const server = { connections: 0, refusals: 0, most };
  const factory: Factory<object> = {
    create: async () => {
      if (server.connections >= server.most) {
        server.refusals++;
        throw Object.assign(new Error('too many clients'), { code: '53300' });
      }
      server.connections++;
      return {};
    },
    destroy: () => void server.connections--,
    isFull: (error) => (error as { code?: string }).code === '53300',
  };
  return { server, factory };
}

test('a full server rejects no caller: callers wait for a resource to come back', async () => {
  const { server, factory } = fullServer(2);
  const clock = new FakeClock();
  const pool = createPool(factory, { max: 10, createAttempts: 1, clock, random: () => 0 });
  const leases = [await pool.lease(), await pool.lease()];
  const waiting = [1, 2, 3].map(() => outcomeOf(pool.lease({ timeoutMillis: 5_000 })));
  await clock.advance(1_000);
  expect(waiting.map((outcome) => outcome().is)).toEqual(['pending', 'pending', 'pending']);
  for (const lease of leases) void lease.release();
  await settle();
  expect(waiting.map((outcome) => outcome().is)).toEqual(['resolved', 'resolved', 'pending']);
  server.most = 3;
  await clock.advance(4_000);
  expect(waiting[2]?.().is).toBe('resolved');
  expect(pool.stats()).toMatchObject({ createErrors: 0, borrowed: 3 });
  expect(pool.stats().capacityErrors).toBe(server.refusals);
  await pool.close({ graceMillis: 0, force: true });
});

test('adaptiveMax halves the limit when the server is full, lets it grow by one at a time, and asks the server seldom', async () => {
  const { server, factory } = fullServer(6);
  const clock = new FakeClock();
  const options = { recoverMillis: 1_000, floor: 2 };
  const pool = createPool(factory, { max: 20, adaptiveMax: options, clock, random: () => 0 });
  const leases = await Promise.all(Array.from({ length: 6 }, () => pool.lease()));
  const more = outcomeOf(pool.lease({ timeoutMillis: 60_000 }));
  await clock.advance(0);
  expect(pool.stats()).toMatchObject({ max: 20, effectiveMax: 3, capacityErrors: 1 });
  for (const lease of leases) void lease.release();
  await settle();
  expect(more().is).toBe('resolved');
  expect(pool.size).toBe(3);
  await clock.advance(2_000);
  expect(pool.stats().effectiveMax).toBe(5);
  await clock.advance(30_000);
  expect(pool.stats().effectiveMax).toBe(20);
  expect(server.refusals).toBe(1);
  await pool.close({ graceMillis: 0, force: true });
});

test.each([5, 'yes', { floor: 0 }, { floor: 11 }, { recoverMillis: 0 }, { floors: 1 }])(
  'adaptiveMax: %j is refused',
  (adaptiveMax) => {
    expect(() => open({}, { adaptiveMax: adaptiveMax as never })).toThrow('adaptiveMax');
  },
);

test('adaptiveMax does not fall below its floor', async () => {
  const { factory } = fullServer(2);
  const clock = new FakeClock();
  const pool = createPool(factory, { max: 9, adaptiveMax: { floor: 2 }, clock });
  await Promise.all([pool.lease(), pool.lease()]);
  void outcomeOf(pool.lease());
  await settle();
  expect(pool.stats()).toMatchObject({ effectiveMax: 2, capacityErrors: 1 });
  await pool.close({ graceMillis: 0, force: true });
});

test('adaptiveMax falls to 1 if it is given no floor', async () => {
  const { factory } = fullServer(1);
  const clock = new FakeClock();
  const adaptiveMax = { recoverMillis: 1_000 };
  const pool = createPool(factory, { max: 9, adaptiveMax, clock });
  await pool.lease();
  void outcomeOf(pool.lease());
  await settle();
  expect(pool.stats()).toMatchObject({ effectiveMax: 1, capacityErrors: 1 });
  await pool.close({ graceMillis: 0, force: true });
});

test('adaptiveMax halves the limit once for creations that ran at the same time', async () => {
  const { factory } = fullServer(6);
  const clock = new FakeClock();
  const pool = createPool(factory, { max: 20, adaptiveMax: true, clock, random: () => 0 });
  const leases = await Promise.all(Array.from({ length: 6 }, () => pool.lease()));
  for (let caller = 0; caller < 4; caller++) void outcomeOf(pool.lease());
  await settle();
  expect(pool.stats()).toMatchObject({ effectiveMax: 3, capacityErrors: 4 });
  for (const lease of leases) void lease.release();
  await settle();
  expect(pool.stats()).toMatchObject({ size: 3, borrowed: 3, pending: 1 });
  await pool.close({ graceMillis: 0, force: true });
});

test('adaptiveMax halves what the server accepts of a burst, although its refusals come first', async () => {
  const clock = new FakeClock();
  const accepted = new Gate<object>();
  let calls = 0;
  const pool = createPool(
    {
      create: () =>
        ++calls > 8 ? Promise.reject(new Error('full')) : accepted.passed.then(() => ({})),
      destroy: () => {},
      isFull: () => true,
    },
    { max: 20, adaptiveMax: { recoverMillis: 60_000 }, clock, random: () => 0 },
  );
  const asked = Array.from({ length: 20 }, () => outcomeOf(pool.lease({ timeoutMillis: 50 })));
  await settle();
  expect(pool.stats()).toMatchObject({ effectiveMax: 1, capacityErrors: 12 });
  accepted.open({});
  await settle();
  expect(pool.stats()).toMatchObject({ effectiveMax: 4, size: 8, borrowed: 8 });
  await clock.advance(50);
  expect(asked.filter((outcome) => outcome().is === 'resolved').length).toBe(8);
  await pool.close({ graceMillis: 0, force: true });
});

/** A pool of a server that is full, then down twice. `codes` has the failures that are left. */
function fullThenDown(createAttempts: number) {
  const clock = new FakeClock();
  const codes = ['full', 'down', 'down'];
  const pool = createPool(
    {
      create: () => Promise.reject(Object.assign(new Error('no'), { code: codes.shift() })),
      destroy: () => {},
      isFull: (error) => (error as { code?: string }).code === 'full',
    },
    { max: 1, createAttempts, clock, random: () => 0 },
  );
  return { clock, codes, pool };
}

test('a full server does not count towards createAttempts', async () => {
  const { clock, codes, pool } = fullThenDown(2);
  const asked = outcomeOf(pool.lease());
  await clock.advance(10);
  expect([codes, asked().is], 'one failure that counts').toEqual([['down'], 'pending']);
  await clock.advance(20);
  expect([codes, asked().is]).toEqual([[], 'rejected']);
  await pool.close();
});

test('with one attempt, callers fail fast again after a full server has another error', async () => {
  const { clock, codes, pool } = fullThenDown(1);
  const first = outcomeOf(pool.lease());
  await clock.advance(10);
  const second = outcomeOf(pool.lease());
  await settle();
  expect([codes, first().is, second().is]).toEqual([[], 'rejected', 'rejected']);
  await pool.close();
});

test('resources that all break at once cost one pause', async () => {
  const clock = new FakeClock();
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { clock });
  await pool.warmUp(10);
  pool.evict(() => true, 'broken');
  const asked = outcomeOf(pool.lease());
  await clock.advance(10);
  expect([asked().is, clock.foregroundTimers]).toEqual(['resolved', 0]);
  await pool.close({ graceMillis: 0, force: true });
});

test('a pause that follows on a failure ends with a success, also after a resource that broke unused', async () => {
  const clock = new FakeClock();
  const gates = new Gates();
  const factory = new StrictFactory(3, { create: () => gates.next() });
  const pool = createPool(factory, { max: 3, clock, random: () => 0 });
  gates.at(0).open();
  await pool.warmUp(1);
  pool.evict(() => true, 'broken');
  await clock.advance(10);
  const asked = outcomeOf(Promise.all([pool.lease(), pool.lease()]));
  await settle();
  gates.at(1).fail(new Error('refused'));
  await settle();
  gates.at(2).open();
  await settle();
  expect([factory.creates, asked().is]).toEqual([4, 'pending']);
  await pool.close({ graceMillis: 0, force: true });
});

test('a permanent error of `create` rejects its caller at once, and later callers have it tried again after a pause', async () => {
  const clock = new FakeClock();
  let creates = 0;
  let isTrusted = false;
  const pool = createPool(
    {
      create: async () => {
        creates++;
        if (!isTrusted) throw Object.assign(new Error('no'), { code: 'untrusted' });
        return {};
      },
      destroy: () => {},
      isPermanent: (error) => (error as { code?: string }).code === 'untrusted',
    },
    { max: 1, clock, random: () => 0 },
  );
  const asked = [outcomeOf(pool.lease()), outcomeOf(pool.lease())];
  await settle();
  expect(asked.map((ended) => ended().is)).toEqual(['rejected', 'pending']);
  expect(asked[0]?.()).toMatchObject({ error: { code: 'TENURE_POOL_CREATE' } });
  await clock.advance(1_000);
  expect([asked[1]?.().is, creates], 'one attempt for a caller').toEqual(['rejected', 2]);
  isTrusted = true;
  await clock.advance(10_000);
  await pool.use(() => {});
  expect(creates).toBe(3);
  await pool.close();
});

test.each([
  ['that resolves', async () => true],
  ['that rejects', async () => Promise.reject(new Error('x'))],
])('isBroken gives a promise %s: it is told that it has to answer at once', async (_, answer) => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { pool } = open({ isBroken: answer as never });
  await rejection(pool.use(() => Promise.reject(new Error('x'))));
  expect(pool.available).toBe(1);
  expect(printed.mock.calls.map(([where, error]) => [where, (error as Error).message])).toEqual([
    [
      "tenure: error ignored in pool: the factory's isBroken:",
      'It must answer true or false, got a promise, which counts as false.',
    ],
  ]);
  printed.mockRestore();
  await pool.close();
});

test('isBroken that answers nothing finds nothing broken', async () => {
  const { pool } = open({ isBroken: () => undefined as never });
  await rejection(pool.use(() => Promise.reject(new Error('x'))));
  expect(pool.available).toBe(1);
  await pool.close();
});

test('isFull always gets an error: that of a timeout has no cause', async () => {
  const asked: unknown[] = [];
  const clock = new FakeClock();
  const factory: Factory<object> = {
    create: () => new Promise(() => {}),
    destroy: () => {},
    isFull: (error) => {
      asked.push((error as { code: string }).code);
      return false;
    },
  };
  const pool = createPool(factory, { createTimeoutMillis: 100, createAttempts: 1, clock });
  const refused = outcomeOf(pool.lease());
  await clock.advance(100);
  expect(refused()).toMatchObject({ error: { code: 'TENURE_POOL_CREATE_TIMEOUT' } });
  expect(asked).toEqual(['TENURE_POOL_CREATE_TIMEOUT']);
  await pool.close();
});
