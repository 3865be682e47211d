import { inspect } from 'node:util';
import { afterEach, expect, expectTypeOf, test, vi } from 'vitest';
import {
  InvalidArgumentError,
  IterableWeakMap,
  SoftValueMap,
  WeakValueMap,
} from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';

afterEach(() => {
  vi.restoreAllMocks();
});

interface Item {
  readonly id: string;
}

/** Fills a map with items that no other code holds. It is a function of its own, so that no frame of a test holds them. */
function fill(map: WeakValueMap<string, Item>, ...keys: string[]): void {
  for (const key of keys) map.set(key, { id: `lost ${key}` });
}

test('holds a value while other code holds it', async () => {
  const map = new WeakValueMap<string, Item>();
  const item = { id: 'a' };
  expect(map.set('a', item)).toBe(map);
  await collectGarbage();
  expect([map.get('a'), map.has('a'), map.size]).toEqual([item, true, 1]);
  expect(map.get('a')).toBe(item);
  expect([map.get('b'), map.has('b')]).toEqual([undefined, false]);
});

test('removes a value that no other code holds, with its key', async () => {
  const map = new WeakValueMap<object, Item>();
  const kept = { id: 'kept' };
  const keptKey = {};
  map.set(keptKey, kept);
  const key = (() => {
    const lost = {};
    map.set(lost, { id: 'lost' });
    return new WeakRef(lost);
  })();
  expect(map.size).toBe(2);
  await collectGarbage();
  expect(map.size).toBe(1);
  expect([...map]).toEqual([[keptKey, kept]]);
  expect(map.stats()).toMatchObject({ size: 1, collected: 1 });
  await collectGarbage();
  expect(key.deref()).toBe(undefined);
});

test('onCollect gets the key of each collected value, after its entry was removed', async () => {
  const seen: [string, boolean, number][] = [];
  const map: WeakValueMap<string, Item> = new WeakValueMap({
    onCollect: (key) => {
      seen.push([key, map.has(key), map.stats().size]);
    },
  });
  const kept = { id: 'b' };
  fill(map, 'a');
  map.set('b', kept);
  await collectGarbage();
  expect(seen).toEqual([['a', false, 1]]);
  await collectGarbage();
  expect(seen).toHaveLength(1);
  expect(map.get('b')).toBe(kept);
});

test('onCollect may set the key again', async () => {
  const again = { id: 'again' };
  const map: WeakValueMap<string, Item> = new WeakValueMap({
    onCollect: (key) => {
      map.set(key, again);
    },
  });
  fill(map, 'a');
  await collectGarbage();
  await collectGarbage();
  expect(map.get('a')).toBe(again);
});

test('an error of onCollect is printed, and the other entries are removed', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const map = new WeakValueMap<string, Item>({
    name: 'images',
    onCollect: () => {
      throw new Error('thrown');
    },
  });
  fill(map, 'a', 'b');
  await collectGarbage();
  expect(map.stats()).toMatchObject({ size: 0, collected: 2 });
  expect(print).toHaveBeenCalledTimes(2);
  expect(print.mock.calls[0]?.[0]).toContain('onCollect of images');
});

test('the collection of a replaced value does not change its replacement', async () => {
  const onCollect = vi.fn();
  const map = new WeakValueMap<string, Item>({ onCollect });
  const replacement = { id: 'new' };
  fill(map, 'a');
  map.set('a', replacement);
  await collectGarbage();
  expect(map.get('a')).toBe(replacement);
  expect(onCollect).not.toHaveBeenCalled();
  expect(map.stats()).toMatchObject({ size: 1, collected: 0 });
});

test('a value that was deleted or cleared is not counted as collected', async () => {
  const onCollect = vi.fn();
  const map = new WeakValueMap<string, Item>({ onCollect });
  fill(map, 'a', 'b');
  expect(map.delete('a')).toBe(true);
  map.clear();
  await collectGarbage();
  expect(onCollect).not.toHaveBeenCalled();
  expect(map.stats()).toMatchObject({ size: 0, collected: 0 });
});

test('delete says whether there was a value', () => {
  const map = new WeakValueMap<string, Item>();
  const item = { id: 'a' };
  map.set('a', item);
  expect([map.delete('a'), map.delete('a'), map.delete('b')]).toEqual([true, false, false]);
  expect(map.has('a')).toBe(false);
});

test('getOrInsertComputed makes a value once for as long as it lives', async () => {
  const map = new WeakValueMap<string, Item>();
  const make = vi.fn((key: string) => ({ id: key }));
  const first = map.getOrInsertComputed('a', make);
  expect(map.getOrInsertComputed('a', make)).toBe(first);
  expect(make.mock.calls).toEqual([['a']]);
  make.mockReset();
  make.mockImplementation((key) => ({ id: `${key} again` }));
  (() => map.getOrInsertComputed('b', (id) => ({ id })))();
  await collectGarbage();
  expect(map.getOrInsertComputed('b', make)).toEqual({ id: 'b again' });
  expect(map.get('a')).toBe(first);
});

test('getOrInsertComputed: the result of make replaces what make set, and an error of make changes nothing', () => {
  const map = new WeakValueMap<string, Item>();
  const set = { id: 'set' };
  const made = { id: 'made' };
  expect(
    map.getOrInsertComputed('a', () => {
      map.set('a', set);
      return made;
    }),
  ).toBe(made);
  expect(map.get('a')).toBe(made);
  expect(() =>
    map.getOrInsertComputed('b', () => {
      throw new Error('thrown');
    }),
  ).toThrow('thrown');
  expect(() => map.getOrInsertComputed('b', () => 1 as never)).toThrow(InvalidArgumentError);
  expect(() => map.getOrInsertComputed('a', 1 as never)).toThrow(InvalidArgumentError);
  expect([...map.keys()]).toEqual(['a']);
});

test('values can be collected during a loop over them', async () => {
  const map = new WeakValueMap<string, Item>();
  const last = { id: 'last' };
  fill(map, 'a', 'b', 'c');
  map.set('last', last);
  const seen: string[] = [];
  for (const [key] of map) {
    seen.push(key);
    await collectGarbage();
  }
  expect(seen).toEqual(['a', 'last']);
  expect(map.size).toBe(1);
});

test('a loop sees entries that are added meanwhile, and not deleted ones, as in a Map', () => {
  const items = { a: { id: 'a' }, b: { id: 'b' }, c: { id: 'c' }, d: { id: 'd' } };
  const map = new WeakValueMap<string, Item>();
  map.set('a', items.a).set('b', items.b).set('c', items.c);
  const seen: string[] = [];
  map.forEach((value, key, self) => {
    expect(self).toBe(map);
    seen.push(`${key}=${value.id}`);
    if (key === 'a') {
      map.delete('b');
      map.set('d', items.d);
    }
  });
  expect(seen).toEqual(['a=a', 'c=c', 'd=d']);
  expect([...map.values()]).toEqual([items.a, items.c, items.d]);
});

test('forEach calls with this, and checks its callback', () => {
  const map = new WeakValueMap<string, Item>();
  const item = { id: 'a' };
  const thisArg = {};
  const receivers: unknown[] = [];
  map.set('a', item).forEach(function (this: unknown) {
    receivers.push(this);
  }, thisArg);
  expect(receivers).toEqual([thisArg]);
  expect(() => map.forEach(1 as never)).toThrow(InvalidArgumentError);
});

test('a refused value changes nothing', () => {
  const map = new WeakValueMap<string, Item>();
  const item = { id: 'a' };
  map.set('a', item);
  for (const wrong of [1, 'text', null, undefined, Symbol.for('registered')]) {
    expect(() => map.set('a', wrong as never)).toThrow(InvalidArgumentError);
  }
  expect(map.get('a')).toBe(item);
});

test('unknown and malformed options are refused', () => {
  expect(() => new WeakValueMap({ nmae: 'x' } as never)).toThrow(/unknown option `nmae`/);
  expect(() => new WeakValueMap({ name: '' })).toThrow(InvalidArgumentError);
  expect(() => new WeakValueMap({ onCollect: 1 as never })).toThrow(InvalidArgumentError);
  expect(() => new WeakValueMap(7 as never)).toThrow(InvalidArgumentError);
});

test('counts hits, misses and collected values', async () => {
  const map = new WeakValueMap<string, Item>();
  const item = { id: 'a' };
  map.set('a', item);
  fill(map, 'b');
  map.get('a');
  map.get('c');
  map.getOrInsertComputed('a', () => item);
  await collectGarbage();
  map.get('b');
  map.has('a');
  expect(map.stats()).toEqual({ size: 1, hits: 2, misses: 2, collected: 1 });
});

test('a dropped map is collected with its keys, while its values live', async () => {
  const value = { id: 'kept' };
  const [map, key] = (() => {
    const map = new WeakValueMap<object, Item>({ onCollect: () => {} });
    const key = { value }; // The worst case: a key that reaches its value.
    map.set(key, value);
    return [new WeakRef(map), new WeakRef(key)];
  })();
  await collectGarbage();
  expect([map.deref(), key.deref()]).toEqual([undefined, undefined]);
  expect(value.id).toBe('kept');
});

test('a value that was replaced or deleted does not hold its key or the map', async () => {
  const value = { id: 'kept' };
  const map = new WeakValueMap<object, Item>();
  const other = { id: 'kept too' };
  const key = (() => {
    const key = {};
    map.set(key, value);
    map.set(key, other);
    map.delete(key);
    return new WeakRef(key);
  })();
  await collectGarbage();
  expect([key.deref(), value.id, other.id]).toEqual([undefined, 'kept', 'kept too']);
  expect(map.size).toBe(0);
});

test('types follow the type parameters', () => {
  const map = new WeakValueMap<string, Item>();
  expectTypeOf(map.get('a')).toEqualTypeOf<Item | undefined>();
  expectTypeOf([...map]).toEqualTypeOf<[string, Item][]>();
  expectTypeOf(map.getOrInsertComputed).parameter(1).toEqualTypeOf<(key: string) => Item>();
  // @ts-expect-error -- a number cannot be referred to weakly
  expectTypeOf<WeakValueMap<string, number>>().toBeObject();
  expect(Object.prototype.toString.call(map)).toBe('[object WeakValueMap]');
});

test('is made of entries, such as another map, and holds them weakly', async () => {
  const item = { id: 'a' };
  const map = new WeakValueMap<string, Item>([['a', item]], { name: 'items' });
  const copy = new WeakValueMap(map);
  expect([...copy]).toEqual([['a', item]]);
  expect(new WeakValueMap<string, Item>(null).size).toBe(0);
  expect(() => new WeakValueMap(null, { unknown: 1 } as never)).toThrow(InvalidArgumentError);
  expect(() => new WeakValueMap([['a', 7]] as never)).toThrow(/WeakValueMap.set: `value`/);
  const other = new WeakValueMap<string, Item>();
  fill(other, 'x');
  await collectGarbage();
  expect(new WeakValueMap(other).stats().size).toBe(0);
});

test('getOrInsert keeps the value that lives, and take removes it', () => {
  const [first, second] = [{ id: 'a' }, { id: 'b' }];
  const map = new WeakValueMap<string, Item>();
  expect(map.getOrInsert('a', first)).toBe(first);
  expect(map.getOrInsert('a', second)).toBe(first);
  expect(map.getOrInsert('a', 7 as never)).toBe(first);
  expect(() => map.getOrInsert('b', 7 as never)).toThrow(InvalidArgumentError);
  expect(map.take('a')).toBe(first);
  expect([map.take('a'), map.size]).toEqual([undefined, 0]);
});

test('refs gives the keys with weak references', async () => {
  const kept = { id: 'kept' };
  const map = new WeakValueMap<string, Item>([['kept', kept]]);
  fill(map, 'lost');
  const refs = [...map.refs()];
  await collectGarbage();
  expect(refs.map(([key, ref]) => [key, ref.deref()])).toEqual([
    ['kept', kept],
    ['lost', undefined],
  ]);
});

test('can be passed as a Map, and prints its entries', () => {
  const map: Map<string, Item> = new WeakValueMap([['a', { id: 'a' } as Item]]);
  expect(map.size).toBeLessThanOrEqual(1);
  const item = { id: 'b' };
  expect(inspect(new WeakValueMap([['b', item]]))).toBe("WeakValueMap(1) { 'b' => { id: 'b' } }");
});

test.each([
  { what: 'WeakValueMap', make: () => new WeakValueMap([5] as never) },
  { what: 'SoftValueMap', make: () => new SoftValueMap([5] as never) },
  { what: 'IterableWeakMap', make: () => new IterableWeakMap([5] as never) },
])('$what: an entry that is no pair is refused by name', ({ what, make }) => {
  expect(make).toThrow(InvalidArgumentError);
  expect(make).toThrow(`${what}: \`entry\` must be a pair [key, value], got 5`);
});

test('callbacks get a key of -0 as 0, as keys() gives it: WebKit/WebKit#47885', async () => {
  const keys: number[] = [];
  const map = new WeakValueMap<number, object>({ onCollect: (key) => keys.push(key) });
  (() => {
    map.getOrInsertComputed(-0, (key) => {
      keys.push(key);
      return {};
    });
    keys.push(...map.keys());
  })();
  await collectGarbage();
  expect(keys.map((key) => Object.is(key, 0))).toEqual([true, true, true]);
});
