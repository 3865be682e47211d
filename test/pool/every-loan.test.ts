/** The steps that every loan must take, tested on a pool that has lent often and takes its fast path. */
import { expect, test, vi } from 'vitest';
import { createKeyedPool, createPool, observe } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { RecordingObserver } from '../kit/recording-observer.js';

const LOANS = 1_000;

const factory = { create: () => ({}), destroy: () => {}, validate: () => true };

test('maxUses counts every loan', async () => {
  await using pool = createPool(factory, { maxUses: 3, max: 1 });
  for (let loan = 0; loan < LOANS; loan++) await pool.use(() => {});
  expect(pool.stats()).toMatchObject({ loans: LOANS, created: Math.ceil(LOANS / 3) });
});

test('testOnBorrow validates before every loan, except that of a new resource', async () => {
  let validations = 0;
  const validate = (): boolean => ++validations > 0;
  await using pool = createPool({ ...factory, validate }, { testOnBorrow: true });
  for (let loan = 0; loan < LOANS; loan++) await pool.use(() => {});
  expect(validations).toBe(LOANS - 1);
});

test('reset runs after every loan', async () => {
  let resets = 0;
  await using pool = createPool({ ...factory, reset: () => void resets++ });
  for (let loan = 0; loan < LOANS; loan++) await pool.use(() => {});
  expect(resets).toBe(LOANS);
});

test('an observer is told of every loan, also if it is attached after the first thousand', async () => {
  await using pool = createPool(factory);
  for (let loan = 0; loan < LOANS; loan++) await pool.use(() => {});
  const observer = new RecordingObserver();
  const lent = vi.spyOn(observer, 'lent');
  using _watch = pool[observe](observer);
  for (let loan = 0; loan < LOANS; loan++) await pool.use(() => {});
  expect(lent).toHaveBeenCalledTimes(LOANS);
  expect(observer.live.size).toBe(1);
});

test('a keyed pool knows after every loan which key lent last', async () => {
  await using pools = createKeyedPool(() => factory, { maxTotal: 2 });
  for (let loan = 0; loan < LOANS; loan++) {
    await pools.use('a', () => {});
    await pools.use('b', () => {});
  }
  await pools.use('a', () => {});
  await pools.use('c', () => {});
  expect([pools.pool('a').size, pools.pool('b').size, pools.pool('c').size]).toEqual([1, 0, 1]);
});

test('the time at which a loan began is known of every loan', async () => {
  const clock = new FakeClock();
  const pool = createPool(factory, { max: 1, clock });
  for (let loan = 0; loan < LOANS; loan++) await pool.use(() => {});
  await clock.advance(60_000);
  using _lease = await pool.lease();
  await clock.advance(5_000);
  expect(pool.loans()[0]?.heldMillis).toBeGreaterThanOrEqual(5_000);
  expect(pool.loans()[0]?.heldMillis).toBeLessThanOrEqual(6_000);
});
