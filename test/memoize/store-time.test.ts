/** The time that a store has for its answers, on a clock whose jumps are those of a busy event loop. */
import { expect, test } from 'vitest';
import { StoreTime } from '../../src/memoize/shared/store-time.js';
import { FakeClock } from '../kit/fake-clock.js';

test('is that of the clock while timers are on time', async () => {
  const clock = new FakeClock();
  const time = new StoreTime(clock);
  const seen: string[] = [];
  clock.jump(500);
  const began = time.now();
  time.setTimer(() => seen.push(`a ${time.now() - began}`), 7);
  const answered = time.setTimer(() => seen.push('b'), 9);
  time.setTimer(() => seen.push(`c ${time.now() - began}`), 1_000);
  await clock.advance(8);
  time.clearTimer(answered);
  await clock.advance(992);
  expect(seen).toEqual(['a 7', 'c 1000']);
  expect(clock.pendingTimers).toBe(0);
  clock.jump(300);
  expect(time.now() - began, 'no timer is needed while nothing waits').toBe(1_300);
});

test('hardly passes during answers, and never goes back', async () => {
  const clock = new FakeClock();
  const time = new StoreTime(clock);
  const waits = Array.from({ length: 10 }, () => time.setTimer(() => {}, 1_000));
  const began = time.now();
  const readings: number[] = [];
  for (const wait of waits) {
    clock.jump(100);
    readings.push(time.now() - began);
    await clock.advance(0);
    time.clearTimer(wait);
    readings.push(time.now() - began);
  }
  expect(readings).toEqual([...readings].sort((a, b) => a - b));
  expect(readings.at(-1)).toBeLessThanOrEqual(50 + 2 * waits.length);
  expect(clock.pendingTimers).toBe(0);
});

test('a timer that is cancelled twice, or after it has fired, is one answer at most', async () => {
  const clock = new FakeClock();
  const time = new StoreTime(clock);
  const [first, second] = [1, 1_000].map((millis) => time.setTimer(() => {}, millis));
  await clock.advance(2);
  const began = time.now();
  time.clearTimer(first as object);
  clock.jump(40);
  await clock.advance(0);
  expect(time.now() - began).toBe(40);
  time.clearTimer(second as object);
  time.clearTimer(second as object);
  expect(clock.pendingTimers).toBe(0);
});

test('passes again in busy turns that follow an answer by some beats', async () => {
  const clock = new FakeClock();
  const time = new StoreTime(clock);
  const [answered] = [1_000, 1_000].map((millis) => time.setTimer(() => {}, millis));
  time.clearTimer(answered as object);
  const began = time.now();
  for (let turn = 0; turn < 10; turn++) {
    clock.jump(40);
    await clock.advance(0);
  }
  expect(time.now() - began).toBeGreaterThan(200);
  expect(time.now() - began).toBeLessThan(300);
});

test('of one wait ends after ten times its limit, although the event loop is busy with the answers to others', async () => {
  const clock = new FakeClock();
  const time = new StoreTime(clock);
  let endedAt: number | undefined;
  const began = clock.now();
  time.setTimer(() => {
    endedAt ??= clock.now() - began;
  }, 1_000);
  for (let turn = 0; turn < 200; turn++) {
    const answered = time.setTimer(() => {}, 1_000);
    clock.jump(100);
    await clock.advance(0);
    time.clearTimer(answered);
  }
  expect(endedAt).toBe(10_000);
  expect(clock.pendingTimers).toBe(0);
});
