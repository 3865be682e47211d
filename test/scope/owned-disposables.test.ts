import { expect, test, vi } from 'vitest';
import {
  DisposableMap,
  MutableDisposable,
  RunStack,
  SuppressedError,
} from '../../src/scope/index.js';
import { settle } from '../kit/settle.js';
import { thrownBy } from '../kit/thrown-by.js';

const disposable = (dispose = vi.fn()) => ({ dispose, [Symbol.dispose]: dispose });
const failing = (message: string) =>
  disposable(
    vi.fn(() => {
      throw new Error(message);
    }),
  );

test('MutableDisposable disposes of a value when it is replaced, cleared or the holder ends', () => {
  const holder = new MutableDisposable();
  const [a, b, c] = [disposable(), disposable(), disposable()];
  holder.value = a;
  holder.value = a;
  expect(a.dispose).not.toHaveBeenCalled();
  holder.value = b;
  expect([a.dispose.mock.calls.length, holder.value]).toEqual([1, b]);
  holder.clear();
  expect([b.dispose.mock.calls.length, holder.value]).toEqual([1, undefined]);
  holder.value = c;
  holder.dispose();
  holder[Symbol.dispose]();
  expect([c.dispose.mock.calls.length, holder.disposed]).toEqual([1, true]);
});

test('a value that is set after the end is disposed of at once', () => {
  const late = disposable();
  const holder = new MutableDisposable();
  holder.dispose();
  holder.value = late;
  expect([late.dispose.mock.calls.length, holder.value]).toEqual([1, undefined]);
  const map = new DisposableMap<string, Disposable>();
  map.dispose();
  const later = disposable();
  map.set('a', later);
  expect([later.dispose.mock.calls.length, map.size]).toEqual([1, 0]);
});

test('clearAndLeak hands the value over', () => {
  const value = disposable();
  const holder = new MutableDisposable();
  holder.value = value;
  expect(holder.clearAndLeak()).toBe(value);
  holder.dispose();
  expect(value.dispose).not.toHaveBeenCalled();
});

test('the new value is held although the disposal of the former one throws', () => {
  const holder = new MutableDisposable();
  const fresh = disposable();
  holder.value = failing('stuck');
  expect(() => {
    holder.value = fresh;
  }).toThrow('stuck');
  expect(holder.value).toBe(fresh);
  expect(() => {
    holder.value = {} as never;
  }).toThrow(TypeError);
  expect(holder.value).toBe(fresh);
});

test('a disposal may set another value', () => {
  const holder = new MutableDisposable();
  const next = disposable();
  holder.value = disposable(
    vi.fn(() => {
      holder.value = next;
    }),
  );
  holder.clear();
  expect(holder.value).toBe(next);
  const late = disposable();
  holder.value = disposable(
    vi.fn(() => {
      holder.value = late;
    }),
  );
  holder.dispose();
  expect([late.dispose.mock.calls.length, holder.value]).toEqual([1, undefined]);
});

test('DisposableMap owns its values', () => {
  const [a, b, c] = [disposable(), disposable(), disposable()];
  const map = new DisposableMap<string, Disposable>();
  map.set('x', a).set('x', a).set('x', b).set('y', c);
  expect([a.dispose.mock.calls.length, b.dispose.mock.calls.length]).toEqual([1, 0]);
  expect([map.size, map.get('x'), map.has('y'), map.has('z')]).toEqual([2, b, true, false]);
  expect([[...map.keys()], [...map.values()], [...map]]).toEqual([
    ['x', 'y'],
    [b, c],
    [
      ['x', b],
      ['y', c],
    ],
  ]);
  expect([map.deleteAndDispose('x'), map.deleteAndDispose('x')]).toEqual([true, false]);
  expect(map.deleteAndLeak('y')).toBe(c);
  expect(map.deleteAndLeak('y')).toBe(undefined);
  expect([b.dispose.mock.calls.length, c.dispose.mock.calls.length]).toEqual([1, 0]);
});

test('all values are disposed of although some throw, and the errors are gathered', () => {
  const last = disposable();
  const map = new DisposableMap<number, Disposable>();
  map.set(1, failing('one')).set(2, failing('two')).set(3, last);
  const error = thrownBy(() => map[Symbol.dispose]()) as SuppressedError;
  expect(error).toBeInstanceOf(SuppressedError);
  expect([String(error.error), String(error.suppressed)]).toEqual(['Error: two', 'Error: one']);
  expect([last.dispose.mock.calls.length, map.size, map.disposed]).toEqual([1, 0, true]);
  expect(() => map.set(1, {} as never)).toThrow(TypeError);
});

test('a disposal that ends its holder does not dispose of the new value twice', () => {
  const holder = new MutableDisposable();
  const next = disposable();
  holder.value = { [Symbol.dispose]: () => holder.dispose() };
  holder.value = next;
  expect([next.dispose.mock.calls.length, holder.value, holder.disposed]).toEqual([
    1,
    undefined,
    true,
  ]);
  const map = new DisposableMap<string, Disposable>();
  const successor = disposable();
  map.set('a', { [Symbol.dispose]: () => map.dispose() });
  map.set('a', successor);
  expect([successor.dispose.mock.calls.length, map.size]).toEqual([1, 0]);
});

test('a disposal that returns a promise which rejects is printed, and does not end the process', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const rejecting = (message: string): Disposable => ({
    [Symbol.dispose]: async () => {
      throw new Error(message);
    },
  });
  const holder = new MutableDisposable();
  holder.value = rejecting('holder');
  holder.dispose();
  holder.value = rejecting('late');
  const map = new DisposableMap<string, Disposable>().set('a', rejecting('map'));
  map.dispose();
  map.set('a', rejecting('late in a map'));
  await settle();
  expect(print.mock.calls.map(([, error]) => (error as Error).message)).toEqual([
    'holder',
    'late',
    'map',
    'late in a map',
  ]);
  print.mockRestore();
});

test('what is disposed of asynchronously is refused with the advice to use an asynchronous stack', () => {
  const pool = { [Symbol.asyncDispose]: async () => {} } as unknown as Disposable;
  const message =
    'The value has no method [Symbol.dispose]. Its disposal is asynchronous: add it to an asynchronous stack.';
  using stack = new RunStack();
  using map = new DisposableMap<string, Disposable>();
  for (const add of [() => stack.use(pool), () => map.set('a', pool)]) {
    expect(thrownBy(add)).toEqual(new TypeError(message));
  }
});
