import { expect, test } from 'vitest';
import { createPool, type PoolEventMap } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
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
    'destroyed 0 discarded',
    'detached 1',
  ]);
  expect(pool.stats()).toMatchObject({
    created: 2,
    destroyed: 1,
    detached: 1,
    refusals: 1,
    acquireTimeouts: 1,
  });
});

test('an unknown event is refused', () => {
  const pool = createPool(new StrictFactory(), { clock: new FakeClock() });
  expect(() => pool.on('error' as 'created', () => {})).toThrow(/on: `event` must be one of/);
});
