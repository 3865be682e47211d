import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  InvalidArgumentError,
  IterableWeakSet,
  type SetLike,
  wasCollected,
} from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { until } from '../kit/until.js';

const [a, b, c, d] = [{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }];

/** A set-like object. `stopped` is called when a loop over it ends early. */
function setLikeOf(members: object[], stopped: () => unknown = () => {}): SetLike<object> {
  return {
    size: members.length,
    has: (value) => members.includes(value as object),
    keys: () => {
      const left = members.values();
      return {
        next: () => left.next(),
        return: () => {
          stopped();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

const idsOf = (set: Iterable<{ id: string }>) => [...set].map(({ id }) => id).join('');

test('a member that no other code holds leaves the set', async () => {
  const set = new IterableWeakSet([a]);
  expect(
    await wasCollected(() => {
      const lost = { id: 'lost' };
      set.add(lost);
      return lost;
    }),
  ).toBe(true);
  await until(() => set.stats().size === 1);
  expect([idsOf(set), set.size, set.stats()]).toEqual(['a', 1, { size: 1, collected: 1 }]);
});

test('size never counts the dead, and a member added again goes to the end', async () => {
  const set = new IterableWeakSet<{ id: string }>([a, b]);
  set.delete(a);
  set.add(a).add(b);
  expect(idsOf(set)).toBe('ba');
  (() => {
    for (let i = 0; i < 50; i++) set.add({ id: 'lost' });
  })();
  await until(async () => {
    await collectGarbage();
    return set.size === 2;
  });
  expect(idsOf(set)).toBe('ba');
});

test('has the members of a Set', () => {
  const set = new IterableWeakSet([a, b, a]);
  expect([set.size, set.has(a), set.has(c), set.delete(c), set.delete(b)]).toEqual([
    2,
    true,
    false,
    false,
    true,
  ]);
  expect([...set.entries()]).toEqual([[a, a]]);
  expect([...set.keys()]).toEqual([...set.values()]);
  const seen: unknown[] = [];
  set.forEach(function (this: unknown, member, again, self) {
    seen.push(this, member, again, self === set);
  }, 'context');
  expect(seen).toEqual(['context', a, a, true]);
  set.clear();
  expect([set.size, set.stats().size, String(set)]).toEqual([0, 0, '[object IterableWeakSet]']);
  const asSet: Set<{ id: string }> = new IterableWeakSet([a]);
  expect(new Set(asSet).has(a)).toBe(true);
});

test.each<[string, (x: IterableWeakSet<{ id: string }>) => unknown, unknown]>([
  ['union', (x) => idsOf(x.union(new Set([b, d]))), 'abcd'],
  ['union of weak sets', (x) => idsOf(x.union(new IterableWeakSet([d]))), 'abcd'],
  ['intersection', (x) => idsOf(x.intersection(new Set([c, b, d]))), 'bc'],
  ['intersection with a smaller set', (x) => idsOf(x.intersection(new Set([c, b]))), 'cb'],
  ['difference', (x) => idsOf(x.difference(new Map([[b, 1]]))), 'ac'],
  ['symmetric difference', (x) => idsOf(x.symmetricDifference(new Set([b, d]))), 'acd'],
  ['subset', (x) => x.isSubsetOf(new Set([a, b, c, d])), true],
  ['no subset', (x) => x.isSubsetOf(new Set([a, b])), false],
  ['superset', (x) => x.isSupersetOf(new Set([a, b])), true],
  ['no superset', (x) => x.isSupersetOf(new Set([a, d])), false],
  ['no superset of numbers', (x) => x.isSupersetOf(new Set([1]) as never), false],
  ['disjoint', (x) => x.isDisjointFrom(new Set([d])), true],
  ['not disjoint', (x) => x.isDisjointFrom(new Set([a])), false],
])('set algebra: %s', (_, operate, expected) => {
  const set = new IterableWeakSet([a, b, c]);
  expect(operate(set)).toEqual(expected);
  expect(idsOf(set)).toBe('abc');
});

test('isSupersetOf ends the iterator of the other set if it stops early: tc39/test262#4589', () => {
  const log: string[] = [];
  const set = new IterableWeakSet<object>([a, b]);
  expect(set.isSupersetOf(setLikeOf([c, a], () => log.push('read in part')))).toBe(false);
  expect(set.isSupersetOf(setLikeOf([a], () => log.push('read to its end')))).toBe(true);
  expect(log).toEqual(['read in part']);
});

test('a result of the set algebra holds its members weakly', async () => {
  const set = new IterableWeakSet<object>();
  const result: { union?: IterableWeakSet<object> } = {};
  expect(
    await wasCollected(() => {
      const lost = {};
      set.add(lost);
      result.union = set.union(new Set([a]));
      return lost;
    }),
  ).toBe(true);
  expect([...(result.union ?? [])]).toEqual([a]);
});

test('members and operands of the wrong kind are refused', () => {
  const set = new IterableWeakSet<object>();
  expect(() => set.add(7 as never)).toThrow(InvalidArgumentError);
  expect(() => set.union([a] as never)).toThrow(/`other` must be a Set, a Map/);
  expect(() => set.union(new Set([1]) as never)).toThrow(InvalidArgumentError);
  for (const size of [-1, Number.NaN, undefined]) {
    expect(() => set.isSubsetOf({ ...setLikeOf([]), size } as never)).toThrow(
      /a size of 0 or more/,
    );
  }
  expect(set.isSubsetOf({ ...setLikeOf([]), size: Number.POSITIVE_INFINITY })).toBe(true);
  for (const method of [
    'intersection',
    'difference',
    'symmetricDifference',
    'isSubsetOf',
    'isSupersetOf',
    'isDisjointFrom',
  ] as const) {
    for (const other of [null, { ...setLikeOf([]), has: 1 }, { ...setLikeOf([]), keys: 1 }]) {
      expect(() => set[method](other as never), method).toThrow(InvalidArgumentError);
    }
  }
  expect([set.has(7 as never), set.delete('a' as never), set.size]).toEqual([false, false, 0]);
});

test('prints its members', () => {
  expect(inspect(new IterableWeakSet([a]))).toBe("IterableWeakSet(1) { { id: 'a' } }");
});
