import { expect, test, vi } from 'vitest';
import { ConditionWaits } from '../../src/core/condition-waits.js';
import { FailingClock } from '../kit/failing-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

test('a wait ends when its condition holds, and leaves no timer', async () => {
  const clock = new FakeClock();
  const waits = new ConditionWaits(clock);
  let count = 2;
  const ended: string[] = [];
  void waits.until(() => count === 0, 100).then((met) => ended.push(`none: ${met}`));
  void waits.until(() => count <= 1).then((met) => ended.push(`one: ${met}`));
  waits.check();
  await settle();
  expect(ended).toEqual([]);
  count = 1;
  waits.check();
  await settle();
  expect(ended).toEqual(['one: true']);
  count = 0;
  waits.check();
  await settle();
  expect(ended).toEqual(['one: true', 'none: true']);
  expect(clock.pendingTimers).toBe(0);
});

test('a wait whose grace is over ends, and its condition is not checked any more', async () => {
  const clock = new FakeClock();
  const waits = new ConditionWaits(clock);
  let checks = 0;
  const wait = waits.until(() => {
    checks++;
    return false;
  }, 50);
  await clock.advance(50);
  expect(await wait).toBe(false);
  const before = checks;
  waits.check();
  expect(checks).toBe(before);
});

test('a condition that holds ends the wait at once, and a grace of 0 does not wait', async () => {
  const waits = new ConditionWaits(new FakeClock());
  expect(await waits.until(() => true, 0)).toBe(true);
  expect(await waits.until(() => false, 0)).toBe(false);
});

test('a wait whose grace cannot be timed is not checked any more', async () => {
  const clock = new FailingClock();
  const waits = new ConditionWaits(clock);
  let checks = 0;
  clock.fails = true;
  const wait = waits.until(() => ++checks === 0, 100);
  await expect(wait).rejects.toThrow('no timer');
  waits.check();
  expect(checks).toBe(1);
});

test('a wait ends although the clock cannot clear its timer', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  const waits = new ConditionWaits(clock);
  let isMet = false;
  const wait = waits.until(() => isMet, 50);
  clock.failsToClear = true;
  isMet = true;
  waits.check();
  expect(await wait).toBe(true);
  expect(printed).toHaveBeenCalledOnce();
  printed.mockRestore();
});
