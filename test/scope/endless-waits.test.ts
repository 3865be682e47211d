/** Waits that never end by themselves, as the guide lists them. A `signal` ends those that have one. */
import { expect, test } from 'vitest';
import { AsyncRunStack, RefCounted, RefCountedMap } from '../../src/scope/index.js';
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

test('a member of an AsyncRunStack waits for the end of its stack after its first `await`', async () => {
  const stack = new AsyncRunStack();
  const gate = new Gate();
  stack.defer(async () => {
    await undefined;
    await Promise.race([stack[Symbol.asyncDispose](), gate.passed]);
  });
  const end = stack[Symbol.asyncDispose]();
  expect(await isEndless(end)).toBe(true);
  gate.open();
  await end;
});
