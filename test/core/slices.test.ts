import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hasTimeLeft, runInSlice, runLater } from '../../src/core/slices.js';
import { until } from '../kit/until.js';

let now: number;

beforeEach(async () => {
  now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  await new Promise<void>((resolve) => runLater(resolve, undefined)); // A slice by this clock has begun.
});

/** Waits until no slice is open. */
async function untilOver(): Promise<void> {
  for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setTimeout(resolve, 0));
}

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs tasks that take one millisecond each, and gives the numbers of tasks between two turns. */
async function turnsOf(count: number): Promise<number[]> {
  const turns: number[] = [];
  let done = 0;
  let inTurn = 0;
  const task = () => {
    now += 1;
    done++;
    if (inTurn++ === 0) setImmediate(() => endTurn());
  };
  const endTurn = () => {
    turns.push(inTurn);
    inTurn = 0;
  };
  for (let i = 0; i < count; i++) runInSlice(task, undefined);
  await until(() => done === count && inTurn === 0);
  return turns;
}

test('tasks beyond a slice run in later turns, in order', async () => {
  const turns = await turnsOf(200);
  expect(turns.length).toBeGreaterThan(5);
  expect(Math.max(...turns)).toBeLessThan(40);
  const seen: number[] = [];
  for (let i = 0; i < 100; i++) {
    runInSlice((n: number) => {
      now += 1;
      seen.push(n);
    }, i);
  }
  expect(seen.length).toBeLessThan(100);
  await until(() => seen.length === 100);
  expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => i));
});

test('a turn runs tasks for a millisecond, and looks at the clock after every 16', async () => {
  let inTurn = 0;
  let most = 0;
  let done = 0;
  const readings = vi.mocked(performance.now).mock.calls.length;
  const task = (): void => {
    now += 0.02;
    done++;
    if (inTurn++ === 0)
      setImmediate(() => {
        most = Math.max(most, inTurn);
        inTurn = 0;
      });
  };
  for (let i = 0; i < 1_000; i++) runInSlice(task, undefined);
  await until(() => done === 1_000 && inTurn === 0);
  expect(most).toBeLessThanOrEqual(2 * 64); // 1 ms is 50 of them. The calls and the first slice after them may be in one turn.
  expect(vi.mocked(performance.now).mock.calls.length - readings).toBeLessThan(1_000 / 4);
});

test('a slice that is over stays over until the next turn, however often callers ask', async () => {
  await untilOver();
  expect(hasTimeLeft()).toBe(true);
  now += 2;
  while (hasTimeLeft());
  expect(Array.from({ length: 100 }, hasTimeLeft)).not.toContain(true);
  await untilOver();
  expect(hasTimeLeft()).toBe(true);
});

test('a task that is added while the backlog runs waits behind it', async () => {
  const seen: string[] = [];
  const push = (name: string) => void seen.push(name);
  runLater(() => {
    runInSlice(push, 'third');
    push('first');
  }, undefined);
  runLater(push, 'second');
  await until(() => seen.length === 3);
  expect(seen).toEqual(['first', 'second', 'third']);
});

test('the timer of a backlog does not keep the process alive', async () => {
  const seen: string[] = [];
  await untilOver();
  const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  runLater((name: string) => void seen.push(name), 'later');
  expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')).toHaveLength(
    before,
  );
  await until(() => seen.length === 1);
});
