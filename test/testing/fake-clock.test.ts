import { expect, test } from 'vitest';
import { FakeClock } from '../../src/testing/index.js';

test('timers fire at their deadlines, in order, and not before', async () => {
  const clock = new FakeClock(0);
  const fired: string[] = [];
  clock.setTimer(() => fired.push(`b ${clock.now()}`), 20);
  clock.setTimer(() => fired.push(`a ${clock.now()}`), 10);
  clock.setTimer(() => fired.push(`a2 ${clock.now()}`), 10);
  await clock.advance(9);
  expect(fired).toEqual([]);
  await clock.advance(11);
  expect(fired).toEqual(['a 10', 'a2 10', 'b 20']);
  expect(clock.pendingTimers).toBe(0);
});

test('what a timer starts settles before the next one fires', async () => {
  const clock = new FakeClock(0);
  const log: string[] = [];
  clock.setTimer(() => void Promise.resolve().then(() => log.push('after the first')), 10);
  clock.setTimer(() => log.push('second'), 10);
  await clock.advance(10);
  expect(log).toEqual(['after the first', 'second']);
});

test('a timer set by a timer fires in the same advance if it is due', async () => {
  const clock = new FakeClock(0);
  const fired: number[] = [];
  clock.setTimer(() => clock.setTimer(() => fired.push(clock.now()), 5), 10);
  await clock.advance(15);
  expect(fired).toEqual([15]);
});

test('background timers are counted apart from timers that would keep the process alive', () => {
  const clock = new FakeClock();
  clock.setTimer(() => {}, 1, { background: true });
  const timer = clock.setTimer(() => {}, 1);
  expect([clock.pendingTimers, clock.foregroundTimers]).toEqual([2, 1]);
  clock.clearTimer(timer);
  expect([clock.pendingTimers, clock.foregroundTimers]).toEqual([1, 0]);
});

test('a timer without a valid delay is refused', () => {
  expect(() => new FakeClock().setTimer(() => {}, Number.NaN)).toThrow(
    /a delay is a number of milliseconds ≥ 0/,
  );
  expect(() => new FakeClock().setTimer(() => {}, -1)).toThrow(
    /a delay is a number of milliseconds ≥ 0/,
  );
});

test('an advance never moves time back, when a timer or another advance has moved it further: sinonjs/fake-timers#145, dotnet/extensions#4275', async () => {
  const jumping = new FakeClock(1_000);
  jumping.setTimer(() => jumping.jump(500), 10);
  await jumping.advance(20);
  expect(jumping.now()).toBe(1_510);

  const shared = new FakeClock(1_000);
  await Promise.all([shared.advance(100), shared.advance(50)]);
  expect(shared.now()).toBe(1_100);
});

test.each([Number.NaN, Number.POSITIVE_INFINITY, '5', undefined])(
  'a jump by %s is refused, and changes nothing',
  (byMillis) => {
    const clock = new FakeClock(1_000);
    expect(() => clock.jump(byMillis as number)).toThrow(
      expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' }),
    );
    expect(clock.now()).toBe(1_000);
  },
);

test('time moves on by a finite number of milliseconds: a timer that is set again each time has no last one', async () => {
  const clock = new FakeClock(0);
  const repeat = (): void => void clock.setTimer(repeat, 10);
  repeat();
  for (const byMillis of [Number.POSITIVE_INFINITY, Number.NaN, -1, '5' as never]) {
    await expect(clock.advance(byMillis)).rejects.toThrow('`byMillis` must be a finite number');
  }
  expect([clock.now(), clock.pendingTimers]).toEqual([0, 1]);
});
