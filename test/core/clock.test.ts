import { spawnSync } from 'node:child_process';
import { mock } from 'node:test';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/core/clock.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a timer fires once, after its delay, and not if it was cleared', () => {
  const fired: string[] = [];
  systemClock.setTimer(() => fired.push('a'), 100);
  const cleared = systemClock.setTimer(() => fired.push('b'), 100);
  systemClock.clearTimer(cleared);
  systemClock.clearTimer(cleared);
  vi.advanceTimersByTime(99);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(1_000);
  expect(fired).toEqual(['a']);
});

test('a delay beyond the maximum of the platform is neither shortened nor lost, and can be cleared meanwhile', () => {
  const month = 32 * 24 * 3_600_000;
  const fired: number[] = [];
  const started = systemClock.now();
  systemClock.setTimer(() => fired.push(systemClock.now() - started), 2 * month);
  const cleared = systemClock.setTimer(() => fired.push(-1), 2 * month);
  vi.advanceTimersByTime(month);
  systemClock.clearTimer(cleared);
  vi.advanceTimersByTime(month - 1);
  expect(fired).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(fired).toEqual([2 * month]);
  expect(vi.getTimerCount()).toBe(0);
});

test('a background timer does not keep the process alive, a foreground one does', () => {
  const clock = JSON.stringify(fileURLToPath(new URL('../../src/core/clock.ts', import.meta.url)));
  const code = `
    const { systemClock } = await import(${clock});
    systemClock.setTimer(() => console.log('background'), 600_000, { background: true });
    systemClock.setTimer(() => console.log('background, long'), 2 ** 33, { background: true });
    systemClock.setTimer(() => console.log('foreground'), 1);
  `;
  const { status, stdout } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', code],
    { encoding: 'utf8', timeout: 30_000 },
  );
  expect({ status, stdout }).toEqual({ status: 0, stdout: 'foreground\n' });
});

test('time moves on with fake timers that leave `performance.now` alone: nodejs/node#47775, sinonjs/sinon#803', () => {
  vi.useRealTimers();
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const fired: number[] = [];
  const started = systemClock.now();
  const note = (): void => void fired.push(Math.round((systemClock.now() - started) / 100));
  for (const delay of [30_000, 10_000, 60_000]) systemClock.setTimer(note, delay);
  vi.advanceTimersByTime(60_100);
  expect(fired).toEqual([100, 300, 600]);
});

/** Timers that no fake timers replace. */
const { setTimeout: realSetTimeout } = process.getBuiltinModule('timers');

function realMillis(millis: number): Promise<void> {
  return new Promise((resolve) => {
    realSetTimeout(resolve, millis);
  });
}

test('a timer that is left when a test ends its fake timers fires in real time', async () => {
  vi.advanceTimersByTime(1_000);
  const fired: string[] = [];
  systemClock.setTimer(() => fired.push('left'), 20);
  systemClock.clearTimer(systemClock.setTimer(() => fired.push('cleared'), 10));
  const later = systemClock.setTimer(() => fired.push('cleared later'), 10);
  vi.useRealTimers();
  systemClock.now();
  systemClock.clearTimer(later);
  await realMillis(60);
  expect(fired).toEqual(['left']);
});

test('time does not go back when a test begins or ends to use fake timers', () => {
  vi.useRealTimers();
  const readings = [systemClock.now()];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  readings.push(systemClock.now());
  vi.advanceTimersByTime(3_600_000);
  readings.push(systemClock.now());
  vi.useRealTimers();
  readings.push(systemClock.now());
  expect(readings).toEqual([...readings].sort((a, b) => a - b));
  expect((readings[2] as number) - (readings[1] as number)).toBe(3_600_000);
});

const dateAndTimers = {
  'Vitest 2': {
    begin: () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] }),
    advance: (millis: number) => vi.advanceTimersByTime(millis),
    end: () => vi.useRealTimers(),
  },
  'node:test': {
    begin: () => mock.timers.enable({ apis: ['setTimeout', 'Date'] }),
    advance: (millis: number) => mock.timers.tick(millis),
    end: () => mock.timers.reset(),
  },
};

test.for(Object.entries(dateAndTimers))(
  'time moves on without a timer if a test moves `Date` alone, as that of %s',
  ([, { begin, advance, end }]) => {
    vi.useRealTimers();
    const readings = [systemClock.now()];
    begin();
    readings.push(systemClock.now());
    advance(3_600_000);
    readings.push(systemClock.now());
    end();
    readings.push(systemClock.now());
    const [before, began, moved, after] = readings as [number, number, number, number];
    expect(moved - began).toBeCloseTo(3_600_000, 3);
    expect(began - before).toBeLessThan(10_000);
    expect(after - moved).toBeLessThan(10_000);
    expect(readings).toEqual([...readings].sort((a, b) => a - b));
  },
);

test('time does not go back when a test sets it', () => {
  vi.useRealTimers();
  const readings = [systemClock.now()];
  const now = vi.spyOn(performance, 'now');
  for (const millis of [2, 1_002, 500, 1_500]) {
    now.mockReturnValue(millis);
    readings.push(systemClock.now());
  }
  now.mockRestore();
  const steps = readings.slice(1).map((reading, i) => reading - (readings[i] as number));
  expect(steps.map(Math.round)).toEqual([0, 1_000, 0, 1_000]);
});

test('a module that loads under the fake timers of `node:test` works when they have ended', async () => {
  vi.useRealTimers();
  vi.resetModules();
  mock.timers.enable();
  try {
    const late = await import('../../src/core/clock.js');
    const { nextTurn } = await import('../../src/core/host-timers.js');
    const { runLater } = await import('../../src/core/slices.js');
    await nextTurn();
    const ran = new Promise((resolve) => runLater(resolve, 'later'));
    expect(await ran).toBe('later');
    const fired = new Promise<string>((resolve) =>
      late.systemClock.setTimer(() => resolve('left'), 20),
    );
    mock.timers.reset();
    late.systemClock.now();
    expect(await fired).toBe('left');
  } finally {
    mock.timers.reset();
  }
});
