/** Waits that never end by themselves, as the guide lists them. A `signal` ends those that have one. */
import { describe, expect, test } from 'vitest';
import { asyncContextManager, closing, RefCounted, RefCountedMap } from '../../src/scope/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

/** Whether a promise is pending although all that can run has run. */
async function isEndless(promise: PromiseLike<unknown> | undefined): Promise<boolean> {
  let hasEnded = false;
  const ended = (): void => {
    hasEnded = true;
  };
  void promise?.then(ended, ended);
  await settle();
  return !hasEnded;
}

const options = (stop: AbortController) => ({ signal: stop.signal });

test('a `dispose` that acquires the same value waits for its signal', async () => {
  const stop = new AbortController();
  const errors: unknown[] = [];
  const shared: RefCounted<object> = new RefCounted(() => ({}), {
    idleMillis: 0,
    onError: (error) => void errors.push(error),
    dispose: async () => void (await shared.acquire(options(stop))).release(),
  });
  const released = (await shared.acquire()).release();
  expect(await isEndless(released as PromiseLike<void>)).toBe(true);
  stop.abort('enough');
  await released;
  expect(errors).toEqual(['enough']);
});

test('a `dispose` that acquires another key of a map at its `capacity` waits for its signal', async () => {
  const stop = new AbortController();
  const errors: unknown[] = [];
  const map: RefCountedMap<string, string> = new RefCountedMap((key: string) => key, {
    capacity: 1,
    idleMillis: 0,
    onError: (error: unknown) => void errors.push(error),
    dispose: async () => void (await map.acquire('b', options(stop))).release(),
  });
  const released = (await map.acquire('a')).release();
  expect(await isEndless(released as PromiseLike<void>)).toBe(true);
  stop.abort('enough');
  await released;
  expect(errors).toEqual(['enough']);
});

test('the creations of two keys that acquire each other wait for their signal', async () => {
  const stop = new AbortController();
  const map: RefCountedMap<string, string> = new RefCountedMap(async (key: string) => {
    void (await map.acquire(key === 'a' ? 'b' : 'a', options(stop))).release();
    return key;
  });
  const both = Promise.allSettled([map.acquire('a'), map.acquire('b')]);
  expect(await isEndless(both)).toBe(true);
  stop.abort('enough');
  const outcomes = await both;
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

describe('acquireTimeoutMillis ends', () => {
  const acquireTimeoutMillis = 50;
  const timeout = (waitedFor: string) =>
    expect.objectContaining({
      code: 'TENURE_REF_COUNTED_TIMEOUT',
      message: expect.stringContaining(`gave no value within 50 ms (${waitedFor})`),
    });

  test('a `dispose` that acquires another key of a map at its `capacity`', async () => {
    const clock = new FakeClock();
    const errors: unknown[] = [];
    const map: RefCountedMap<string, string> = new RefCountedMap((key: string) => key, {
      capacity: 1,
      acquireTimeoutMillis,
      clock,
      onError: (error: unknown) => void errors.push(error),
      dispose: async () => void (await map.acquire('b')).release(),
    });
    const released = (await map.acquire('a')).release();
    await clock.advance(49);
    expect(errors).toEqual([]);
    await clock.advance(1);
    await released;
    expect(errors).toEqual([timeout('waiting until another value has ended')]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('creations of two keys that acquire each other, and leaves nothing behind', async () => {
    const clock = new FakeClock();
    const map: RefCountedMap<string, string> = new RefCountedMap(
      async (key: string) => {
        void (await map.acquire(key === 'a' ? 'b' : 'a')).release();
        return key;
      },
      { acquireTimeoutMillis, clock },
    );
    const both = Promise.allSettled([map.acquire('a'), map.acquire('b')]);
    await clock.advance(50);
    const expected = { status: 'rejected', reason: timeout('waiting for create()') };
    expect(await both).toEqual([expected, expected]);
    await map.close();
    expect([map.size, clock.pendingTimers]).toEqual([0, 0]);
  });

  test('no wait that a value or a signal has ended before', async () => {
    const clock = new FakeClock();
    const gate = new Gate<string>();
    const shared = new RefCounted(() => gate.passed, { acquireTimeoutMillis, clock });
    const stop = new AbortController();
    const left = shared.acquire(options(stop));
    const kept = shared.acquire();
    stop.abort(new Error('enough'));
    await expect(left).rejects.toThrow('enough');
    gate.open('db');
    expect((await kept).value).toBe('db');
    expect(clock.pendingTimers).toBe(0);
    await (await kept).release();
  });

  test('a wait with a signal that lives on, which keeps nothing in memory', async () => {
    const service = new AbortController();
    const creators: WeakRef<object>[] = [];
    await (async () => {
      const clock = new FakeClock();
      const create = (): Promise<object> => new Promise(() => {});
      creators.push(new WeakRef(create));
      const shared = new RefCounted(create, { acquireTimeoutMillis, clock });
      const left = shared.acquire(options(service)).catch((error: unknown) => error);
      await clock.advance(50);
      expect(await left).toEqual(timeout('waiting for create()'));
    })();
    await collectGarbage();
    expect(creators[0]?.deref()).toBeUndefined();
    expect(service.signal.aborted).toBe(false);
  });
});

test('an asynchronous context whose body waits for its end waits for ever', async () => {
  const gate = new Gate();
  const opened = asyncContextManager(async function* () {
    yield;
    await Promise.race([(await context)[Symbol.asyncDispose](), gate.passed]);
  });
  const context = opened();
  const end = (await context)[Symbol.asyncDispose]();
  expect(await isEndless(end)).toBe(true);
  gate.open();
  await end;
});

test('a closing method that waits for the end of its handle waits for ever', async () => {
  const gate = new Gate();
  const handle: AsyncDisposable = closing(7, async () => {
    await undefined;
    await Promise.race([handle[Symbol.asyncDispose](), gate.passed]);
  });
  const end = handle[Symbol.asyncDispose]();
  expect(await isEndless(end)).toBe(true);
  gate.open();
  await end;
});
