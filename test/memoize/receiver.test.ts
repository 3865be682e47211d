import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';

describe.each([
  { what: 'unbounded', options: {} },
  { what: 'bounded', options: { max: 100 } },
  { what: 'keyed', options: { key: (id: number) => `#${id}` } },
])('methods, $what', ({ options }) => {
  class Shop {
    runs = 0;
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
    item(id: number): string {
      this.runs++;
      return `${this.name} ${id}`;
    }
  }

  function shops(): { item: ReturnType<typeof memoizedItem>; a: Shop; b: Shop } {
    class MemoShop extends Shop {}
    const item = memoizedItem();
    MemoShop.prototype.item = item;
    return { item, a: new MemoShop('a'), b: new MemoShop('b') };
  }
  function memoizedItem() {
    const { item } = Shop.prototype;
    return memoize(item, options);
  }

  test('two instances share no results, and the function gets `this`: sindresorhus/memoize#74, p-memoize#46', () => {
    const { a, b } = shops();
    expect([a.item(1), b.item(1), a.item(1), b.item(1)]).toEqual(['a 1', 'b 1', 'a 1', 'b 1']);
    expect([a.runs, b.runs]).toEqual([1, 1]);
  });

  test('two methods share no results: sindresorhus/memoize#77', () => {
    const object = {
      n: 2,
      double: memoize(function (this: { n: number }, x: number) {
        return this.n * x;
      }),
      power: memoize(function (this: { n: number }, x: number) {
        return x ** this.n;
      }),
    };
    expect([object.double(5), object.power(5), object.double(5)]).toEqual([10, 25, 10]);
  });

  test('`delete` is for all instances, or for the one that it is called on', () => {
    const { item, a, b } = shops();
    a.item(1);
    b.item(1);
    expect(item.delete.call(a, 1)).toBe(true);
    expect([item.has.call(a, 1), item.has.call(b, 1)]).toEqual([false, true]);
    a.item(1);
    expect(item.delete(1)).toBe(true);
    expect([item.has.call(a, 1), item.has.call(b, 1)]).toEqual([false, false]);
    expect(item.delete(1)).toBe(false);
    expect(item.cacheInfo().size).toBe(0);
  });

  test('`peek`, `has` and `set` are for the instance that they are called on', () => {
    const { item, a, b } = shops();
    item.set.call(a, [1], 'given');
    expect([a.item(1), b.item(1)]).toEqual(['given', 'b 1']);
    expect([item.peek.call(a, 1), item.peek.call(b, 1), item.peek(1)]).toEqual([
      'given',
      'b 1',
      undefined,
    ]);
    expect(a.runs).toBe(0);
  });

  test('the global object and `null` do not count as receivers', () => {
    let runs = 0;
    const fn = memoize(function (this: unknown, _: number) {
      return ++runs;
    }, options);
    expect([fn(1), Reflect.apply(fn, globalThis, [1]), Reflect.apply(fn, null, [1])]).toEqual([
      1, 1, 1,
    ]);
    expect(Reflect.apply(fn, 'text', [1])).toBe(2);
    expect(Reflect.apply(fn, 'text', [1])).toBe(2);
  });
});

describe('functions that cannot use `this`', () => {
  const computed = Symbol('computed');
  const functions = {
    arrow: (id: number) => ({ id }),
    'arrow without parentheses': ((id) => ({ id })) as (id: number) => object,
    'async arrow': async (id: number) => ({ id }),
    bound: function (this: unknown, id: number) {
      return { id };
    }.bind({}),
  };
  test.each(Object.entries(functions))('%s: the receiver is not part of the key', async (_, fn) => {
    const users = { byId: memoize(fn as (id: number) => object) };
    const other = { byId: users.byId };
    const found = users.byId(7);
    await found;
    expect(other.byId(7)).toBe(found);
    expect(users.byId.peek(7)).toBe(found);
    expect(users.byId.delete(7)).toBe(true);
    expect(users.byId(7)).not.toBe(found);
  });

  const seeing = {
    function: function (this: unknown, id: number) {
      return { id };
    },
    method: {
      byId(id: number) {
        return { id };
      },
    }.byId,
    'async method': {
      async byId(id: number) {
        return { id };
      },
    }.byId,
    'computed method': {
      [computed](id: number) {
        return { id };
      },
    }[computed],
    'a method called async': {
      async(id: number) {
        return { id };
      },
    }.async,
  };
  test.each(Object.entries(seeing))('%s: the receiver is part of the key', (_, fn) => {
    const byId = memoize(fn as (id: number) => object);
    const [users, other] = [{ byId }, { byId }];
    expect(users.byId(7)).toBe(users.byId(7));
    expect(other.byId(7)).not.toBe(users.byId(7));
  });
});

test('a call on an object is not a call with that object as an argument', () => {
  const fn = memoize(function (this: unknown, ...args: object[]) {
    return { on: this, with: args };
  });
  const shop = {};
  const on = Reflect.apply(fn, shop, []);
  expect(fn(shop)).not.toBe(on);
  expect(fn(shop)).toMatchObject({ with: [shop] });
  expect(Reflect.apply(fn, shop, [])).toBe(on);
});

test('one object: a forgotten, replaced or cleared result is not served again', () => {
  let calls = 0;
  const fn = memoize((_: object) => ++calls);
  const key = {};
  expect([fn(key), fn(key)]).toEqual([1, 1]);
  fn.delete(key);
  expect([fn(key), fn(key)]).toEqual([2, 2]);
  fn.set([key], 7);
  expect(fn(key)).toBe(7);
  fn.clear();
  expect([fn(key), fn(key)]).toEqual([3, 3]);
});
