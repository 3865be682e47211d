import { expect, test } from 'vitest';
import { CoarseClock } from '../../src/core/coarse-clock.js';
import { FakeClock } from '../kit/fake-clock.js';

/** A coarse clock after a burst of readings. */
function afterBurst() {
  const clock = new FakeClock(0);
  const target = { horizon: Infinity };
  const coarse = new CoarseClock(clock, target);
  for (let reading = 0; reading < 16; reading++) coarse.learn(reading / 15);
  return { clock, coarse, target };
}

test('16 readings close together make a horizon a second ahead', () => {
  const { target } = afterBurst();
  expect(target.horizon).toBe(1_001);
});

test('fewer readings, and readings far apart, make none: the clock is read for each use', () => {
  const target = { horizon: Infinity };
  const coarse = new CoarseClock(new FakeClock(0), target);
  for (const time of [0, 1, 3, 4, 6, 7, 2_000]) {
    coarse.learn(time);
    expect(target.horizon).toBe(Infinity);
  }
});

test('the end of the turn takes the horizon away', async () => {
  const { clock, coarse, target } = afterBurst();
  await clock.advance(1);
  expect(target.horizon).toBe(Infinity);
  coarse.learn(1.5);
  expect(target.horizon).toBe(Infinity);
  expect(clock.pendingTimers).toBe(0);
});

test('a pause in the turn takes the horizon away at the next reading', () => {
  const { coarse, target } = afterBurst();
  coarse.learn(1_500);
  expect(target.horizon).toBe(Infinity);
});

test('a clock that was set back makes no horizon', () => {
  const { coarse, target } = afterBurst();
  coarse.learn(-5_000);
  expect(target.horizon).toBe(Infinity);
});
