import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { guardedClock, steadyClock } from '../../src/core/guarded-clock.js';
import { FailingClock } from '../kit/failing-clock.js';

let printed: MockInstance;

beforeEach(() => {
  printed = vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  printed.mockRestore();
});

test('the clock of the system needs no guard', () => {
  expect(guardedClock(systemClock)).toBe(systemClock);
});

test('times and timers are those of the clock', async () => {
  const clock = new FailingClock(1_000);
  const guarded = guardedClock(clock);
  const fired: number[] = [];
  guarded.setTimer(() => fired.push(guarded.now()), 10, { background: true });
  const cleared = guarded.setTimer(() => fired.push(0), 20);
  expect([clock.pendingTimers, clock.foregroundTimers]).toEqual([2, 1]);
  guarded.clearTimer(cleared);
  await clock.advance(50);
  guarded.clearTimer(cleared);
  expect([fired, guarded.now(), clock.pendingTimers]).toEqual([[1_010], 1_050, 0]);
  expect(printed).not.toHaveBeenCalled();
});

test('a timer that the clock cannot set is one of the system', async () => {
  const clock = new FailingClock();
  const guarded = guardedClock(clock);
  clock.fails = true;
  const cleared = guarded.setTimer(() => expect.unreachable(), 0);
  guarded.clearTimer(cleared);
  await new Promise<void>((resolve) => guarded.setTimer(resolve, 0));
  expect(clock.pendingTimers).toBe(0);
  expect(printed.mock.calls.map(([where, error]) => [where, (error as Error).message])).toEqual([
    ['tenure: error ignored in `clock`:', 'no timer'],
    ['tenure: error ignored in `clock`:', 'no timer'],
  ]);
});

test('a timer that the clock cannot clear, or that it calls twice, does no harm', async () => {
  const clock = new FailingClock();
  const guarded = guardedClock(clock);
  let calls = 0;
  let fire: (() => void) | undefined;
  vi.spyOn(clock, 'setTimer').mockImplementation((callback) => {
    fire = callback;
    return {};
  });
  const cleared = guarded.setTimer(() => calls++, 10);
  clock.failsToClear = true;
  guarded.clearTimer(cleared);
  fire?.();
  expect(calls).toBe(0);
  guarded.setTimer(() => calls++, 10);
  fire?.();
  fire?.();
  expect(calls).toBe(1);
});

test.each<[string, () => unknown]>([
  [
    'throws',
    () => {
      throw new Error('no time');
    },
  ],
  ['gives NaN', () => Number.NaN],
  ['gives Infinity', () => Number.POSITIVE_INFINITY],
  ['gives text', () => '1500'],
  ['gives nothing', () => undefined],
  ['gives a promise that rejects', () => Promise.reject(new Error('no time'))],
])('a time that the clock cannot tell is the last one that it told: now() %s', (_, tell) => {
  const clock = new FailingClock(1_000);
  const steady = steadyClock(clock);
  const guarded = guardedClock(clock);
  expect([steady.now(), guarded.now()]).toEqual([1_000, 1_000]);
  clock.jump(50);
  clock.tell = tell;
  for (let i = 0; i < 3; i++) expect([steady.now(), guarded.now()]).toEqual([1_000, 1_000]);
  expect(printed).toHaveBeenCalledTimes(2); // The first failure in a row of each of the two.
  clock.tell = undefined;
  expect([steady.now(), guarded.now()]).toEqual([1_050, 1_050]);
});

test('after a time that goes back, time goes on from the last one', () => {
  const clock = new FailingClock(1_000);
  const steady = steadyClock(clock);
  expect(steady.now()).toBe(1_000);
  clock.jump(-600);
  expect(steady.now()).toBe(1_000);
  clock.jump(50);
  expect(steady.now()).toBe(1_050);
  clock.jump(-50);
  expect(steady.now()).toBe(1_050);
  expect(printed).not.toHaveBeenCalled();
});

test('a steady clock throws what the clock throws when it sets a timer', async () => {
  const clock = new FailingClock();
  const steady = steadyClock(clock);
  const fired: number[] = [];
  steady.setTimer(() => fired.push(steady.now()), 10, { background: true });
  steady.clearTimer(steady.setTimer(() => expect.unreachable(), 10));
  expect([clock.pendingTimers, clock.foregroundTimers]).toEqual([1, 0]);
  await clock.advance(10);
  expect(fired).toEqual([clock.now()]);
  clock.fails = true;
  expect(() => steady.setTimer(() => {}, 10)).toThrow('no timer');
});
