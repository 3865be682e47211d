import { inspect } from 'node:util';
import { afterEach, expect, expectTypeOf, test, vi } from 'vitest';
import {
  InvalidArgumentError,
  type WeakMethod,
  wasCollected,
  weakMethod,
} from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';

afterEach(() => {
  vi.restoreAllMocks();
});

class Counter {
  count = 0;
  add(by: number): number {
    this.count += by;
    return this.count;
  }
}

test('gives the bound method while its object lives, and always the same function', async () => {
  let counter: Counter | null = new Counter();
  const add = weakMethod(counter, 'add');
  const bound = new WeakSet([add.deref() as object]);
  await collectGarbage();
  expect(add.deref()?.(2)).toBe(2);
  expect(counter.count).toBe(2);
  expect(bound.has(add.deref() as object)).toBe(true);
  expect(weakMethod(counter, 'add').deref()).toBe(add.deref());
  counter = null;
  await collectGarbage();
  expect(add.deref()).toBe(undefined);
});

test('does not keep its object alive, nor does a bound function that was given and dropped', async () => {
  expect(
    await wasCollected(() => {
      const counter = new Counter();
      weakMethod(counter, 'add', () => {}).deref()?.(1);
      return counter;
    }),
  ).toBe(true);
});

test('is dead when the method is dead, although the object lives', async () => {
  const view: { draw?: () => string } = {};
  const draw = (() => {
    view.draw = () => 'drawn';
    return weakMethod(view as { draw: () => string }, 'draw');
  })();
  await collectGarbage();
  expect(draw.deref()?.()).toBe('drawn');
  delete view.draw;
  await collectGarbage();
  expect([draw.deref(), view]).toEqual([undefined, {}]);
});

test('the callback is called once, whether the object or the method dies first', async () => {
  const deaths: WeakMethod<() => string>[] = [];
  const died = (method: WeakMethod<() => string>) => deaths.push(method);
  const both = (() => weakMethod({ draw: () => 'both' }, 'draw', died))();
  await collectGarbage();
  expect(deaths).toEqual([both]);
  const shared = () => 'shared';
  const ofObject = (() => weakMethod({ draw: shared }, 'draw', died))();
  await collectGarbage();
  expect(deaths).toEqual([both, ofObject]);
  const view: { draw?: () => string } = {};
  const ofMethod = (() => {
    view.draw = () => 'own';
    return weakMethod(view as { draw: () => string }, 'draw', died);
  })();
  delete view.draw;
  await collectGarbage();
  expect(deaths).toEqual([both, ofObject, ofMethod]);
});

test('the callback of a weak method that was dropped is not called', async () => {
  const deaths: unknown[] = [];
  (() => weakMethod(new Counter(), 'add', () => deaths.push('called')))();
  await collectGarbage();
  expect(deaths).toEqual([]);
});

test('the rejection of an asynchronous callback is printed', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const failing = async (): Promise<void> => {
    throw new Error('of the callback');
  };
  const add = (() => weakMethod(new Counter(), 'add', failing))();
  await collectGarbage();
  expect(print.mock.calls.map(([, error]) => error)).toEqual([new Error('of the callback')]);
  expect(add.deref()).toBe(undefined);
});

test('refuses what is no method', () => {
  expect(() => weakMethod(new Counter(), 'count' as never)).toThrow(
    'weakMethod: `count` must be a function, got 0.',
  );
  expect(() => weakMethod(1 as never, 'toFixed' as never)).toThrow(InvalidArgumentError);
  expect(() => weakMethod(new Counter(), 'add', 1 as never)).toThrow(InvalidArgumentError);
});

test('types follow the method; prints it', () => {
  const counter = new Counter();
  const add = weakMethod(counter, 'add');
  expectTypeOf(add.deref()).toEqualTypeOf<((by: number) => number) | undefined>();
  // @ts-expect-error -- a property that is no method
  expect(() => weakMethod(counter, 'count')).toThrow();
  expect(inspect(add)).toBe('WeakMethod ([Function: bound add])');
});
