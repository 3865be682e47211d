import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { BurstClock } from '../../src/core/burst-clock.js';
import { FakeClock } from '../kit/fake-clock.js';

/** A clock for which a test stands in for the platform's. It counts its readings. */
class CountedClock extends FakeClock {
  readings = 0;

  override now(): number {
    this.readings++;
    return super.now();
  }
}

function burstClock() {
  const clock = new CountedClock(0);
  const burst = new BurstClock(clock, true);
  const use = (times: number) => {
    for (let done = 0; done < times; done++) burst.now();
  };
  return { clock, burst, use };
}

test('after 16 readings close together, 64 uses share one', () => {
  const { clock, use } = burstClock();
  use(16);
  expect(clock.readings).toBe(16);
  use(64);
  expect(clock.readings).toBe(16);
  use(1);
  expect(clock.readings).toBe(17);
});

test('a shared reading ends with the turn of the event loop', async () => {
  const { clock, burst, use } = burstClock();
  use(40);
  await clock.advance(5);
  expect(burst.now()).toBe(5);
});

test('a burst goes on with one reading for each timer', async () => {
  const { clock, use } = burstClock();
  use(40);
  const { readings } = clock;
  for (let timer = 0; timer < 10; timer++) {
    await clock.advance(5);
    use(40);
  }
  expect(clock.readings - readings).toBe(10);
});

test('a burst that slows down ends, and leaves no timer', async () => {
  const { clock, use } = burstClock();
  use(31);
  await clock.advance(5);
  expect(clock.pendingTimers).toBe(0);
  const { readings } = clock;
  use(3);
  expect(clock.readings - readings).toBe(3);
});

test('uses that are further apart read the clock each, and set no timer', async () => {
  const { clock, burst } = burstClock();
  for (let time = 1; time <= 100; time++) {
    await clock.advance(1);
    expect(burst.now()).toBe(time);
    expect(clock.pendingTimers).toBe(0);
  }
});

test('a clock that a test moves is read for each use', () => {
  const clock = new CountedClock(0);
  const burst = new BurstClock(clock);
  for (let time = 0; time < 100; time++) {
    clock.jump(0.5);
    expect(burst.now()).toBe(Math.floor((time + 1) / 2));
  }
});

test('gives whole milliseconds', () => {
  const burst = new BurstClock(new FakeClock(7.9), true);
  expect(burst.now()).toBe(7);
});

test('a timer that has not fired for a second is replaced by the next burst', () => {
  const { clock, burst, use } = burstClock();
  use(40);
  clock.jump(2_000);
  use(64);
  expect(burst.now()).toBe(2_000);
  use(16);
  expect(clock.pendingTimers).toBe(2);
});

test('a burst keeps the async context of no use of it', () => {
  const requests = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  class WatchedClock extends FakeClock {
    override setTimer(callback: () => void, delay: number) {
      seen.push(requests.getStore());
      return super.setTimer(callback, delay, { background: true });
    }
  }
  const burst = new BurstClock(new WatchedClock(0), true);
  requests.run('request', () => {
    for (let use = 0; use < 20; use++) burst.now();
  });
  expect(seen).toEqual([undefined]);
});
