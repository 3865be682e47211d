/** The types of memoized functions. `npm run typecheck` is the test. */
import { expect, expectTypeOf, test } from 'vitest';
import {
  type CacheEventMap,
  type CacheInfo,
  createCache,
  memoize,
} from '../../src/memoize/index.js';

test('generics are kept: planttheidea/micro-memoize#126', () => {
  const identity = memoize(<T>(value: T): T => value);
  expectTypeOf(identity({ a: 1 })).toEqualTypeOf<{ a: number }>();
  const text: string = identity('x');
  const count: number = identity(1);
  expect([text, count]).toEqual(['x', 1]);
});

test('overloads are kept: sindresorhus/memoize#46', () => {
  function parse(text: string): string;
  function parse(text: string, base: number): number;
  function parse(text: string, base?: number): string | number {
    return base === undefined ? text : Number.parseInt(text, base);
  }
  const memoized = memoize(parse);
  const text: string = memoized('10');
  const count: number = memoized('10', 2);
  expect([text, count]).toEqual(['10', 2]);
});

test('the type of `this` is kept', () => {
  const scale = memoize(function (this: { by: number }, x: number): number {
    return this.by * x;
  });
  expectTypeOf(scale).thisParameter.toEqualTypeOf<{ by: number }>();
  // @ts-expect-error: it needs its receiver.
  expect(() => scale(1)).toThrow(TypeError);
  const owner = { by: 2, scale };
  expect(owner.scale(3)).toBe(6);
});

test('listeners know the arguments and the result of the function', () => {
  const user = memoize(async (id: number) => ({ id }));
  user.on('hit', ({ args }) => expectTypeOf(args).toEqualTypeOf<[id: number]>());
  user.on('load', ({ value }) => expectTypeOf(value).toEqualTypeOf<{ id: number }>());
  user.on('evict', ({ args }) =>
    expectTypeOf(args).toEqualTypeOf<readonly unknown[] | undefined>(),
  );
  const pages = createCache<string, Buffer>();
  pages.on('miss', ({ args: [key] }) => expectTypeOf(key).toBeString());
  pages.on('load', ({ value }) => expectTypeOf(value).toEqualTypeOf<Buffer>());
  const seen: unknown[] = [];
  const note = (payload: CacheEventMap['hit']): void => void seen.push(...payload.args);
  user.on('miss', note).off('miss', note);
  expect(seen).toEqual([]);
});

test('members take the arguments of the function', () => {
  const user = memoize(async (id: number, _?: string) => ({ id }), {
    key: (id, tenant) => {
      expectTypeOf(id).toBeNumber();
      expectTypeOf(tenant).toEqualTypeOf<string | undefined>();
      return `${tenant}/${id}`;
    },
  });
  expectTypeOf(user.delete).parameters.toEqualTypeOf<[id: number, _?: string | undefined]>();
  expectTypeOf(user.peek).returns.toEqualTypeOf<Promise<{ id: number }> | undefined>();
  expectTypeOf(user.cacheInfo).returns.toEqualTypeOf<CacheInfo>();
  expectTypeOf(user.wrapped).returns.resolves.toEqualTypeOf<{ id: number }>();
  // @ts-expect-error: an id is a number.
  expect(user.delete('7')).toBe(false);
  // @ts-expect-error: no such option.
  expect(() => memoize(() => 1, { maxAge: 1 })).toThrow('maxAge');
  expectTypeOf(user).toExtend<Disposable>();
});

test('properties of the function are kept', () => {
  const tagged = memoize(Object.assign((x: number) => x, { tag: 'x' as const }));
  expectTypeOf(tagged.tag).toEqualTypeOf<'x'>();
  expect(tagged.tag).toBe('x');
});
