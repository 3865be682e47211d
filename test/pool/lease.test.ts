import { expect, test } from 'vitest';
import { createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { untilCollected } from '../kit/until-collected.js';
import { openPool } from './open-pool.js';
import { rejection } from './outcome.js';
import type { Steps, Thing } from './strict-factory.js';

const open = (max = 1, steps: Steps = {}) => openPool({ max }, steps);

test('using gives the resource back at the end of the block, on every path', async () => {
  const { pool } = open();
  {
    using lease = await pool.lease();
    expect([lease.resource.id, pool.borrowed]).toEqual([0, 1]);
  }
  expect(pool.available).toBe(1);
  const boom = new Error('boom');
  const failing = async () => {
    await using _lease = await pool.lease();
    throw boom;
  };
  expect(await rejection(failing())).toBe(boom);
  expect([pool.available, pool.borrowed]).toEqual([1, 0]);
});

test('await using waits until the resource has been reset', async () => {
  let resets = 0;
  const { pool } = open(1, {
    reset: async () => {
      await settle();
      resets++;
    },
  });
  {
    await using _lease = await pool.lease();
  }
  expect([resets, pool.available]).toEqual([1, 1]);
});

test.each<[string, (lease: Lease<Thing>, pool: Pool<Thing>) => unknown, string]>([
  ['released', (lease) => lease.release(), 'another caller may hold its resource by now'],
  ['destroyed', (lease) => lease.destroy(), 'its resource was destroyed'],
  ['detached', (lease) => lease.detach(), 'its resource has left the pool'],
  [
    'ended by a forced close',
    (_, pool) => pool.close({ graceMillis: 0, force: true }),
    'its resource was destroyed',
  ],
])(
  'the error of a lease that was %s says what has become of its resource',
  async (_, end, outcome) => {
    const { pool } = open();
    const lease = await pool.lease();
    await end(lease, pool);
    expect(() => lease.resource).toThrow(
      new RegExp(`this lease has ended \\(.*\\); ${outcome}\\.`),
    );
    await pool.close();
  },
);

test('a released lease has no effect on its resource, whose holder may be another caller by then', async () => {
  const { pool, factory } = open();
  const stale = await pool.lease();
  void stale.release();
  using current = await pool.lease();
  expect(() => stale.resource).toThrow(
    expect.objectContaining({ name: 'LeaseEndedError', code: 'TENURE_POOL_LEASE_ENDED' }),
  );
  expect(() => stale.release()).toThrow(
    expect.objectContaining({ name: 'ReleaseError', code: 'TENURE_POOL_DOUBLE_RELEASE' }),
  );
  expect(await rejection(stale.destroy())).toMatchObject({ code: 'TENURE_POOL_DOUBLE_RELEASE' });
  stale.touch();
  stale.expectHold(5);
  stale[Symbol.dispose]();
  await stale[Symbol.asyncDispose]();
  expect([current.resource.state, pool.borrowed, pool.available]).toEqual(['alive', 1, 0]);
  expect(factory.destroyed).toEqual([]);
});

test('a destroyed lease has no effect', async () => {
  const { pool, factory } = open();
  const lease = await pool.lease();
  await lease.destroy('connection reset');
  expect(factory.destroyed).toEqual(['0 connection reset']);
  expect(() => lease.release()).toThrow(
    expect.objectContaining({ code: 'TENURE_POOL_RELEASE_AFTER_DESTROY' }),
  );
  expect(await rejection(lease.destroy())).toMatchObject({
    code: 'TENURE_POOL_RELEASE_AFTER_DESTROY',
  });
  lease[Symbol.dispose]();
  expect([pool.size, pool.borrowed]).toEqual([0, 0]);
});

test('the error of a mistaken release names the mistake, and the pool does not change', async () => {
  const { pool } = open(2);
  const lease = await pool.lease();
  const thing = await pool.acquire();
  const codeOf = async (call: Promise<void>) => ((await rejection(call)) as { code: string }).code;
  expect(await codeOf(pool.release({} as never))).toBe('TENURE_POOL_FOREIGN_RESOURCE');
  expect(await codeOf(pool.destroy({} as never))).toBe('TENURE_POOL_FOREIGN_RESOURCE');
  expect(await codeOf(pool.release(lease.resource))).toBe('TENURE_POOL_RELEASE_OF_LEASE');
  expect(await codeOf(pool.destroy(lease.resource))).toBe('TENURE_POOL_RELEASE_OF_LEASE');
  await pool.use(async () => {}, { timeoutMillis: 0 }).catch(() => {});
  expect([pool.borrowed, pool.size]).toEqual([2, 2]);
  await pool.release(thing);
  expect(await codeOf(pool.release(thing))).toBe('TENURE_POOL_DOUBLE_RELEASE');
  await pool.use(async (inUse) => {
    expect(await codeOf(pool.release(inUse))).toBe('TENURE_POOL_RELEASE_OF_LEASE');
  });
  const again = await pool.acquire();
  await pool.destroy(again);
  expect(await codeOf(pool.release(again))).toBe('TENURE_POOL_RELEASE_AFTER_DESTROY');
  expect([pool.borrowed, pool.available, pool.size]).toEqual([1, 0, 1]);
  lease[Symbol.dispose]();
});

test('isBorrowedResource knows every kind of loan', async () => {
  const { pool } = open(3);
  using lease = await pool.lease();
  const thing = await pool.acquire();
  expect([lease.resource, thing].map((one) => pool.isBorrowedResource(one))).toEqual([true, true]);
  await pool.use((inUse) => expect(pool.isBorrowedResource(inUse)).toBe(true));
  await pool.release(thing);
  expect(pool.isBorrowedResource(thing)).toBe(false);
  expect(pool.isBorrowedResource({} as never)).toBe(false);
});

test('the pool does not keep a lost lease from being collected', async () => {
  allowLeaks();
  const { pool } = open(2);
  const waited = async () => {
    const first = await pool.lease();
    const second = await pool.lease();
    const pending = pool.lease();
    void second.release();
    return [new WeakRef(first), new WeakRef(await pending)];
  };
  const refs = await waited();
  await untilCollected(...refs);
  expect(pool.borrowed).toBe(2);
});

test('a settled waiter keeps neither its signal nor its promise', async () => {
  const { pool } = open(1);
  const refs = await (async () => {
    const first = await pool.lease();
    const abort = new AbortController();
    const waiting = pool.lease({ signal: abort.signal });
    void first.release();
    void (await waiting).release();
    return [new WeakRef(abort.signal), new WeakRef(waiting)];
  })();
  await collectGarbage();
  expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined]);
  expect(pool.available).toBe(1);
});

test('the pool does not keep a destroyed resource from being collected', async () => {
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { max: 1, clock: new FakeClock() },
  );
  const ref = await (async () => {
    const thing = await pool.acquire();
    await pool.destroy(thing);
    return new WeakRef(thing);
  })();
  await collectGarbage();
  expect(ref.deref()).toBeUndefined();
  expect(pool.size).toBe(0);
});
