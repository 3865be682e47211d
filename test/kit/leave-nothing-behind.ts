/**
 * Makes each test fail that leaves behind a timer, a handle or an unhandled rejection. Every test file loads it. Timers
 * without a reference (`unref`) do not count: background work uses them, and FakeClock counts them for tests that care.
 */
import timersModule from 'node:timers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { settle } from './settle.js';

/** How long a closing handle may take to close. */
const PATIENCE_MILLIS = 5_000;

const rejections: unknown[] = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));

/** The timers of the running test that have neither fired nor been cleared, without those of the test runner. */
const timers = new Set<NodeJS.Timeout>();
watchTimers();

let before: Map<string, number>;

beforeEach(() => {
  rejections.length = 0;
  timers.clear();
  before = activeHandles();
});

afterEach(async () => {
  const deadline = performance.now() + PATIENCE_MILLIS;
  await settle();
  let left = leftBehind();
  while (left.length > 0 && performance.now() < deadline) {
    await pause(5); // A socket closes when its server, which needs the processor too, has closed its end.
    left = leftBehind();
  }
  for (const timer of timers) clearTimeout(timer);
  expect(left, 'the test left timers or handles behind').toEqual([]);
  expect(rejections, 'the test left unhandled rejections behind').toEqual([]);
});

function leftBehind(): string[] {
  const pending = [...timers].filter((timer) => timer.hasRef()).length;
  return [
    ...(pending > 0 ? [`timer ×${pending}`] : []),
    ...[...activeHandles()]
      .filter(([kind, count]) => count > (before.get(kind) ?? 0))
      .map(([kind, count]) => `${kind} ×${count - (before.get(kind) ?? 0)}`),
  ];
}

function activeHandles(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (kind === 'Timeout' || kind === 'Immediate' || kind === 'CloseReq') continue;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** Records timers. It also replaces the clearing functions of `node:timers`: some packages clear global timers by those. */
function watchTimers(): void {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const watchedSetTimeout = (callback: (...args: unknown[]) => void, ...rest: [number]) => {
    const timer: NodeJS.Timeout = setTimeout(
      (...args: unknown[]) => {
        timers.delete(timer);
        callback(...args);
      },
      ...rest,
    );
    timers.add(timer);
    return timer;
  };
  const watchedSetInterval = (...args: Parameters<typeof setInterval>) => {
    const timer = setInterval(...args);
    timers.add(timer);
    return timer;
  };
  const watchedClear = (timer: NodeJS.Timeout) => {
    timers.delete(timer);
    clearTimeout(timer);
    clearInterval(timer);
  };
  Object.assign(timersModule, { clearTimeout: watchedClear, clearInterval: watchedClear });
  Object.assign(globalThis, {
    setTimeout: watchedSetTimeout,
    setInterval: watchedSetInterval,
    clearTimeout: watchedClear,
    clearInterval: watchedClear,
  });
}
