/** The one timer of a component: how it serves deadlines that mostly pass unused. */
import { createHook } from 'node:async_hooks';
import timers from 'node:timers';
import { setTimeout as after } from 'node:timers/promises';
import genericPool from 'generic-pool';
import { collectGarbage } from 'tenure/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Clock, systemClock } from '../../src/core/clock.js';
import { DeadlineTimer, type OnDue } from '../../src/core/deadline-timer.js';
import { adoptPool } from '../../src/integrations/generic-pool.js';
import { createPool } from '../../src/pool/index.js';

const LONG_MILLIS = 60_000;

beforeEach(() => {
  vi.stubGlobal('setTimeout', timers.setTimeout);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function timerOf(onDue: OnDue, clock: Clock = systemClock): DeadlineTimer {
  return new DeadlineTimer(clock, (fn) => fn(), onDue);
}

function inMillis(millis: number): number {
  return systemClock.now() + millis;
}

/** How many timers Node creates during a call. */
async function timersDuring(work: () => unknown): Promise<number> {
  let count = 0;
  const hook = createHook({
    init(_id, type) {
      if (type === 'Timeout') count++;
    },
  }).enable();
  try {
    await work();
  } finally {
    hook.disable();
  }
  return count;
}

function timersThatKeepTheProcess(): number {
  return process.getActiveResourcesInfo().filter((type) => type === 'Timeout').length;
}

test('deadlines that are met one after the other share a timer', async () => {
  const timer = timerOf(() => {});
  const count = await timersDuring(() => {
    for (let i = 0; i < 100; i++) {
      timer.expect(inMillis(LONG_MILLIS));
      timer.clear();
    }
  });
  expect(count).toBe(1);
});

test('the process is kept alive while there is a deadline, and not after', () => {
  const before = timersThatKeepTheProcess();
  const timer = timerOf(() => {});
  for (let i = 0; i < 3; i++) {
    timer.expect(inMillis(LONG_MILLIS));
    expect(timersThatKeepTheProcess()).toBe(before + 1);
    timer.clear();
    expect(timersThatKeepTheProcess()).toBe(before);
  }
});

test('a timer that has rested fires for the next deadline', async () => {
  await new Promise<void>((resolve) => {
    const timer = timerOf(() => resolve());
    timer.expect(inMillis(20));
    timer.clear();
    timer.expect(inMillis(30));
  });
});

test('a timer that has run out while it rested is replaced', async () => {
  await new Promise<void>((resolve) => {
    const timer = timerOf(() => resolve());
    timer.expect(inMillis(1));
    timer.clear();
    void after(20).then(() => timer.expect(inMillis(1)));
  });
});

test('a timer that rests is not called', async () => {
  const onDue = vi.fn();
  const timer = timerOf(onDue);
  timer.expect(inMillis(1));
  timer.clear();
  await after(20);
  expect(onDue).not.toHaveBeenCalled();
});

test('an earlier deadline gets a timer of its own', async () => {
  await new Promise<void>((resolve) => {
    const timer = timerOf(() => resolve());
    timer.expect(inMillis(LONG_MILLIS));
    timer.clear();
    timer.expect(inMillis(1));
  });
});

test('the fake timers of a test get a deadline that comes after they were installed', () => {
  const onDue = vi.fn();
  const timer = timerOf(onDue);
  timer.expect(inMillis(LONG_MILLIS));
  timer.clear();
  vi.useFakeTimers();
  timer.expect(inMillis(2 * LONG_MILLIS));
  vi.advanceTimersByTime(2 * LONG_MILLIS);
  expect(onDue).toHaveBeenCalledOnce();
});

test('fake timers that a test clears lose no later deadline', () => {
  vi.useFakeTimers();
  const onDue = vi.fn();
  const timer = timerOf(onDue);
  timer.expect(inMillis(1_000));
  timer.clear();
  vi.clearAllTimers();
  timer.expect(inMillis(1_000));
  vi.advanceTimersByTime(1_000);
  expect(onDue).toHaveBeenCalledOnce();
});

test('a clock that cannot cancel a timer calls back to nobody', () => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const callbacks: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    setTimer: (callback) => callbacks.push(callback),
    clearTimer() {
      throw new Error('cannot');
    },
  };
  const onDue = vi.fn();
  const timer = timerOf(onDue, clock);
  timer.expect(1_000);
  timer.clear();
  for (const callback of callbacks) callback();
  expect(onDue).not.toHaveBeenCalled();
});

test('a timer that rests does not keep its component', async () => {
  const begin = (): WeakRef<object> => {
    const component = { ends: 0 };
    const timer = timerOf(() => component.ends++);
    timer.expect(inMillis(LONG_MILLIS));
    timer.clear();
    return new WeakRef(component);
  };
  const component = begin();
  await collectGarbage();
  expect(component.deref()).toBeUndefined();
});

const factory = { create: async () => ({}), destroy: async () => {} };

test('callers that hardly wait for an adopted pool share a timer', async () => {
  const pool = adoptPool(genericPool.createPool(factory, { max: 2 }));
  await pool.use(() => {});
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now++); // So slow that the loans are no burst, which has a timer.
  const count = await timersDuring(async () => {
    for (let i = 0; i < 100; i++) await pool.use(async () => {});
  });
  vi.restoreAllMocks();
  expect(count).toBe(0);
  await pool.close({ endPeer: true });
});

test('callers that hardly wait for a pool share a timer', async () => {
  await using pool = createPool(factory, { max: 1 });
  const useTwice = (): Promise<unknown> =>
    Promise.all([pool.use(async () => {}), pool.use(async () => {})]);
  await useTwice();
  const count = await timersDuring(async () => {
    for (let i = 0; i < 100; i++) await useTwice();
  });
  expect(count).toBe(0);
});
