import { expect, test, vi } from 'vitest';
import { followUntilAbort } from '../../src/core/signal-waits.js';

function unused(): void {
  expect.unreachable();
}

test('a caller whose signal throws leaves, and a later rejection is not unhandled', async () => {
  const { signal } = new AbortController();
  vi.spyOn(signal, 'addEventListener').mockImplementation(() => {
    throw new Error('no listener');
  });
  const left: unknown[] = [];
  const work = Promise.reject(new Error('later'));
  const followed = followUntilAbort(work, signal, (reason) => left.push(reason));
  await expect(followed).rejects.toThrow('no listener');
  expect(left).toEqual([new Error('no listener')]);
});

test('what settles at once adds no listener', async () => {
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, 'addEventListener');
  const promise = Promise.resolve('later');
  vi.spyOn(promise, 'then').mockImplementation((resolve) => resolve?.('at once') as never);
  expect(await followUntilAbort(promise, signal, unused)).toBe('at once');
  expect(add).not.toHaveBeenCalled();
});

test('a promise whose `then` throws adds no listener', async () => {
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, 'addEventListener');
  const promise = Promise.resolve();
  vi.spyOn(promise, 'then').mockImplementation(() => {
    throw new Error('from then');
  });
  await expect(followUntilAbort(promise, signal, unused)).rejects.toThrow('from then');
  expect(add).not.toHaveBeenCalled();
});
