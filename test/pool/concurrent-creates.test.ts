/** The limit on concurrent creations, so that a burst of callers does not overload the factory. */
import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';
import { StrictFactory } from './strict-factory.js';

test('no more creations run at once than allowed, and all callers are served', async () => {
  const gates = new Gates();
  const factory = new StrictFactory(6, { create: () => gates.next() });
  const pool = createPool(factory, {
    max: 6,
    min: 3,
    maxConcurrentCreates: 2,
    clock: new FakeClock(),
  });
  const waiting = Array.from({ length: 6 }, () => pool.lease());
  for (let opened = 0; opened < 6; opened++) {
    expect(pool.stats().creating).toBe(Math.min(2, 6 - opened));
    gates.at(opened).open();
    await settle();
  }
  for (const lease of await Promise.all(waiting)) void lease.release();
  await pool.close();
});

test('a creation that fails lets the next one begin', async () => {
  const factory = new StrictFactory(2, {
    create: (number) => (number === 0 ? Promise.reject(new Error('refused')) : undefined),
  });
  const pool = createPool(factory, {
    max: 2,
    maxConcurrentCreates: 1,
    createAttempts: 1,
    clock: new FakeClock(),
  });
  const first = pool.lease();
  const second = pool.lease();
  expect(await rejection(first)).toMatchObject({ code: 'TENURE_POOL_CREATE' });
  void (await second).release();
  await pool.close();
});

test('maxWaitingClients counts callers who wait for a creation that may not begin yet: reactor/reactor-pool#121', async () => {
  const gates = new Gates();
  const pool = createPool(new StrictFactory(10, { create: () => gates.next() }), {
    max: 10,
    maxWaitingClients: 5,
    maxConcurrentCreates: 1,
    clock: new FakeClock(),
  });
  const asked = Array.from({ length: 1_000 }, () => outcomeOf(pool.lease()));
  await settle();
  expect([pool.pending, pool.stats().refusals]).toEqual([5, 995]);
  for (let opened = 0; opened < 5; opened++) {
    gates.at(opened).open();
    await settle();
  }
  expect(asked.filter((outcome) => outcome().is === 'resolved')).toHaveLength(5);
  await pool.close({ graceMillis: 0, force: true });
});
