import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { StrictFactory } from './strict-factory.js';

/** A pool whose only resource is borrowed, and a log of the order in which callers are served. */
async function busyPool(priorityRange = 1) {
  const pool = createPool(new StrictFactory(1), { max: 1, priorityRange, clock: new FakeClock() });
  const first = await pool.lease();
  const served: string[] = [];
  const ask = async (name: string, priority = 0, signal?: AbortSignal): Promise<void> => {
    try {
      using _lease = await pool.lease(signal ? { priority, signal } : { priority });
      served.push(name);
    } catch {
      served.push(`${name} gave up`);
    }
  };
  return { pool, first, served, ask };
}

test('first come, first served', async () => {
  const { first, served, ask } = await busyPool();
  const all = ['a', 'b', 'c', 'd'].map((name) => ask(name));
  void first.release();
  await Promise.all(all);
  expect(served).toEqual(['a', 'b', 'c', 'd']);
});

test('a caller that asks at the moment of a release does not overtake the waiters', async () => {
  const { first, served, ask } = await busyPool();
  const waiting = ask('waiting');
  void first.release();
  const newcomer = ask('newcomer');
  await Promise.all([waiting, newcomer]);
  expect(served).toEqual(['waiting', 'newcomer']);
});

test('a later caller does not take a resource that is created or validated for a waiter', async () => {
  const creates = new Gates();
  const validates = new Gates<boolean>();
  const factory = new StrictFactory(2, {
    create: () => creates.next(),
    validate: () => validates.next(),
  });
  const pool = createPool(factory, { max: 1, testOnBorrow: true, clock: new FakeClock() });
  const served: string[] = [];
  const ask = (name: string) => pool.use(() => void served.push(name));
  const first = [ask('a'), ask('b'), ask('c')];
  creates.at(0).open();
  for (let i = 0; i < 3; i++) validates.at(i).open(true);
  await settle();
  await Promise.all(first);
  expect(served).toEqual(['a', 'b', 'c']);
});

test('more urgent callers go first, in order within a priority; beyond the range is the least urgent', async () => {
  const { first, served, ask } = await busyPool(3);
  const all = [ask('low', 2), ask('beyond', 9), ask('mid', 1), ask('high', 0), ask('mid2', 1)];
  void first.release();
  await Promise.all(all);
  expect(served).toEqual(['high', 'mid', 'mid2', 'low', 'beyond']);
});

test('a caller without a priority is as urgent as one of priority 0, whatever its other options are', async () => {
  const { pool, first, served, ask } = await busyPool(2);
  const unnamed = pool.lease({ timeoutMillis: 1_000 }).then((lease) => {
    served.push('none');
    void lease.release();
  });
  const rest = [ask('urgent', 0), ask('patient', 1)];
  void first.release();
  await Promise.all([unnamed, ...rest]);
  expect(served).toEqual(['none', 'urgent', 'patient']);
});

test('acquire takes a bare priority, as generic-pool does', async () => {
  const { pool, first, served } = await busyPool(2);
  const ask = async (name: string, priority: number) => {
    const thing = await pool.acquire(priority);
    served.push(name);
    await pool.release(thing);
  };
  const all = [ask('low', 1), ask('high', 0)];
  void first.release();
  await Promise.all(all);
  expect(served).toEqual(['high', 'low']);
});

test('a waiter that gives up in the middle of the queue does not delay the others', async () => {
  const { first, served, ask, pool } = await busyPool();
  const abort = new AbortController();
  const all = [ask('a'), ask('b', 0, abort.signal), ask('c')];
  abort.abort();
  expect(pool.pending).toBe(2);
  void first.release();
  await Promise.all(all);
  expect(served).toEqual(['b gave up', 'a', 'c']);
});

test('the first available resource goes to the longest waiter, created or returned', async () => {
  const creates = new Gates();
  const pool = createPool(new StrictFactory(2, { create: () => creates.next() }), {
    max: 2,
    clock: new FakeClock(),
  });
  const served: string[] = [];
  const ask = async (name: string) => {
    const lease = await pool.lease();
    served.push(name);
    return lease;
  };
  const a = ask('a');
  const b = ask('b');
  creates.at(1).open(); // The creation begun for b ends first.
  await settle();
  expect(served).toEqual(['a']);
  void (await a).release();
  await settle();
  expect(served).toEqual(['a', 'b']);
  creates.at(0).open();
  await settle();
  expect(pool.available).toBe(1);
  (await b)[Symbol.dispose]();
  await pool.close();
});

test('many waiters with their own timeouts are served in order, and none is left over', async () => {
  const { first, served, ask, pool } = await busyPool();
  const names = Array.from({ length: 500 }, (_, i) => String(i));
  const all = names.map((name) => ask(name));
  void first.release();
  await Promise.all(all);
  expect(served).toEqual(names);
  expect(pool.pending).toBe(0);
});

test('a negative priority counts as the least urgent', async () => {
  const { first, served, ask } = await busyPool(3);
  const all = [ask('negative', -1), ask('low', 2), ask('high', 0)];
  void first.release();
  await Promise.all(all);
  expect(served).toEqual(['high', 'negative', 'low']);
});
