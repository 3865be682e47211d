/**
 * Work that was begun within a scope and goes on after it: workers that a startup scope starts, a response that is streamed after its handler.
 * Its loans come back again and again after their scope, so the watchdog stops telling of them as lost.
 */
import { expect, onTestFinished, test } from 'vitest';
import { createPool, type Lease } from '../../src/pool/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';

const HOLD_MILLIS = 3_000;

function watching(max = 10) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock, rules: { abandoned: false } });
  onTestFinished(() => watchdog[Symbol.dispose]());
  const told: string[] = [];
  watchdog.on('leak', ({ rule, count }) => told.push(`${rule} ×${count}`));
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max, clock });
  watchdog.watch(pool);
  const take = () => watchdog.scope('startup', () => pool.lease());
  return { clock, watchdog, pool, told, take };
}

type Watching = ReturnType<typeof watching>;

async function comeBackLate({ clock, take }: Watching, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const lease = await take();
    await clock.advance(HOLD_MILLIS);
    await lease.release();
  }
}

test('loans that come back late again and again are told of three times', async () => {
  const t = watching();
  await comeBackLate(t, 50);
  expect(t.told).toEqual(['orphaned ×1', 'orphaned ×1', 'orphaned ×1']);
});

test('a check in the meantime does not report them either', async () => {
  const t = watching();
  await comeBackLate(t, 3);
  const lease = await t.take();
  await t.clock.advance(HOLD_MILLIS);
  expect(await t.watchdog.check()).toEqual([]);
  await lease.release();
});

test('one of them that stays out is told of when it is out for longer than the others were', async () => {
  const t = watching();
  await comeBackLate(t, 10);
  t.told.length = 0;
  const kept = await t.take();
  await t.clock.advance(20_000);
  expect(t.told).toEqual(['orphaned ×1']);
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  await kept.release();
});

test('each loss is told while the pool is exhausted', async () => {
  const t = watching(1);
  await comeBackLate(t, 3);
  t.told.length = 0;
  const kept: Lease<object> = await t.take();
  await t.pool.lease({ timeoutMillis: 0 }).catch(() => {});
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
  await kept.release();
});

test('loans of another scope that come back late say nothing of a scope', async () => {
  const t = watching();
  await comeBackLate(t, 10);
  const kept = await t.watchdog.scope('GET /', () => t.pool.lease());
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'GET /' }]);
  await kept.release();
});
