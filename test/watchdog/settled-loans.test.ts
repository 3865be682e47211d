/** The watchdog asks V8 for dead leases only when V8 has collected, and misses no collection. */
import { setTimeout } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { hostGcSource } from '../../src/core/gc-source.js';
import { PlainSource } from '../../src/watchdog/plain-source.js';
import { RunningClock } from '../../src/watchdog/running-clock.js';
import { SettledLoans } from '../../src/watchdog/settled-loans.js';
import { FakeClock } from '../kit/fake-clock.js';
import type { MinimalPool } from './minimal-pool.js';
import { watchedPool } from './watched-pool.js';

const CERTAIN = [{ rule: 'abandoned', certainty: 'certain', count: 5 }];

/** Not in the test itself: an async function keeps what it has used last while it waits. */
function loseLeases(pool: MinimalPool, count: number): void {
  for (let i = 0; i < count; i++) pool.lease();
}

/** Has V8 collect before it returns. */
function collectNow(): void {
  hostGcSource()?.collectNow?.();
}

/** V8 keeps until then what the current turn has dereferenced. */
function laterTurn(): Promise<void> {
  return setTimeout(1);
}

/** A watchdog that has looked at five lost leases in an earlier turn. */
async function lost() {
  const t = watchedPool({ level: 'simple' });
  loseLeases(t.pool, 5);
  await t.clock.advance(1_000); // The loans are settled by then.
  t.watchdog.checkNow();
  await laterTurn();
  return t;
}

test('the next check after a collection proves the loss', async () => {
  using t = await lost();
  expect(t.watchdog.checkNow()).toEqual([]);
  await laterTurn();
  collectNow();
  expect(t.watchdog.checkNow()).toMatchObject(CERTAIN);
});

test('a collection in the turn of a check hides nothing from the next collection', async () => {
  using t = await lost();
  t.watchdog.checkNow();
  collectNow();
  await laterTurn();
  collectNow();
  expect(t.watchdog.checkNow()).toMatchObject(CERTAIN);
});

test('a forced collection proves the loss, also just after another check', async () => {
  using t = await lost();
  t.watchdog.checkNow();
  expect(await t.watchdog.check({ forceGc: true })).toMatchObject(CERTAIN);
});

test('no lease is dereferenced while V8 collects nothing', async () => {
  using t = watchedPool({ level: 'simple' });
  const leases = Array.from({ length: 500 }, () => t.pool.lease());
  await t.clock.advance(1_000);
  collectNow();
  await laterTurn();
  const deref = vi.spyOn(WeakRef.prototype, 'deref');
  await vi.waitFor(() => {
    deref.mockClear();
    t.watchdog.checkNow();
    expect(deref.mock.calls.length).toBeLessThan(leases.length); // V8 may have collected by itself.
  });
  deref.mockRestore();
  for (const lease of leases) lease.release();
});

test('a check asks V8 while a round does that has not looked at all loans', async () => {
  const clock = new RunningClock(new FakeClock(), true);
  let left = 1;
  vi.spyOn(clock, 'hasTimeLeft').mockImplementation(() => left-- > 0);
  const asked: boolean[] = [];
  const settled = new SettledLoans(clock, () => asked.push(settled.mayBeCollected));
  for (let i = 0; i < 3; i++) settled.add(new PlainSource('pool', 'db').loan(0));
  await laterTurn();
  collectNow();
  settled.judgeInSlices();
  settled.judgeAll();
  expect(asked).toEqual([true, true, true, true]);
  left = Number.POSITIVE_INFINITY;
  await vi.waitFor(() => expect(asked).toHaveLength(6));
  expect(asked).not.toContain(false);
  expect(settled.mayBeCollected).toBe(true);
});
