/** `pause` holds callers back, as during a failover: HikariCP#1060, r2dbc/r2dbc-pool#5. */
import { expect, test } from 'vitest';
import { settle } from '../kit/settle.js';
import { openPool } from './open-pool.js';
import { outcomeOf } from './outcome.js';

test('a paused pool lends and creates nothing; what is out comes back; resume serves in order', async () => {
  const { pool, factory } = openPool({ max: 2 });
  const lease = await pool.lease();
  pool.pause();
  expect(pool.tryLease()).toBe(undefined);
  const asked = [1, 2, 3].map(() => outcomeOf(pool.lease()));
  void lease.release();
  await settle();
  expect(asked.map((outcome) => outcome().is)).toEqual(['pending', 'pending', 'pending']);
  expect([pool.available, pool.pending, factory.creates]).toEqual([1, 3, 1]);
  pool.resume();
  await settle();
  expect(asked.map((outcome) => outcome().is)).toEqual(['resolved', 'resolved', 'pending']);
  await pool.close({ graceMillis: 0, force: true });
});

test('callers of a paused pool time out as usual', async () => {
  const { pool, clock } = openPool();
  pool.pause();
  const asked = outcomeOf(pool.lease({ timeoutMillis: 100 }));
  await clock.advance(100);
  expect(asked()).toMatchObject({ error: { code: 'TENURE_POOL_ACQUIRE_TIMEOUT' } });
  pool.resume();
  void (await pool.lease()).release();
  await pool.close();
});

test('min is filled after a pause, not during it', async () => {
  const { pool, factory, clock } = openPool({ min: 2, autostart: false });
  pool.pause();
  pool.start();
  await clock.advance(5_000);
  expect(factory.creates).toBe(0);
  pool.resume();
  await settle();
  expect(pool.available).toBe(2);
  await pool.close();
});

test('a creation or a reset that ends during a pause serves its caller afterwards', async () => {
  const { pool, clock } = openPool({ max: 1 }, { create: () => clock.advance(0), reset: () => {} });
  const asked = outcomeOf(pool.lease());
  pool.pause();
  await clock.advance(10);
  expect([asked().is, pool.available]).toEqual(['pending', 1]);
  pool.resume();
  await settle();
  expect(asked().is).toBe('resolved');
  await pool.close({ graceMillis: 0, force: true });
});

test('drain and close end a pause', async () => {
  const { pool } = openPool({ max: 1 });
  pool.pause();
  const asked = outcomeOf(pool.lease());
  const drained = outcomeOf(pool.drain());
  await settle();
  expect(asked().is).toBe('resolved');
  pool.resume();
  expect(() => pool.tryLease()).toThrow('draining');
  expect(drained().is).toBe('pending');
  await pool.close({ graceMillis: 0, force: true });
  pool.pause();
  pool.resume();
  expect(() => pool.tryLease()).toThrow('closed');
});

test('a paused pool refuses callers beyond maxWaitingClients', async () => {
  const { pool } = openPool({ maxWaitingClients: 1 });
  pool.pause();
  const asked = [outcomeOf(pool.lease()), outcomeOf(pool.lease())];
  await settle();
  expect(asked[0]?.().is).toBe('pending');
  expect(asked[1]?.()).toMatchObject({ error: { code: 'TENURE_POOL_FULL' } });
  await pool.close();
});
