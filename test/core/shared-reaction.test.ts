import { expect, test } from 'vitest';
import { onSettled } from '../../src/core/shared-reaction.js';
import { followUntilAbort } from '../../src/core/signal-waits.js';
import { settle } from '../kit/settle.js';

/** A promise that counts how often `then` is called: each call stays on it until it settles. */
function counted(promise: Promise<string>) {
  const target = {
    reactions: 0,
    // biome-ignore lint/suspicious/noThenProperty: a foreign promise is what this is about.
    then: ((...reactions: Parameters<PromiseLike<string>['then']>) => {
      target.reactions++;
      return promise.then(...reactions);
    }) as PromiseLike<string>['then'],
  };
  return target;
}

test('callers that leave a promise that never settles leave nothing on it', async () => {
  const hung = counted(new Promise(() => {}));
  for (let caller = 0; caller < 50; caller++) {
    const controller = new AbortController();
    const wait = followUntilAbort(hung, controller.signal, () => {});
    controller.abort(new Error(`caller ${caller} has left`));
    await expect(wait).rejects.toThrow(`caller ${caller} has left`);
  }
  expect(hung.reactions).toBe(1);
});

test('callers that stay are told in order, and those that come after the end too', async () => {
  let resolve!: (value: string) => void;
  const promise = counted(
    new Promise<string>((done) => {
      resolve = done;
    }),
  );
  const told: string[] = [];
  const wait = (name: string): (() => void) =>
    onSettled(
      promise,
      (value) => told.push(`${name}: ${value}`),
      () => {},
    );
  wait('first');
  const leave = wait('second');
  wait('third');
  leave();
  resolve('done');
  await settle();
  expect(told).toEqual(['first: done', 'third: done']);
  wait('late');
  await settle();
  expect(told.at(-1)).toBe('late: done');
});

test('a wait for a promise whose `then` throws is no wait, and the next one asks again', async () => {
  let isBroken = true;
  const promise = {
    // biome-ignore lint/suspicious/noThenProperty: a foreign promise is what this is about.
    then: ((resolve: (value: string) => void) => {
      if (isBroken) throw new Error('broken then');
      resolve('works');
    }) as unknown as PromiseLike<string>['then'],
  };
  const told: string[] = [];
  const wait = (): (() => void) =>
    onSettled(
      promise,
      (value) => told.push(value),
      () => {},
    );
  expect(wait).toThrow('broken then');
  isBroken = false;
  wait();
  expect(told).toEqual(['works']);
});
