/** `createTimeoutMillis`: a creation goes on for later callers although its callers have left, until its time is over. */
import { describe, expect, test, vi } from 'vitest';
import { RefCounted, RefCountedMap } from '../../src/scope/index.js';
import { FailingClock } from '../kit/failing-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

/** A `create` that waits at gates. Unless `ignoresSignal`, it stops when its signal aborts. */
function gatedCreate(ignoresSignal = false) {
  const gates = new Gates<string>();
  const signals: AbortSignal[] = [];
  const create = ({ signal }: { readonly signal: AbortSignal }): Promise<string> => {
    signals.push(signal);
    const created = gates.next();
    if (ignoresSignal) return created;
    const stopped = new Promise<string>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason));
    });
    return Promise.race([created, stopped]);
  };
  return { gates, signals, create };
}

const reasonOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.unreachable(),
    (reason: unknown) => reason,
  );

const timeoutAfter = (millis: number) =>
  expect.objectContaining({
    code: 'TENURE_REF_COUNTED_TIMEOUT',
    message: expect.stringContaining(`gave no value within ${millis} ms (waiting for create())`),
  });

test.each([false, true])(
  'a `create` that heeds its signal and takes longer than each caller waits gives its value in the end, with overlap: %s',
  async (overlap) => {
    const clock = new FakeClock();
    const { gates, signals, create } = gatedCreate();
    const shared = new RefCounted(create, {
      acquireTimeoutMillis: 100,
      createTimeoutMillis: 1_000,
      idleMillis: 1_000,
      overlap,
      clock,
    });
    for (let caller = 0; caller < 3; caller++) {
      const acquired = shared.acquire();
      const outcome = expect(acquired).rejects.toEqual(timeoutAfter(100));
      await clock.advance(100);
      await outcome;
    }
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    gates.at(0).open('db');
    await settle();
    const lease = await shared.acquire();
    expect([lease.value, signals.length]).toEqual(['db', 1]);
    await lease.release();
    await shared.close();
    expect(clock.pendingTimers).toBe(0);
  },
);

test('the signal aborts when the time is over, and later callers begin anew', async () => {
  const clock = new FakeClock();
  const { gates, signals, create } = gatedCreate();
  const shared = new RefCounted(create, { createTimeoutMillis: 1_000, clock });
  const stop = new AbortController();
  const left = shared.acquire({ signal: stop.signal });
  stop.abort(new Error('enough'));
  await expect(left).rejects.toThrow('enough');
  await clock.advance(999);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  await clock.advance(1);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  const later = shared.acquire();
  gates.at(1).open('db');
  expect((await later).value).toBe('db');
  await (await later).release();
  await shared.close();
  expect([signals.length, clock.pendingTimers]).toEqual([2, 0]);
});

test.each([false, true])(
  'callers that wait when the time is over are rejected, and later ones are not, with a `create` that ignores its signal: %s',
  async (ignoresSignal) => {
    const clock = new FakeClock();
    const { gates, signals, create } = gatedCreate(ignoresSignal);
    const shared = new RefCounted(create, { createTimeoutMillis: 1_000, clock });
    const early = Promise.allSettled([shared.acquire(), shared.acquire()]);
    await clock.advance(1_000);
    const refused = { status: 'rejected', reason: timeoutAfter(1_000) };
    expect(await early).toEqual([refused, refused]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    const later = shared.acquire();
    await settle();
    expect(signals.length).toBe(ignoresSignal ? 1 : 2);
    gates.at(signals.length - 1).open('db');
    const lease = await later;
    expect([lease.value, shared.refs]).toEqual(['db', 1]);
    await lease.release();
    await shared.close();
    expect([shared.refs, clock.pendingTimers]).toEqual([0, 0]);
  },
);

test('a creation that goes on without callers ends with close and invalidate', async () => {
  for (const end of ['close', 'invalidate'] as const) {
    const clock = new FakeClock();
    const { signals, create } = gatedCreate();
    const shared = new RefCounted(create, { createTimeoutMillis: 1_000, clock });
    const stop = new AbortController();
    const left = reasonOf(shared.acquire({ signal: stop.signal }));
    stop.abort('enough');
    await left;
    await shared[end]();
    expect([signals[0]?.aborted, clock.pendingTimers]).toEqual([true, 0]);
  }
});

test('a creation that was invalidated ends when the last caller that waits for it leaves', async () => {
  const clock = new FakeClock();
  const { signals, create } = gatedCreate();
  const shared = new RefCounted(create, { createTimeoutMillis: 1_000, clock });
  const stop = new AbortController();
  const left = reasonOf(shared.acquire({ signal: stop.signal }));
  const ended = shared.invalidate();
  await settle();
  expect(signals[0]?.aborted).toBe(false);
  stop.abort('enough');
  expect(await left).toBe('enough');
  await ended;
  expect([signals[0]?.aborted, clock.pendingTimers]).toEqual([true, 0]);
});

test('Infinity lets a creation go on for ever, without a timer', async () => {
  const clock = new FakeClock();
  const { gates, signals, create } = gatedCreate();
  const shared = new RefCounted(create, { createTimeoutMillis: Number.POSITIVE_INFINITY, clock });
  const stop = new AbortController();
  const left = reasonOf(shared.acquire({ signal: stop.signal }));
  stop.abort('enough');
  await left;
  expect([signals[0]?.aborted, clock.pendingTimers]).toEqual([false, 0]);
  const later = shared.acquire();
  gates.at(0).open('db');
  using lease = await later;
  expect(lease.value).toBe('db');
});

test('a clock that fails leaves the creation without a limit to its callers', async () => {
  const clock = new FailingClock();
  const { signals, create } = gatedCreate();
  const shared = new RefCounted(create, { createTimeoutMillis: 1_000, clock });
  clock.fails = true;
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const stop = new AbortController();
  const left = reasonOf(shared.acquire({ signal: stop.signal }));
  stop.abort('enough');
  expect(await left).toBe('enough');
  expect([signals[0]?.aborted, print.mock.calls.length]).toEqual([true, 1]);
  print.mockRestore();
  await shared.close();
});

describe('a map', () => {
  test('has a key whose creation goes on, and gives it up for a new key at `capacity`', async () => {
    const clock = new FakeClock();
    const { gates, signals, create } = gatedCreate();
    const map = new RefCountedMap((_: string, context) => create(context), {
      capacity: 1,
      createTimeoutMillis: 1_000,
      clock,
    });
    const stop = new AbortController();
    const left = reasonOf(map.acquire('a', { signal: stop.signal }));
    stop.abort('enough');
    await left;
    expect([map.has('a'), map.size, signals[0]?.aborted]).toEqual([true, 1, false]);
    const other = map.acquire('b');
    expect([[...map.keys()], signals[0]?.aborted]).toEqual([['b'], true]);
    gates.at(1).open('b');
    using lease = await other;
    expect([lease.value, map.size]).toEqual(['b', 1]);
  });

  test('is full while callers wait for each creation', async () => {
    const clock = new FakeClock();
    const { gates, create } = gatedCreate();
    const map = new RefCountedMap((_: string, context) => create(context), {
      capacity: 1,
      createTimeoutMillis: 1_000,
      clock,
    });
    const first = map.acquire('a');
    await expect(map.acquire('b')).rejects.toMatchObject({ code: 'TENURE_REF_COUNTED_MAP_FULL' });
    gates.at(0).open('a');
    await (await first).release();
    await map.close();
    expect(clock.pendingTimers).toBe(0);
  });
});
