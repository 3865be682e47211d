/** The decorator `@memoized()` on methods and getters. The type checker is part of the test. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import { cacheOf, createCache, memoize, memoized } from '../../src/memoize/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';

const clock = new FakeClock();

class Shop {
  readonly name: string;
  runs = 0;
  constructor(name: string) {
    this.name = name;
  }

  @memoized()
  item(id: number): string {
    this.runs++;
    return `${this.name} ${id}`;
  }

  @memoized({ max: 2, ttl: 100, clock })
  bounded(id: number, _?: string): { id: number; run: number } {
    return { id, run: ++this.runs };
  }

  @memoized()
  get label(): { text: string } {
    this.runs++;
    return { text: this.name };
  }

  @memoized()
  async later(id: number): Promise<{ id: number }> {
    this.runs++;
    return { id };
  }

  @memoized<Shop['search']>({ key: (query) => query.text, cacheIf: (found) => found.length > 0 })
  search(query: { text: string }): string[] {
    this.runs++;
    return query.text === '' ? [] : [query.text];
  }

  @memoized()
  generic<T>(value: T): { value: T } {
    return { value };
  }

  static runs = 0;
  @memoized()
  static count(_: string): number {
    return ++Shop.runs;
  }

  @memoized()
  #secret(id: number): object {
    return { id };
  }
  tell(id: number): object {
    return this.#secret(id);
  }
}

class Bakery extends Shop {
  bakes = 0;

  @memoized()
  override item(id: number): string {
    this.bakes++;
    return `${super.item(id)} of bread`;
  }
}

describe('a decorated method', () => {
  test('has a cache for each instance: sindresorhus/memoize#74, p-memoize#46', () => {
    const [a, b] = [new Shop('a'), new Shop('b')];
    expect([a.item(1), a.item(1), b.item(1), a.item(2)]).toEqual(['a 1', 'a 1', 'b 1', 'a 2']);
    expect([a.runs, b.runs]).toEqual([2, 1]);
  });

  test('shares no results with another method: sindresorhus/memoize#77', () => {
    const shop = new Shop('a');
    expect(shop.item(1)).toBe('a 1');
    expect(shop.bounded(1)).toEqual({ id: 1, run: 2 });
    expect(shop.generic(1)).toEqual({ value: 1 });
  });

  test('has a bound and a ttl for each instance', () => {
    const [a, b] = [new Shop('a'), new Shop('b')];
    const first = a.bounded(1);
    for (const id of [1, 2, 3, 4]) b.bounded(id);
    expect(a.bounded(1)).toBe(first);
    clock.jump(100);
    expect(a.bounded(1)).not.toBe(first);
    expect(cacheOf(b, 'bounded').cacheInfo()).toMatchObject({ size: 2, evictions: 2, max: 2 });
    expect(cacheOf(a, 'bounded').cacheInfo()).toMatchObject({ size: 1, expirations: 1 });
  });

  test('keeps its name and length, and its place on the prototype', () => {
    expect([Shop.prototype.item.name, Shop.prototype.bounded.length]).toEqual(['item', 2]);
    expect(Object.keys(new Shop('a'))).toEqual(['name', 'runs']);
  });

  test('takes typed callbacks, called with the instance as `this`', () => {
    const shop = new Shop('a');
    expect(shop.search({ text: 'x' })).toBe(shop.search({ text: 'x' }));
    shop.search({ text: '' });
    shop.search({ text: '' });
    expect(shop.runs).toBe(3);
    class Keyed {
      prefix = 'p';
      @memoized<Keyed['find']>({
        key(this: unknown, id) {
          return `${(this as Keyed).prefix}${id}`;
        },
      })
      find(id: number): object {
        return { id };
      }
    }
    const keyed = new Keyed();
    const found = keyed.find(1);
    expect(keyed.find(1)).toBe(found);
    keyed.prefix = 'q';
    expect(keyed.find(1)).not.toBe(found);
  });

  test('runs one load for concurrent callers', async () => {
    const shop = new Shop('a');
    const [one, two] = [shop.later(1), shop.later(1)];
    expect(one).toBe(two);
    expect(await one).toEqual({ id: 1 });
    expect(shop.runs).toBe(1);
  });

  test('may be static, private or a getter', () => {
    expect([Shop.count('x'), Shop.count('x'), Shop.count('y')]).toEqual([1, 1, 2]);
    const shop = new Shop('a');
    expect(shop.tell(1)).toBe(shop.tell(1));
    expect(shop.label).toBe(shop.label);
    expect(shop.runs).toBe(1);
    expect(new Shop('b').label).toEqual({ text: 'b' });
  });

  test('is the original method when it is called without a receiver', () => {
    const { item } = Shop.prototype;
    expect(() => Reflect.apply(item, undefined, [1])).toThrow(TypeError);
  });
});

describe('inheritance', () => {
  test('an inherited method has a cache for each instance of every class', () => {
    const [shop, bakery] = [new Shop('s'), new Bakery('b')];
    expect([shop.label.text, bakery.label.text]).toEqual(['s', 'b']);
    expect(bakery.label).toBe(bakery.label);
  });

  test('an overriding method and the overridden one have separate caches', () => {
    const bakery = new Bakery('b');
    expect([bakery.item(1), bakery.item(1)]).toEqual(['b 1 of bread', 'b 1 of bread']);
    expect([bakery.bakes, bakery.runs]).toEqual([1, 1]);
    cacheOf(bakery, 'item').clear();
    bakery.item(1);
    expect([bakery.bakes, bakery.runs]).toEqual([2, 1]);
  });
});

describe('cacheOf', () => {
  test('gives the members of a memoized function, for one instance', async () => {
    const [a, b] = [new Shop('a'), new Shop('b')];
    a.item(1);
    b.item(1);
    const cache = cacheOf(a, 'item');
    expectTypeOf(cache.peek).parameters.toEqualTypeOf<[id: number]>();
    expectTypeOf(cache(1)).toBeString();
    expect([cache.peek(1), cache.has(2), cache.delete(1)]).toEqual(['a 1', false, true]);
    expect([a.item(1), b.item(1), a.runs, b.runs]).toEqual(['a 1', 'b 1', 2, 1]);
    cache.set([1], 'given');
    expect([a.item(1), cache(1), cache.wrapped(1)]).toEqual(['given', 'given', 'a 1']);
    const label = cacheOf(a, 'label');
    expectTypeOf(label.peek).returns.toEqualTypeOf<{ text: string } | undefined>();
    expect(label.has()).toBe(false);
    expect(a.label).toBe(label.peek());
    await expect(
      cacheOf(a, 'later').call([1], { signal: AbortSignal.abort(new Error('gone')) }),
    ).rejects.toThrow('gone');
  });

  test('gives a class the cache of its own method, by the type of the method', () => {
    class Prices {
      readonly stored = new Map([['tea', 3]]);

      @memoized()
      of(item: string): number | undefined {
        return this.stored.get(item);
      }

      @memoized()
      private secret(item: string): string {
        return item;
      }

      change(item: string, price: number): boolean {
        this.stored.set(item, price);
        this.secret(item);
        const secret = cacheOf<Prices['secret']>(this, 'secret');
        expectTypeOf(secret.peek).toEqualTypeOf<(item: string) => string | undefined>();
        expect(secret.peek(item)).toBe(item);
        return cacheOf<Prices['of']>(this, 'of').delete(item);
      }
    }
    const prices = new Prices();
    expect([prices.of('tea'), prices.change('tea', 4), prices.of('tea')]).toEqual([3, true, 4]);
    // @ts-expect-error A name without a type is one of the members.
    expect(() => cacheOf(prices, 'off')).toThrow('`off` is not decorated');
    // @ts-expect-error The arguments are those of the method.
    expect(cacheOf<Prices['of']>(prices, 'of').delete(4)).toBe(false);
  });

  test('refuses a member that is not decorated', () => {
    const shop = new Shop('a');
    expect(() => cacheOf(shop, 'tell')).toThrow('cacheOf: `tell` is not decorated');
    expect(() => cacheOf(shop, 'name')).toThrow('`name` is not decorated');
    expect(() => cacheOf(shop, 'nothing' as never)).toThrow('`nothing` is not decorated');
  });
});

describe('a decorated class', () => {
  test('keeps no instance from being collected, and its results are collected with it: python/cpython#102618', async () => {
    const results: WeakRef<object>[] = [];
    const instances = Array.from({ length: 20 }, () => {
      const shop = new Shop('a');
      results.push(new WeakRef(shop.label), new WeakRef(shop.bounded(1)));
      return new WeakRef(shop);
    });
    await collectGarbage();
    expect(instances.filter((ref) => ref.deref() !== undefined)).toEqual([]);
    expect(results.filter((ref) => ref.deref() !== undefined)).toEqual([]);
  });

  test('allocates nothing before the first call, and little then: isaacs/node-lru-cache#208', () => {
    let made = 0;
    const counting = { now: () => 0 };
    class Big {
      @memoized({ max: 1_000_000, clock: counting })
      m(id: number): number {
        made++;
        return id;
      }
    }
    const many = Array.from({ length: 1_000 }, () => new Big());
    const before = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    for (const big of many) big.m(1);
    const after = process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    expect(made).toBe(1_000);
    expect((after - before) / 1_000).toBeLessThan(20_000);
  });

  test('only methods and getters can be decorated', () => {
    const decorate = memoized() as (value: unknown, context: object) => unknown;
    expect(() => decorate(undefined, { kind: 'field', name: 'x' })).toThrow(
      'memoized: it decorates methods and getters, `x` is a field',
    );
    expect(() => memoized({ maxAge: 1 } as never)).toThrow('unknown option `maxAge`');
    const misuse = (): unknown =>
      class {
        // @ts-expect-error: a setter returns nothing to remember.
        @memoized()
        set x(_: number) {}
      };
    expect(misuse).toThrow('`x` is a setter');
  });

  test('concurrent callers of one instance share one load', async () => {
    const gates = new Gates<string>();
    class Api {
      @memoized({ name: 'api' })
      get(_: string): Promise<string> {
        return gates.next();
      }
    }
    const [a, b] = [new Api(), new Api()];
    const calls = [a.get('k'), a.get('k'), b.get('k')];
    expect(gates.arrived).toBe(2);
    gates.at(0).open('of a');
    gates.at(1).open('of b');
    expect(await Promise.all(calls)).toEqual(['of a', 'of a', 'of b']);
  });
});

test('a method that is called for a primitive runs without a cache', () => {
  class Doubling {
    @memoized()
    twice(id: number): number {
      return 2 * id;
    }
  }
  expect(Reflect.apply(Doubling.prototype.twice, 5, [2])).toBe(4);
});

test('inherited options count as own ones do', () => {
  class Limits {
    get max(): number {
      return 1;
    }
  }
  class Doubling {
    @memoized(new Limits())
    twice(id: number): number {
      return 2 * id;
    }
  }
  const doubling = new Doubling();
  expect([doubling.twice(1), doubling.twice(2)]).toEqual([2, 4]);
  expect(cacheOf(doubling, 'twice').cacheInfo()).toMatchObject({ max: 1, size: 1 });
});

test('each option is read once, by `memoize`, `createCache` and the decorator', () => {
  const weigh = (): number => 1;
  const names = { max: 5, maxWeight: 7, weigh, name: 'a name', ttl: 9, tags: () => [] };
  const readers: { what: string; make: (options: object) => unknown }[] = [
    { what: 'memoize', make: (options) => memoize((x: number) => x, options) },
    { what: 'createCache', make: (options) => createCache(options) },
    {
      what: 'memoized',
      make: (options) => {
        class Shop {
          @memoized(options)
          price(item: string): string {
            return item;
          }
        }
        const [rome, oslo] = [new Shop(), new Shop()];
        return [rome.price('tea'), oslo.price('tea')];
      },
    },
  ];
  for (const { what, make } of readers) {
    const reads: string[] = [];
    const options = {};
    for (const [name, value] of Object.entries(names)) {
      Object.defineProperty(options, name, {
        enumerable: true,
        get() {
          reads.push(name);
          return value;
        },
      });
    }
    make(options);
    expect([what, reads.sort()]).toEqual([what, Object.keys(names).sort()]);
  }
});
