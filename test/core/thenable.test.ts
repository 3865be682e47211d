import { expect, test } from 'vitest';
import { onceSettled } from '../../src/core/thenable.js';

test('calls back in a later microtask, whatever the `then` of a promise does', async () => {
  const promise = Promise.resolve(1);
  // biome-ignore lint/suspicious/noThenProperty: an instrumentation may replace it.
  promise.then = () => {
    throw new Error('then');
  };
  const seen: unknown[] = [];
  const done = onceSettled(promise, (value) => void seen.push(value));
  expect(seen).toEqual([]);
  await done;
  expect(seen).toEqual([1]);
});

test('gives what the callback returns, of values and thenables too, and passes on what it has no callback for', async () => {
  expect(await onceSettled(1, (value) => value + 1)).toBe(2);
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what this test is about.
  const thenable: PromiseLike<number> = { then: (onValue) => Promise.resolve(3).then(onValue) };
  expect(await onceSettled(thenable)).toBe(3);
  const failure = new Error('no');
  await expect(onceSettled(Promise.reject(failure), () => {})).rejects.toBe(failure);
  expect(await onceSettled(Promise.reject(failure), undefined, (error) => error)).toBe(failure);
});
