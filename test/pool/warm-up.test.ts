import { expect, test } from 'vitest';
import { createPool } from '../../src/pool/index.js';
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
  for (const count of [0, 4, 1.5]) {
    expect(() => pool.warmUp(count)).toThrow(/warmUp: `count` must be an integer/);
  }
  await pool.close();
  expect(await rejection(pool.warmUp(1))).toMatchObject({ code: 'TENURE_POOL_CLOSED' });
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
