import { inspect } from 'node:util';
import fc from 'fast-check';
import { expect, expectTypeOf, test } from 'vitest';
import {
  AlreadyWatchedError,
  InvalidArgumentError,
  IterableWeakMap,
  observe,
  wasCollected,
} from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { until } from '../kit/until.js';

interface Session {
  readonly user: string;
}

const [ada, bob, eve]: [Session, Session, Session] = [
  { user: 'ada' },
  { user: 'bob' },
  { user: 'eve' },
];

test('a value may reach its key: the entry dies with the key', async () => {
  const map = new IterableWeakMap<object, { key: object }>();
  const dies = await wasCollected(() => {
    const key = {};
    map.set(key, { key });
    return key;
  });
  expect(dies).toBe(true);
  await until(() => map.stats().size === 0);
  expect([map.size, map.stats()]).toEqual([0, { size: 0, collected: 1 }]);
});

test('a value that reaches the key of another entry does not outlive a circle of entries', async () => {
  const map = new IterableWeakMap<object, object>();
  const dies = await wasCollected(() => {
    const [first, second] = [{}, {}];
    map.set(first, second).set(second, first);
    return first;
  });
  expect(dies).toBe(true);
});

test('a value lives as long as its key', async () => {
  const map = new IterableWeakMap<Session, object>();
  const value = (() => {
    const made = {};
    map.set(ada, made);
    return new WeakRef(made);
  })();
  await collectGarbage();
  expect(value.deref()).toBe(map.get(ada));
  map.delete(ada);
  await until(async () => {
    await collectGarbage();
    return value.deref() === undefined;
  });
});

test('size, has and loops never count the dead, before and after the clean-up', async () => {
  const map = new IterableWeakMap<object, number>();
  map.set(ada, 1);
  (() => {
    for (let i = 0; i < 100; i++) map.set({}, i);
  })();
  map.set(bob, 2);
  expect(map.size).toBe(102);
  await until(async () => {
    await collectGarbage();
    return map.stats().size === 2;
  });
  expect(map.size).toBe(2);
  expect([...map]).toEqual([
    [ada, 1],
    [bob, 2],
  ]);
  expect(map.stats()).toEqual({ size: 2, collected: 100 });
});

test('a loop is safe while entries are collected', async () => {
  const map = new IterableWeakMap<object, number>();
  const kept: object[] = [];
  (() => {
    for (let i = 0; i < 20; i++) {
      const key = { i };
      if (i % 2 === 0) kept.push(key);
      map.set(key, i);
    }
  })();
  const seen: number[] = [];
  for (const [, value] of map) {
    seen.push(value);
    if (seen.length % 3 === 0) await collectGarbage();
  }
  expect(seen.filter((value) => value % 2 === 0)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 18]);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(kept).toHaveLength(10);
});

test('has the members of a Map', () => {
  const map = new IterableWeakMap<Session, number>([
    [ada, 1],
    [bob, 2],
  ]);
  expect(map.getOrInsert(ada, 7)).toBe(1);
  expect(map.getOrInsert(eve, 3)).toBe(3);
  expect(map.getOrInsertComputed(eve, () => 9)).toBe(3);
  expect(map.take(bob)).toBe(2);
  expect(map.take(bob)).toBe(undefined);
  expect(map.getOrInsertComputed(bob, ({ user }) => user.length)).toBe(3);
  expect([...map.keys()]).toEqual([ada, eve, bob]);
  expect([...map.values()]).toEqual([1, 3, 3]);
  expect([...map.refs()].map(([ref, value]) => [ref.deref(), value])).toEqual([...map]);
  const seen: unknown[] = [];
  map.forEach(function (this: unknown, value, key, self) {
    seen.push([this, value, key, self === map]);
  }, 'context');
  expect(seen[0]).toEqual(['context', 1, ada, true]);
  map.clear();
  expect([map.size, map.has(ada), map.stats().size]).toEqual([0, false, 0]);
  expect(String(map)).toBe('[object IterableWeakMap]');
  const asMap: Map<Session, number> = map;
  expect(asMap.size).toBe(0);
  expectTypeOf(map.get(ada)).toEqualTypeOf<number | undefined>();
});

test('a key that is no object is refused by set and found nowhere', () => {
  const map = new IterableWeakMap<never, number>();
  expect(() => map.set(7 as never, 1)).toThrow(InvalidArgumentError);
  expect(() => map.getOrInsert('a' as never, 1)).toThrow(/`key` must be/);
  expect(() => map.getOrInsertComputed(null as never, () => 1)).toThrow(InvalidArgumentError);
  expect(() => new IterableWeakMap([[1, 2]] as never)).toThrow(InvalidArgumentError);
  expect([map.get(7 as never), map.has('a' as never), map.delete(null as never)]).toEqual([
    undefined,
    false,
    false,
  ]);
  expect(() => new IterableWeakMap({ nmae: 'x' } as never)).toThrow(/unknown option `nmae`/);
});

const keys = Array.from({ length: 4 }, (_, number) => ({ number }));
type Step = { readonly kind: 'set' | 'get' | 'has' | 'delete' | 'clear'; readonly key: number };
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind']>('set', 'set', 'set', 'get', 'has', 'delete', 'clear'),
    key: fc.nat(keys.length - 1),
  }),
  { maxLength: 30 },
);

test('gives what a Map gives, in a loop that changes it too', () => {
  const trace = (map: Map<object, number>, before: Step[], during: Step[]) => {
    let count = 0;
    const run = ({ kind, key }: Step): unknown => {
      if (kind === 'clear') return map.clear();
      if (kind === 'set') return map.set(keys[key] as object, count++) === map;
      return map[kind](keys[key] as object);
    };
    const seen: unknown[] = before.map(run);
    const rest = [...during];
    for (const entry of map) {
      seen.push(entry);
      const step = rest.shift();
      if (step !== undefined) seen.push(run(step));
    }
    return seen;
  };
  fc.assert(
    fc.property(steps, steps, (before, during) => {
      expect(trace(new IterableWeakMap<object, number>(), before, during)).toEqual(
        trace(new Map(), before, during),
      );
    }),
    { numRuns: 300 },
  );
});

test('is watched entry by entry', async () => {
  const map = new IterableWeakMap<object, number>({ name: 'sessions' });
  map.set(ada, 1);
  const observer = new RecordingObserver();
  using watch = map[observe](observer);
  expect([watch.kind, watch.name, watch.stats()]).toEqual([
    'weak-map',
    'sessions',
    { size: 1, collected: 0 },
  ]);
  expect(() => map[observe](new RecordingObserver())).toThrow(AlreadyWatchedError);
  map.set(ada, 2).set(bob, 1);
  map.delete(ada);
  (() => map.set({}, 3))();
  await until(async () => {
    await collectGarbage();
    return observer.log.length === 5;
  });
  expect(observer.log).toEqual([
    'allocated weak-target 2',
    'allocated weak-target 3',
    'freed weak-target 2',
    'allocated weak-target 4',
    'freed weak-target 4',
  ]);
});

test('a dropped map is collected while its keys live', async () => {
  const key = {};
  expect(await wasCollected(() => new IterableWeakMap([[key, 1]]))).toBe(true);
});

test('prints its entries', () => {
  expect(inspect(new IterableWeakMap([[ada, 1]]))).toBe(
    "IterableWeakMap(1) { { user: 'ada' } => 1 }",
  );
});
