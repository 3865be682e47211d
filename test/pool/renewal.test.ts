import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { openPool } from './open-pool.js';
import { outcomeOf, rejection } from './outcome.js';
import { hold, letGo, StrictFactory } from './strict-factory.js';

test('a detached resource belongs to its holder, and its place is free', async () => {
  const { pool, factory } = openPool({ max: 1 }, {}, 2);
  const lease = await pool.lease();
  const next = pool.lease();
  const thing = lease.detach();
  expect([thing.state, factory.destroyed]).toEqual(['alive', []]);
  const other = await next;
  expect(other.resource).not.toBe(thing);
  expect([pool.size, pool.borrowed, pool.stats().detached]).toEqual([1, 1, 1]);
  expect(() => lease.detach()).toThrow(
    expect.objectContaining({ code: 'TENURE_POOL_RELEASE_AFTER_DETACH' }),
  );
  expect(() => lease.release()).toThrow(
    expect.objectContaining({ code: 'TENURE_POOL_RELEASE_AFTER_DETACH' }),
  );
  expect(() => lease.resource).toThrow(
    expect.objectContaining({ code: 'TENURE_POOL_LEASE_ENDED' }),
  );
  lease[Symbol.dispose]();
  expect((await rejection(pool.release(thing))) as Error).toMatchObject({
    code: 'TENURE_POOL_FOREIGN_RESOURCE',
  });
  void other.release();
  await pool.close();
  expect([thing.state, factory.alive]).toEqual(['alive', 1]);
});

test('a released lease cannot be detached', async () => {
  const { pool } = openPool();
  const lease = await pool.lease();
  void lease.release();
  expect(() => lease.detach()).toThrow(
    expect.objectContaining({ code: 'TENURE_POOL_DOUBLE_RELEASE' }),
  );
  expect(pool.available).toBe(1);
});

test('invalidate destroys idle resources at once, and borrowed ones when they come back', async () => {
  const { pool, factory } = openPool({ min: 2, max: 4 });
  await pool.ready();
  const lease = await pool.lease();
  hold(lease.resource);
  const gone = pool.invalidate();
  expect(factory.destroyed).toEqual(['1 invalidated']);
  const fresh = await pool.lease();
  expect(fresh.resource.id).toBeGreaterThan(1);
  expect(lease.resource.state).toBe('alive');
  letGo(lease.resource);
  void lease.release();
  await gone;
  expect(factory.destroyed).toEqual(['1 invalidated', '0 invalidated']);
  void fresh.release();
  await settle();
  expect(pool.stats()).toMatchObject({ available: 2, destroyedBy: { invalidated: 2 } });
  await pool.close();
});

test('a resource that was being created during an invalidation is replaced, and its caller is served', async () => {
  const gates = new Gates();
  const { pool, factory } = openPool({ max: 1 }, { create: () => gates.next() });
  const lease = pool.lease();
  const gone = pool.invalidate();
  gates.at(0).open();
  await gone;
  await settle();
  expect(factory.destroyed).toEqual(['0 invalidated']);
  gates.at(1).open();
  expect((await lease).resource.id).toBe(1);
  void (await lease).release();
  await pool.close();
});

test('of two creations whose callers leave, the one from before an invalidation is given up', async () => {
  const gates = new Gates();
  const signals: AbortSignal[] = [];
  const factory = new StrictFactory(3, {
    create: (_number, signal) => {
      signals.push(signal);
      return gates.next();
    },
  });
  const pool = createPool(factory, { max: 2, clock: new FakeClock() });
  const first = pool.lease();
  gates.at(0).open();
  await (await first).destroy();
  const [before, after] = [new AbortController(), new AbortController()];
  pool.lease({ signal: before.signal }).catch(() => {});
  void pool.invalidate();
  pool.lease({ signal: after.signal }).catch(() => {});
  const last = outcomeOf(pool.lease());
  before.abort();
  after.abort();
  expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
  gates.at(2).open();
  await settle();
  expect([last().is, factory.creates]).toEqual(['resolved', 3]);
  gates.at(1).open();
  await pool.close({ graceMillis: 0, force: true });
});

test.each([50, 150])(
  'a creation that began before an invalidation and comes after its timeout is not lent: invalidated after %i ms',
  async (moment) => {
    const clock = new FakeClock();
    const gates = new Gates();
    const factory = new StrictFactory(2, {
      create: (number) => (number === 0 ? gates.next() : undefined),
    });
    const pool = createPool(factory, { max: 2, createTimeoutMillis: 100, clock });
    const leaving = new AbortController();
    const left = outcomeOf(pool.lease({ signal: leaving.signal }));
    leaving.abort();
    await clock.advance(moment);
    void pool.invalidate();
    await clock.advance(200 - moment);
    gates.at(0).open();
    await settle();
    expect(left().is).toBe('rejected');
    expect([pool.size, pool.available, factory.alive]).toEqual([0, 0, 0]);
    expect(factory.destroyed).toHaveLength(1);
  },
);

test('a resource that is being validated or reset during an invalidation is not lent again', async () => {
  const [validations, resets] = [new Gates(), new Gates()];
  const { pool, factory } = openPool(
    { max: 2, testOnBorrow: true },
    { validate: () => validations.next(), reset: () => resets.next() },
  );
  const [first, second] = [await pool.lease(), await pool.lease()];
  void first.release();
  resets.at(0).open();
  await settle();
  const waiting = pool.lease();
  void second.release();
  const gone = pool.invalidate();
  validations.at(0).open();
  resets.at(1).open();
  await gone;
  expect(factory.destroyed).toEqual(['0 invalidated', '1 invalidated']);
  expect((await waiting).resource.id).toBe(2);
  void (await waiting).release();
  resets.at(2).open();
  await pool.close();
});

test('a larger max serves waiters at once, and a larger min creates resources', async () => {
  const { pool } = openPool({ max: 1 }, {}, 3);
  const first = await pool.lease();
  const second = pool.lease();
  pool.resize({ max: 3 });
  const lent = await second;
  expect([pool.borrowed, pool.max]).toEqual([2, 3]);
  pool.resize({ min: 3 });
  await pool.ready();
  expect([pool.available, pool.min]).toEqual([1, 3]);
  for (const lease of [first, lent]) void lease.release();
  await pool.close();
});

test('a smaller max destroys idle resources at once, borrowed ones when they come back, and ends no loan', async () => {
  const { pool, factory } = openPool({ max: 4 });
  const leases = [await pool.lease(), await pool.lease(), await pool.lease(), await pool.lease()];
  void leases[0]?.release();
  pool.resize({ max: 2 });
  expect(factory.destroyed).toEqual(['0 resize']);
  void leases[1]?.release();
  expect(factory.destroyed).toEqual(['0 resize', '1 resize']);
  void leases[2]?.release();
  await settle();
  expect([pool.available, pool.borrowed, pool.size]).toEqual([1, 1, 2]);
  void leases[3]?.release();
  await settle();
  expect([pool.available, pool.size]).toEqual([2, 2]);
  const [one, two] = [await pool.lease(), await pool.lease()];
  void one.release();
  void two.release();
  expect(factory.destroyed).toHaveLength(2);
  await pool.close();
});

test('waiters are served before a smaller max takes returned resources', async () => {
  const { pool } = openPool({ max: 2 });
  const [one, two] = [await pool.lease(), await pool.lease()];
  const waiting = pool.lease();
  pool.resize({ max: 1 });
  void one.release();
  await settle();
  expect(pool.pending).toBe(1);
  void two.release();
  const third = await waiting;
  expect([pool.size, pool.pending]).toEqual([1, 0]);
  void third.release();
  await pool.close();
});

test.each([
  [{ max: 0 }, '`max` must be an integer ≥ 1'],
  [{ min: 11 }, '`min` must be at most `max` (10), got 11'],
  [{ maximum: 3 }, 'unknown option `maximum`'],
])('malformed limits are refused, and nothing changes: %j', (limits, message) => {
  const { pool } = openPool({ min: 0, max: 10, autostart: false });
  expect(() => pool.resize(limits as { max?: number })).toThrow(message);
  expect([pool.min, pool.max]).toEqual([0, 10]);
});

test('a keepalive validates resources that were idle for its time, and destroys broken ones', async () => {
  const dead = new Set<number>();
  const { pool, factory, clock } = openPool(
    { max: 3, keepaliveMillis: 5_000, idleTimeoutMillis: 60_000, fifo: true },
    { validate: (thing) => !dead.has(thing.id) },
  );
  const leases = [await pool.lease(), await pool.lease(), await pool.lease()];
  for (const lease of leases) void lease.release();
  await clock.advance(4_000);
  expect(factory.validates).toBe(0);
  dead.add(1);
  await clock.advance(3_000);
  expect(factory.validates).toBe(3);
  expect(factory.destroyed).toEqual(['1 invalid']);
  expect(pool.available).toBe(2);
  await clock.advance(3_500);
  expect(factory.validates).toBe(3);
  await clock.advance(1_000);
  expect(factory.validates).toBe(5);
  const next = await pool.lease();
  expect(next.resource.id, 'the order of the idle ones has not changed').toBe(0);
  void next.release();
  await clock.advance(62_000);
  expect(pool.available, 'a keepalive does not count as a use, so idle resources still leave').toBe(
    0,
  );
  await pool.close();
});

test('a caller that comes during a keepalive gets the resource if it is valid', async () => {
  const gates = new Gates();
  const { pool, clock } = openPool(
    { max: 1, keepaliveMillis: 1_000 },
    { validate: () => gates.next() },
  );
  void (await pool.lease()).release();
  await clock.advance(2_500);
  expect(pool.stats().validating).toBe(1);
  const waiting = pool.lease();
  gates.at(0).open();
  expect((await waiting).resource.id).toBe(0);
  void (await waiting).release();
  await pool.close();
});

test('keepaliveMillis needs a factory with validate', () => {
  expect(() => openPool({ keepaliveMillis: 1_000 })).toThrow(/`keepaliveMillis` needs a factory/);
});

test('stats has the wait times, the hold times and the reasons of destruction', async () => {
  const { pool, clock } = openPool({ max: 1, maxUses: 3 });
  for (const [waitMillis, holdMillis] of [
    [0, 100],
    [200, 300],
    [400, 500],
  ] as const) {
    const holder = waitMillis > 0 ? await pool.lease() : undefined;
    const waiting = pool.lease();
    await clock.advance(waitMillis);
    void holder?.release();
    const lease = await waiting;
    await clock.advance(holdMillis);
    void lease.release();
  }
  const { waitMillis, holdMillis, loans, waited, destroyedBy } = pool.stats();
  expect([loans, waited]).toEqual([5, 4]);
  expect(waitMillis.max).toBe(400);
  expect(holdMillis.max).toBe(500);
  expect(holdMillis.p50).toBeGreaterThanOrEqual(300);
  expect(holdMillis.p50).toBeLessThan(330);
  expect(destroyedBy).toEqual({ uses: 1 });
  await pool.close();
});

test('a keepalive does not change the order of idle resources', async () => {
  const { pool, clock } = openPool({ keepaliveMillis: 5_000 }, { validate: () => true });
  const leases = [await pool.lease(), await pool.lease(), await pool.lease()];
  for (const lease of leases) void lease.release();
  await clock.advance(7_000);
  const again = [await pool.lease(), await pool.lease(), await pool.lease()];
  expect(again.map(({ resource }) => resource.id)).toEqual([0, 1, 2]);
  for (const lease of again) void lease.release();
  await pool.close();
});

test('resize keeps the limit that it is not given', () => {
  const { pool } = openPool({ min: 2, max: 4, autostart: false });
  pool.resize({ max: 6 });
  expect([pool.min, pool.max]).toEqual([2, 6]);
  pool.resize({ min: 3 });
  expect([pool.min, pool.max]).toEqual([3, 6]);
});

test('stats do not change after they were taken', async () => {
  const { pool } = openPool();
  await (await pool.lease()).destroy();
  const { destroyedBy } = pool.stats();
  await (await pool.lease()).destroy();
  expect(destroyedBy).toEqual({ discarded: 1 });
});

test('invalidate creates each replacement once', async () => {
  let creates = 0;
  const pool = createPool(
    { create: async () => ({ number: ++creates }), destroy: () => {} },
    { min: 2, clock: new FakeClock() },
  );
  await pool.ready();
  await pool.invalidate();
  await settle();
  expect([creates, pool.available, pool.stats().destroyed]).toEqual([4, 2, 2]);
  await pool.close();
});

test('invalidate settles after the creations that were running have ended', async () => {
  const gates = new Gates();
  const { pool, factory } = openPool({ max: 2 }, { create: () => gates.next() });
  const asked = outcomeOf(pool.lease());
  const gone = outcomeOf(pool.invalidate());
  await settle();
  expect(gone().is).toBe('pending');
  gates.at(0).open();
  await settle();
  expect([gone().is, factory.destroyed]).toEqual(['resolved', ['0 invalidated']]);
  gates.at(1).open();
  await settle();
  expect(asked().is).toBe('resolved');
  await pool.close({ graceMillis: 0, force: true });
});

test('a resource whose creation was running when max became smaller is destroyed', async () => {
  const gates = new Gates();
  const { pool, factory } = openPool({ max: 2 }, { create: () => gates.next() });
  gates.at(0).open();
  const lease = await pool.lease();
  const abort = new AbortController();
  const left = outcomeOf(pool.lease({ signal: abort.signal }));
  abort.abort();
  pool.resize({ max: 1 });
  gates.at(1).open();
  await settle();
  expect([left().is, factory.destroyed]).toEqual(['rejected', ['1 late']]);
  lease[Symbol.dispose]();
  await pool.close();
});

test('a creation in the background that ends after max became smaller is destroyed', async () => {
  const gates = new Gates();
  const { pool, factory } = openPool({ min: 2, max: 2 }, { create: () => gates.next() });
  const ready = outcomeOf(pool.ready());
  pool.resize({ min: 0, max: 1 });
  for (const gate of [0, 1]) gates.at(gate).open();
  await settle();
  expect([pool.size, factory.destroyed, ready().is]).toEqual([1, ['0 resize'], 'resolved']);
  await pool.close();
});

test('an idle resource that is being validated when max becomes smaller is destroyed', async () => {
  const gates = new Gates();
  const { pool, factory, clock } = openPool(
    { max: 2, keepaliveMillis: 1_000 },
    { validate: () => gates.next() },
  );
  await pool.warmUp(2);
  const lease = await pool.lease();
  await clock.advance(2_500);
  expect(pool.stats()).toMatchObject({ borrowed: 1, validating: 1 });
  pool.resize({ max: 1 });
  gates.at(0).open();
  await settle();
  expect([pool.size, factory.destroyed]).toEqual([1, ['1 resize']]);
  lease[Symbol.dispose]();
  await pool.close();
});

test('evict destroys idle resources at once, borrowed ones when they come back, and counts no others', async () => {
  const gates = new Gates();
  const { pool, factory } = openPool({ max: 3 }, { destroy: () => gates.next() });
  const leases = await Promise.all([pool.lease(), pool.lease(), pool.lease()]);
  void leases[0].destroy();
  void leases[1].release();
  expect(pool.evict(() => true)).toBe(2);
  expect(factory.destroyed).toEqual(['0 discarded', '1 evicted']);
  void leases[2].release();
  expect(factory.destroyed).toEqual(['0 discarded', '1 evicted', '2 evicted']);
  for (const gate of [0, 1, 2]) gates.at(gate).open();
  await pool.close();
});
