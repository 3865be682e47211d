/**
 * memoize beside its floors, in one process: a hit on each kind of key, a miss that stores, an insertion at capacity, an
 * awaited hit, and the memory of an entry. The floor of each group is the bare structure that must be looked up anyway:
 * Map, WeakMap or LRUCache. Each round runs all contenders in a new random order, and medians are compared.
 *
 * Run with `node --expose-gc --import tsx bench/memoize/beside-peers.ts [rounds]`.
 */
import { LRUCache } from 'lru-cache';
import { memoize } from '../../src/memoize/index.js';

const ROUNDS = Number(process.argv[2] ?? 11);
const LIVE = 1_000;
const OPERATIONS = 300_000;

interface Contender {
  readonly name: string;
  /** Performs this many operations. */
  run(operations: number): unknown;
}

const strings = Array.from({ length: LIVE }, (_, i) => `key${i}`);
const integers = Array.from({ length: LIVE }, (_, i) => i);
const objects = Array.from({ length: LIVE }, (_, i) => ({ i }));
const pairs = Array.from({ length: 1_024 }, (_, i) => [i >> 5, `b${i & 31}`] as const);

/** A loop of its own for each contender: a shared one would see every kind of call and optimise none. */
function loop<K>(name: string, keys: readonly K[], once: (key: K) => unknown): Contender {
  const make = new Function(
    'keys',
    'once',
    `return (n) => { let last; for (let i = 0; i < n; i++) last = once(keys[i % ${keys.length}]); return last; }`,
  ) as (keys: readonly K[], once: (key: K) => unknown) => (n: number) => unknown;
  for (const key of keys) once(key);
  return { name, run: make(keys, once) };
}

function loopPairs(name: string, once: (a: number, b: string) => unknown): Contender {
  const make = new Function(
    'keys',
    'once',
    `return (n) => { let last; for (let i = 0; i < n; i++) { const k = keys[i & ${pairs.length - 1}]; last = once(k[0], k[1]); } return last; }`,
  ) as (keys: typeof pairs, once: (a: number, b: string) => unknown) => (n: number) => unknown;
  for (const [a, b] of pairs) once(a, b);
  return { name, run: make(pairs, once) };
}

function hits<K extends string | number>(keys: readonly K[]): Contender[] {
  const map = new Map<K, object>(keys.map((key) => [key, {}]));
  return [
    loop('floor: Map.get', keys, (key) => map.get(key)),
    loop('tenure memoize', keys, memoize(value)),
    loop('tenure memoize, ttl', keys, memoize(value, { ttl: 1e9 })),
    loop(
      'tenure memoize, key',
      keys,
      memoize((_: K) => ({}), { key: (key) => key }),
    ),
  ];
}

function boundedHits<K extends string | number>(keys: readonly K[]): Contender[] {
  const lru = new LRUCache<K, object>({ max: 2 * LIVE });
  for (const key of keys) lru.set(key, {});
  const memo = new LRUCache<K, object>({ max: 2 * LIVE, memoMethod: value });
  return [
    loop('floor: LRUCache.get', keys, (key) => lru.get(key)),
    loop('tenure memoize, max', keys, memoize(value, { max: 2 * LIVE })),
    loop('tenure memoize, max, ttl', keys, memoize(value, { max: 2 * LIVE, ttl: 1e9 })),
    loop('LRUCache.memo', keys, (key) => memo.memo(key)),
  ];
}

function objectHits(): Contender[] {
  const weak = new WeakMap<object, object>(objects.map((key) => [key, {}]));
  const lru = new LRUCache<object, object>({ max: 2 * LIVE });
  for (const key of objects) lru.set(key, {});
  return [
    loop('floor: WeakMap.get', objects, (key) => weak.get(key)),
    loop('tenure memoize', objects, memoize(value)),
    loop('LRUCache.get', objects, (key) => lru.get(key)),
    loop('tenure memoize, max', objects, memoize(value, { max: 2 * LIVE })),
  ];
}

function pairHits(): Contender[] {
  const nested = new Map<number, Map<string, object>>();
  for (const [a, b] of pairs) {
    const inner = nested.get(a) ?? new Map<string, object>();
    inner.set(b, {});
    nested.set(a, inner);
  }
  const joined = new Map<string, object>(pairs.map(([a, b]) => [`${a}\u0000${b}`, {}]));
  return [
    loopPairs('floor: nested Map.get', (a, b) => nested.get(a)?.get(b)),
    loopPairs('Map.get of a joined key', (a, b) => joined.get(`${a}\u0000${b}`)),
    loopPairs('tenure memoize', memoize(pairValue)),
    loopPairs('tenure memoize, max', memoize(pairValue, { max: 4_096 })),
  ];
}

function methodHits(): Contender[] {
  const method = memoize(function (this: object, _: number) {
    return {};
  });
  const receiver = { method };
  const map = new WeakMap<object, Map<number, object>>([
    [receiver, new Map(integers.map((key) => [key, {}]))],
  ]);
  return [
    loop('floor: WeakMap.get, Map.get', integers, (key) => map.get(receiver)?.get(key)),
    loop('tenure memoize, as a method', integers, (key) => receiver.method(key)),
  ];
}

/** Every key is new, and one entry has to go for it. */
function insertions(max: number): Contender[] {
  const lru = new LRUCache<number, object>({ max });
  const fn = memoize((key: number) => ({ key }), { max });
  const timed = memoize((key: number) => ({ key }), { max, ttl: 1e9 });
  const pair = memoize((key: number, _: string) => ({ key }), { max });
  const counting = (name: string, once: (key: number) => unknown): Contender => {
    let next = 0;
    const run = (operations: number): void => {
      for (let i = 0; i < operations; i++) once(next++);
    };
    run(max);
    return { name, run };
  };
  return [
    counting('floor: LRUCache.get, set', (key) => lru.get(key) ?? lru.set(key, { key })),
    counting('tenure memoize, max', fn),
    counting('tenure memoize, max, ttl', timed),
    counting('tenure memoize, max, two arguments', (key) => pair(key, 'x')),
  ];
}

function awaitedHits(): Contender[] {
  const map = new Map<number, Promise<object>>(integers.map((key) => [key, Promise.resolve({})]));
  const lru = new LRUCache<number, object>({ max: 2 * LIVE, fetchMethod: async () => ({}) });
  const fn = memoize(async (_: number) => ({}));
  const bounded = memoize(async (_: number) => ({}), { max: 2 * LIVE });
  const awaiting = (name: string, once: (key: number) => Promise<unknown>): Contender => ({
    name,
    async run(operations) {
      for (let i = 0; i < operations; i++) await once(i % LIVE);
    },
  });
  return [
    awaiting('floor: promise in a Map', (key) => map.get(key) as Promise<object>),
    awaiting('tenure memoize', fn),
    awaiting('tenure memoize, max', bounded),
    awaiting('LRUCache.fetch', (key) => lru.fetch(key)),
  ];
}

function value(_: unknown): object {
  return {};
}

function pairValue(_: number, __: string): object {
  return {};
}

async function compare(
  title: string,
  contenders: Contender[],
  operations = OPERATIONS,
): Promise<void> {
  const nanos = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]));
  for (const contender of contenders) await contender.run(operations); // Warms up.
  for (let round = 0; round < ROUNDS; round++) {
    for (const contender of shuffled(contenders)) {
      const start = performance.now();
      await contender.run(operations);
      nanos.get(contender)?.push(((performance.now() - start) * 1e6) / operations);
    }
  }
  const floor = median(nanos.get(contenders[0] as Contender) ?? []);
  console.log(`\n${title}: median ns of ${ROUNDS} rounds, and times the floor`);
  for (const [contender, all] of nanos) {
    print(contender.name, `${median(all).toFixed(1)} ns`, median(all) / floor);
  }
}

/** Bytes that one entry with a shared value takes, over what its key takes. */
function compareMemory(entries: number): void {
  const shared = {};
  const fill: [name: string, make: () => (key: number) => unknown][] = [
    [
      'floor: LRUCache',
      () => {
        const lru = new LRUCache<number, object>({ max: entries });
        return (key) => lru.set(key, shared);
      },
    ],
    [
      'Map',
      () => {
        const map = new Map<number, object>();
        return (key) => map.set(key, shared);
      },
    ],
    ['tenure memoize', () => memoize((_: number) => shared)],
    ['tenure memoize, max', () => memoize((_: number) => shared, { max: entries })],
    ['tenure memoize, max, ttl', () => memoize((_: number) => shared, { max: entries, ttl: 1e9 })],
    [
      'tenure memoize, two arguments',
      () => {
        const fn = memoize((_: number, __: number) => shared);
        return (key) => fn(key & 1_023, key);
      },
    ],
  ];
  console.log(`\nMemory of an entry, ${entries} entries, and times the floor`);
  let floor = Number.NaN;
  for (let i = 0; i < 5; i++) globalThis.gc?.(); // What earlier groups left goes before the first figure.
  for (const [name, make] of fill) {
    globalThis.gc?.();
    const before = used();
    const add = make();
    for (let key = 0; key < entries; key++) add(key);
    globalThis.gc?.();
    const bytes = (used() - before) / entries;
    if (Number.isNaN(floor)) floor = bytes;
    print(name, `${bytes.toFixed(0)} B`, bytes / floor);
    add(0); // Still in use.
  }
}

function used(): number {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function print(name: string, figure: string, ratio: number): void {
  console.log(`  ${name.padEnd(40)} ${figure.padStart(10)} ${ratio.toFixed(2).padStart(7)}×`);
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

await compare('A hit, one string', hits(strings));
await compare('A hit, one integer', hits(integers));
await compare('A bounded hit, one string', boundedHits(strings));
await compare('A bounded hit, one integer', boundedHits(integers));
await compare('A hit, one object', objectHits());
await compare('A hit, two primitives', pairHits());
await compare('A hit, a method', methodHits());
await compare('A miss at capacity 1,000', insertions(1_000), 100_000);
await compare('A miss at capacity 100,000', insertions(100_000), 100_000);
await compare('An awaited hit', awaitedHits(), 100_000);
compareMemory(100_000);
