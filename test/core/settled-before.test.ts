import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.js';
import { settledBefore } from '../../src/core/settled-before.js';
import { FailingClock } from '../kit/failing-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';

test('a result in time is passed on, and the timer is cleared', async () => {
  const clock = new FakeClock();
  const never = () => expect.unreachable();
  expect(await settledBefore(clock, 1_000, Promise.resolve('answer'), never)).toBe('answer');
  const refused = settledBefore(clock, 1_000, Promise.reject(new Error('refused')), never);
  await expect(refused).rejects.toThrow('refused');
  expect(clock.pendingTimers).toBe(0);
});

test('at the limit the result may be given up', async () => {
  const clock = new FakeClock();
  const late = new Gate();
  const given = settledBefore(clock, 1_000, late.passed, (_resolve, reject) =>
    reject(new Error('late')),
  );
  const refused = expect(given).rejects.toThrow('late');
  await clock.advance(1_000);
  await refused;
  late.open();
});

test('at the limit the result may be waited for on', async () => {
  const clock = new FakeClock();
  const late = new Gate();
  let limits = 0;
  const given = settledBefore(
    clock,
    1_000,
    late.passed.then(() => 'answer'),
    () => limits++,
  );
  await clock.advance(1_000);
  late.open();
  expect([await given, limits]).toEqual(['answer', 1]);
});

test('a clock that throws rejects the wait, and the rejection of the result is not unhandled', async () => {
  const clock = new FailingClock();
  clock.fails = true;
  const result = Promise.reject(new Error('refused'));
  await expect(settledBefore(clock, 1_000, result, () => {})).rejects.toThrow('no timer');
});

test('a clock that cannot clear the timer loses no result, and its late call is without effect', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  clock.failsToClear = true;
  const never = () => expect.unreachable();
  expect(await settledBefore(clock, 1_000, Promise.resolve('answer'), never)).toBe('answer');
  await clock.advance(1_000);
  expect(printed).toHaveBeenCalledOnce();
  printed.mockRestore();
});

test('a result that has arrived while the event loop was blocked is in time', async () => {
  await setImmediate(); // From here on, the next turn runs its timers before it reads answers.
  const given = settledBefore(systemClock, 1, setImmediate('answer'), (_resolve, reject) =>
    reject(new Error('late')),
  );
  const blockedUntil = performance.now() + 10;
  while (performance.now() < blockedUntil);
  expect(await given).toBe('answer');
});

test('a clock that throws at the limit ends the wait', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  const given = settledBefore(clock, 1_000, new Gate().passed, (_resolve, reject) =>
    reject(new Error('late')),
  );
  clock.fails = true;
  const refused = expect(given).rejects.toThrow('late');
  await clock.advance(1_000);
  await refused;
  expect(printed).toHaveBeenCalledOnce();
  printed.mockRestore();
});
