import { expect, test } from 'vitest';
import { CoarseClock, LAST_TICK, tickAt } from '../../src/core/coarse-clock.js';
import { FakeClock } from '../kit/fake-clock.js';

/** A coarse clock after a burst of readings. */
function afterBurst() {
  const clock = new FakeClock(0);
  const target = { horizon: LAST_TICK };
  const coarse = new CoarseClock(clock, target);
  for (let reading = 0; reading < 16; reading++) coarse.learn(reading / 15);
  return { clock, coarse, target };
}

test('16 readings close together make a horizon a second ahead', () => {
  const { target } = afterBurst();
  expect(target.horizon).toBe(tickAt(1_001));
});

test('fewer readings, and readings far apart, make none: the clock is read for each use', () => {
  const target = { horizon: LAST_TICK };
  const coarse = new CoarseClock(new FakeClock(0), target);
  for (const time of [0, 1, 3, 4, 6, 7, 2_000]) {
    coarse.learn(time);
    expect(target.horizon).toBe(LAST_TICK);
  }
});

test('the end of the turn takes the horizon away', async () => {
  const { clock, coarse, target } = afterBurst();
  await clock.advance(1);
  expect(target.horizon).toBe(LAST_TICK);
  coarse.learn(1.5);
  expect(target.horizon).toBe(LAST_TICK);
  expect(clock.pendingTimers).toBe(0);
});

test('a pause in the turn takes the horizon away at the next reading', () => {
  const { coarse, target } = afterBurst();
  coarse.learn(1_500);
  expect(target.horizon).toBe(LAST_TICK);
});

test('a clock that was set back makes no horizon', () => {
  const { coarse, target } = afterBurst();
  coarse.learn(-5_000);
  expect(target.horizon).toBe(LAST_TICK);
});

test.for([
  [0, -1],
  [63.9, 0],
  [64, 1],
  [1_000, 15],
  [2 ** 36, LAST_TICK],
  [Number.POSITIVE_INFINITY, LAST_TICK],
  [Number.NEGATIVE_INFINITY, -1],
  [Number.NaN, -1],
])('at %d ms the last tick that has begun is %d', ([time, tick]) => {
  expect(tickAt(time as number)).toBe(tick);
});

test('a tick after the horizon begins only after the time of the horizon', () => {
  for (let time = 1; time < 1_000; time += 0.7) {
    const next = tickAt(time) + 1;
    expect(tickAt(time + 63)).toBeLessThanOrEqual(next);
    expect(next * 64).toBeGreaterThan(time);
  }
});
