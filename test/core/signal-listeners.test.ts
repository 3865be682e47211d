import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { SignalListeners } from '../../src/core/signal-listeners.js';

test('waits on one signal share one listener, and get its reason in the order in which they were added', () => {
  const told: string[] = [];
  const listeners = new SignalListeners<string>((wait, reason) => told.push(`${wait}: ${reason}`));
  const controller = new AbortController();
  for (const wait of ['a', 'b', 'c']) listeners.add(controller.signal, wait);
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
  listeners.remove(controller.signal, 'b');
  controller.abort('enough');
  expect(told).toEqual(['a: enough', 'c: enough']);
});

test('the listener is removed from the signal with the last wait', () => {
  const listeners = new SignalListeners<string>(() => {});
  const { signal } = new AbortController();
  listeners.add(signal, 'a');
  listeners.add(signal, 'b');
  listeners.remove(signal, 'a');
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  listeners.remove(signal, 'b');
  listeners.remove(signal, 'b');
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('a wait that another wait removes during the abort is not called', () => {
  const told: string[] = [];
  const controller = new AbortController();
  const listeners = new SignalListeners<string>((wait) => {
    told.push(wait);
    listeners.remove(controller.signal, 'b');
  });
  listeners.add(controller.signal, 'a');
  listeners.add(controller.signal, 'b');
  controller.abort();
  expect(told).toEqual(['a']);
});

test('the listener is a function: abortcontroller-polyfill calls no other', () => {
  const told: unknown[] = [];
  const listeners = new SignalListeners<string>((...call) => told.push(call));
  const added = new Set<() => void>();
  const ponyfill = {
    aborted: false,
    reason: 'enough',
    addEventListener: (_event: string, listener: () => void) => added.add(listener),
    removeEventListener: (_event: string, listener: () => void) => added.delete(listener),
  } as unknown as AbortSignal;
  listeners.add(ponyfill, 'a');
  listeners.add(ponyfill, 'b');
  listeners.remove(ponyfill, 'b');
  for (const listener of added) listener.call(ponyfill);
  expect(told).toEqual([['a', 'enough']]);
  listeners.remove(ponyfill, 'a');
  expect(added.size).toBe(0);
});
