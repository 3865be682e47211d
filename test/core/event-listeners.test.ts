import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test, vi } from 'vitest';
import { EventListeners } from '../../src/core/event-listeners.js';

interface Events {
  opened: number;
  closed: string;
}

const listenersOf = (): EventListeners<Events> =>
  new EventListeners('a door', ['opened', 'closed']);

test('a listener is called once for each event until it is removed', () => {
  const listeners = listenersOf();
  const opened: number[] = [];
  const note = (count: number): void => void opened.push(count);
  listeners.on('opened', note);
  listeners.on('opened', note);
  listeners.emit('opened', 1);
  listeners.emit('closed', 'for good');
  expect(listeners.has('opened')).toBe(true);
  listeners.off('opened', note);
  listeners.emit('opened', 2);
  expect(opened).toEqual([1]);
  expect(listeners.has('opened')).toBe(false);
});

test('an error of a listener is printed with the event, and the other listeners are called', () => {
  using print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const listeners = listenersOf();
  const opened: number[] = [];
  listeners.on('opened', () => {
    throw new Error('broken');
  });
  listeners.on('opened', (count) => void opened.push(count));
  listeners.emit('opened', 1);
  expect(opened).toEqual([1]);
  expect(String(print.mock.calls[0]?.[0])).toContain("a listener of a door's 'opened'");
});

test('a listener that is added or removed during an event changes only the next event', () => {
  const listeners = listenersOf();
  const calls: string[] = [];
  const second = (): void => void calls.push('second');
  listeners.on('opened', () => {
    calls.push('first');
    listeners.off('opened', second);
    listeners.on('opened', () => void calls.push('third'));
  });
  listeners.on('opened', second);
  listeners.emit('opened', 1);
  expect(calls).toEqual(['first', 'second']);
});

test('a listener that puts another one in its place is called once for each event', () => {
  const listeners = listenersOf();
  let calls = 0;
  const listenOnce = (): void => {
    const listener = (): void => {
      if (++calls < 10) listenOnce();
      listeners.off('opened', listener);
    };
    listeners.on('opened', listener);
  };
  listenOnce();
  listeners.emit('opened', 1);
  expect(calls).toBe(1);
  listeners.emit('opened', 2);
  expect(calls).toBe(2);
});

test('an error names an unknown event, and a listener that is no function', () => {
  const listeners = listenersOf();
  expect(() => listeners.on('error' as 'opened', () => {})).toThrow("one of 'opened', 'closed'");
  expect(() => listeners.off('error' as 'opened', () => {})).toThrow('off: `event`');
  expect(() => listeners.on('opened', 1 as never)).toThrow('on: `listener` must be a function');
});

test('listeners run in the given async context', () => {
  const storage = new AsyncLocalStorage<string>();
  const inContext = storage.run('own', () => AsyncLocalStorage.snapshot());
  const listeners = new EventListeners<Events>('a door', ['opened', 'closed'], inContext);
  let seen: string | undefined;
  listeners.on('opened', () => {
    seen = storage.getStore();
  });
  storage.run('caller', () => listeners.emit('opened', 1));
  expect(seen).toBe('own');
});
