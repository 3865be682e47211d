/**
 * memoize beside its floors and its peers: a hit on each kind of key, an awaited hit, a miss that has to make room, a cache for one
 * request, and hits among ever more entries. The floor of each group comes first: the bare structure that every cache looks up. In
 * groups of bounded caches each peer has a bound, if it can have one; in other groups no peer has one.
 *
 * Run with `npm run bench:one bench/memoize/beside-peers.ts [rounds]`. `memory.ts` measures memory.
 */
import { createCache } from 'async-cache-dedupe';
import fastMemoizeModule from 'fast-memoize';
import { LRUCache } from 'lru-cache';
import sindresorhus from 'memoize';
import memoizee from 'memoizee';
import { memoize as micro } from 'micro-memoize';
import moizeModule from 'moize';
import pMemoize from 'p-memoize';
import QuickLRU from 'quick-lru';
import { memoize, memoized } from '../../src/memoize/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import {
  type BenchOptions,
  type Contender,
  figureOf,
  type Group,
  measure,
  scaled,
} from '../compare.js';
import {
  asMultipleOf,
  atLeast,
  atMost,
  beside,
  fastest,
  flat,
  type Row,
  type Section,
} from '../row.js';
import { awaiting, counting, hits, loop, loopPairs } from './loops.js';

/** Their types say that the function is a property `default`, but the import is the function itself. */
const fastMemoize = fastMemoizeModule as unknown as typeof fastMemoizeModule.default;
const moize = moizeModule as unknown as typeof moizeModule.default;

const LIVE = 1_000;
const MAX = 2 * LIVE;

const strings = (): string[] => Array.from({ length: LIVE }, (_, i) => `key${i}`);
const integers = (): number[] => Array.from({ length: LIVE }, (_, i) => i);
const objects = (): object[] => Array.from({ length: LIVE }, (_, i) => ({ i }));
const pairs = Array.from({ length: 1_024 }, (_, i) => [i >> 5, `b${i & 31}`] as const);

const value = (_: unknown): object => ({});
const pairValue = (_: number, __: string): object => ({});

/**
 * Fills a cache with its keys first. Each contender has its own `read`: V8 would see all kinds of cache in a shared one, and
 * optimise none.
 */
function filled<K, C extends { set(key: K, value: object): unknown }>(
  cache: C,
  read: (cache: C) => (key: K) => unknown,
): (keys: readonly K[]) => (key: K) => unknown {
  return (keys) => {
    for (const key of keys) cache.set(key, {});
    return read(cache);
  };
}

function unboundedHits<K extends string | number>(keys: () => readonly K[]): Contender[] {
  return [
    hits(
      'floor: Map.get',
      keys,
      filled(new Map<K, object>(), (cache) => (key) => cache.get(key)),
    ),
    hits('tenure memoize', keys, () => memoize(value)),
    hits('memoizee, primitive', keys, () => memoizee(value, { primitive: true })),
    hits('memoize', keys, () => sindresorhus(value)),
    hits('fast-memoize', keys, () => fastMemoize(value)),
  ];
}

function boundedHits<K extends string | number>(keys: () => readonly K[]): Contender[] {
  const memo = new LRUCache<K, object>({ max: MAX, memoMethod: value });
  return [
    hits(
      'floor: LRUCache.get',
      keys,
      filled(new LRUCache<K, object>({ max: MAX }), (cache) => (key) => cache.get(key)),
    ),
    hits('tenure memoize, max', keys, () => memoize(value, { max: MAX })),
    hits('LRUCache.memo', keys, () => (key) => memo.memo(key)),
    hits(
      'QuickLRU.get',
      keys,
      filled(new QuickLRU<K, object>({ maxSize: MAX }), (cache) => (key) => cache.get(key)),
    ),
    hits('memoizee, primitive, max', keys, () => memoizee(value, { primitive: true, max: MAX })),
    hits('micro-memoize, maxSize', keys, () => micro(value, { maxSize: MAX })),
    hits('moize, maxSize', keys, () => moize(value, { maxSize: MAX })),
    hits(
      'LRUCache.get, ttl',
      keys,
      filled(new LRUCache<K, object>({ max: MAX, ttl: 1e9 }), (cache) => (key) => cache.get(key)),
    ),
    hits('tenure memoize, max, ttl', keys, () => memoize(value, { max: MAX, ttl: 1e9 })),
  ];
}

function objectHits(): Contender[] {
  return [
    hits(
      'floor: WeakMap.get',
      objects,
      filled(new WeakMap<object, object>(), (cache) => (key) => cache.get(key)),
    ),
    hits('tenure memoize', objects, () => memoize(value)),
    hits(
      'LRUCache.get',
      objects,
      filled(new LRUCache<object, object>({ max: MAX }), (cache) => (key) => cache.get(key)),
    ),
    hits('tenure memoize, max', objects, () => memoize(value, { max: MAX })),
    hits('memoize', objects, () => sindresorhus(value)),
    hits('memoizee', objects, () => memoizee(value)),
    hits('fast-memoize', objects, () => fastMemoize(value)),
  ];
}

function pairHits(): Contender[] {
  const nested = new Map<number, Map<string, object>>();
  for (const [a, b] of pairs) {
    const inner = nested.get(a) ?? new Map<string, object>();
    inner.set(b, {});
    nested.set(a, inner);
  }
  const cacheKey = ([a, b]: [number, string]): string => `${a}\u0000${b}`;
  return [
    loopPairs('floor: nested Map.get', pairs, (a, b) => nested.get(a)?.get(b)),
    loopPairs('tenure memoize', pairs, memoize(pairValue)),
    loopPairs('memoizee, primitive', pairs, memoizee(pairValue, { primitive: true })),
    loopPairs('memoize, cacheKey', pairs, sindresorhus(pairValue, { cacheKey })),
    loopPairs('fast-memoize', pairs, fastMemoize(pairValue)),
    loopPairs('tenure memoize, max', pairs, memoize(pairValue, { max: MAX })),
    loopPairs('micro-memoize, maxSize', pairs, micro(pairValue, { maxSize: MAX })),
    loopPairs('moize, maxSize', pairs, moize(pairValue, { maxSize: MAX })),
  ];
}

class Decorated {
  @memoized({ max: 100 })
  load(key: number): object {
    return { key };
  }

  @memoized()
  value(_: number): object {
    return {};
  }
}

function methodHits(): Contender[] {
  const method = memoize(function (this: object, _: number) {
    return {};
  });
  const receiver = { method };
  const decorated = new Decorated();
  const map = new WeakMap<object, Map<number, object>>([
    [receiver, new Map(integers().map((key) => [key, {}]))],
  ]);
  return [
    loop('floor: WeakMap.get, Map.get', integers(), (key) => map.get(receiver)?.get(key)),
    loop('tenure memoize, as a method', integers(), (key) => receiver.method(key)),
    loop('tenure @memoized', integers(), (key) => decorated.value(key)),
  ];
}

function awaitedHits(): Contender[] {
  const map = new Map<number, Promise<object>>(integers().map((key) => [key, Promise.resolve({})]));
  const load = async (_: number): Promise<object> => ({});
  const lru = new LRUCache<number, object>({ max: MAX, fetchMethod: load });
  const dedupe = createCache({ ttl: 1_000, storage: { type: 'memory' } }).define('load', load);
  return [
    awaiting('floor: promise in a Map', LIVE, (key) => map.get(key) as Promise<object>),
    awaiting('tenure memoize', LIVE, memoize(load)),
    awaiting('tenure memoize, max', LIVE, memoize(load, { max: MAX })),
    awaiting('LRUCache.fetch', LIVE, (key) => lru.fetch(key)),
    awaiting('memoizee, promise', LIVE, memoizee(load, { promise: true, primitive: true })),
    awaiting('p-memoize', LIVE, pMemoize(load)),
    awaiting('micro-memoize, async, maxSize', LIVE, micro(load, { async: true, maxSize: MAX })),
    awaiting('moize, isPromise, maxSize', LIVE, moize(load, { isPromise: true, maxSize: MAX })),
    awaiting('async-cache-dedupe', LIVE, (key) => dedupe.load(key) as Promise<object>),
  ];
}

/** Calls with new keys, each of which evicts an entry. */
function insertions(max: number): Contender[] {
  const lru = new LRUCache<number, object>({ max });
  const quick = new QuickLRU<number, object>({ maxSize: max });
  const load = (key: number): object => ({ key });
  const pair = memoize((key: number, _: string): object => ({ key }), { max });
  return [
    counting('floor: LRUCache.get, set', max, (key) => lru.get(key) ?? lru.set(key, { key })),
    counting('tenure memoize, max', max, memoize(load, { max })),
    counting('tenure memoize, max, ttl', max, memoize(load, { max, ttl: 1e9 })),
    counting('tenure memoize, max, two arguments', max, (key) => pair(key, 'x')),
    counting('QuickLRU.get, set', max, (key) => quick.get(key) ?? quick.set(key, { key })),
    counting('memoizee, max', max, memoizee(load, { primitive: true, max })),
  ];
}

/** A cache that is made for one request: three misses, and one hit. */
function requests(): Contender[] {
  const load = (key: number): object => ({ key });
  const request = (name: string, makeCache: () => (key: number) => unknown): Contender =>
    counting(name, 0, (first) => {
      const cached = makeCache();
      return [first, first + 1, first + 2, first].map((key) => cached(key));
    });
  return [
    request('floor: LRUCache.memo', () => {
      const cache = new LRUCache<number, object>({ max: 100, memoMethod: load });
      return (key) => cache.memo(key);
    }),
    request('tenure memoize, max', () => memoize(load, { max: 100 })),
    request('tenure @memoized, max', () => {
      const decorated = new Decorated();
      return (key) => decorated.load(key);
    }),
    request('memoizee, primitive, max', () => memoizee(load, { primitive: true, max: 100 })),
    request('moize, maxSize', () => moize(load, { maxSize: 100 })),
    request('memoize', () => sindresorhus(load)),
  ];
}

/** Hits among this many entries, in random order. */
function among(entries: number): Contender[] {
  const keys = Array.from({ length: entries }, (_, i) => (i * 7_919 + 13) % entries);
  const map = new Map<number, object>(keys.map((key) => [key, {}]));
  const lru = new LRUCache<number, object>({ max: entries });
  for (const key of keys) lru.set(key, {});
  return [
    loop('Map.get', keys, (key) => map.get(key)),
    loop('tenure memoize', keys, memoize(value)),
    loop('LRUCache.get', keys, (key) => lru.get(key)),
    loop('tenure memoize, max', keys, memoize(value, { max: entries })),
  ];
}

/** Packages that are measured besides tenure. */
export const packages = [
  'lru-cache',
  'memoize',
  'p-memoize',
  'memoizee',
  'fast-memoize',
  'micro-memoize',
  'moize',
  'quick-lru',
  'async-cache-dedupe',
] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  const { scale = 1 } = options;
  for (const [kind, keys] of [
    ['one string', strings],
    ['one integer', integers],
  ] as const) {
    const group = await measure(`A hit, ${kind}`, unboundedHits<string | number>(keys), options);
    yield {
      group,
      rows: [
        atMost(1.5, group, 'tenure memoize', 'floor: Map.get'),
        atLeast(4, group, 'tenure memoize', 'memoize'),
        ...beside(group, 'tenure memoize', ['memoizee, primitive', 'fast-memoize']),
      ],
    };
  }
  for (const [kind, keys] of [
    ['one string', strings],
    ['one integer', integers],
  ] as const) {
    const group = await measure(
      `A bounded hit, ${kind}`,
      boundedHits<string | number>(keys),
      options,
    );
    yield {
      group,
      rows: [
        atMost(1.3, group, 'tenure memoize, max', 'floor: LRUCache.get'),
        atLeast(10, group, 'tenure memoize, max', 'memoizee, primitive, max'),
        ...beside(group, 'tenure memoize, max', [
          'LRUCache.memo',
          'QuickLRU.get',
          'micro-memoize, maxSize',
          'moize, maxSize',
        ]),
        ...asMultipleOf(group, 'tenure memoize, max, ttl', ['LRUCache.get, ttl']),
      ],
    };
  }
  const object = await measure('A hit, one object', objectHits(), options);
  yield {
    group: object,
    rows: [
      atMost(1.5, object, 'tenure memoize', 'floor: WeakMap.get'),
      ...beside(object, 'tenure memoize', ['memoize', 'memoizee', 'fast-memoize']),
      ...asMultipleOf(object, 'tenure memoize, max', ['LRUCache.get']),
    ],
  };
  const pair = await measure('A hit, two primitives', pairHits(), options);
  const pairPeers = ['memoizee, primitive', 'memoize, cacheKey', 'fast-memoize'];
  const best = fastest(pair, pairPeers);
  yield {
    group: pair,
    rows: [
      atLeast(3, pair, 'tenure memoize', best),
      ...beside(
        pair,
        'tenure memoize',
        pairPeers.filter((peer) => peer !== best),
      ),
      ...beside(pair, 'tenure memoize, max', ['micro-memoize, maxSize', 'moize, maxSize']),
    ],
  };
  const method = await measure('A hit, a method', methodHits(), options);
  yield {
    group: method,
    rows: ['tenure memoize, as a method', 'tenure @memoized'].flatMap((ours) =>
      asMultipleOf(method, ours, ['floor: WeakMap.get, Map.get']),
    ),
  };
  const request = await measure('A cache for one request', requests(), options, 10_000);
  yield {
    group: request,
    rows: [
      ...asMultipleOf(request, 'tenure memoize, max', ['floor: LRUCache.memo', 'memoize']),
      ...asMultipleOf(request, 'tenure @memoized, max', ['floor: LRUCache.memo']),
      ...beside(request, 'tenure memoize, max', ['memoizee, primitive, max', 'moize, maxSize']),
    ],
  };
  const awaited = await measure('An awaited hit', awaitedHits(), options, 100_000);
  yield {
    group: awaited,
    rows: [
      atLeast(5, awaited, 'tenure memoize', 'p-memoize'),
      atLeast(1.5, awaited, 'tenure memoize, max', 'LRUCache.fetch'),
      ...beside(awaited, 'tenure memoize', ['memoizee, promise', 'async-cache-dedupe']),
      ...beside(awaited, 'tenure memoize, max', [
        'micro-memoize, async, maxSize',
        'moize, isPromise, maxSize',
      ]),
    ],
  };
  const large = scaled(100_000, scale);
  for (const capacity of [1_000, large]) {
    const title = `A miss at capacity ${count(capacity)}`;
    const group = await measure(title, insertions(capacity), options, 100_000);
    yield {
      group,
      rows: [
        atMost(1.3, group, 'tenure memoize, max', 'floor: LRUCache.get, set'),
        ...beside(group, 'tenure memoize, max', ['QuickLRU.get, set', 'memoizee, max']),
      ],
    };
  }
  let first: Group | undefined;
  for (const entries of [1_000, large, scaled(1_000_000, scale)]) {
    const title = `A hit among ${count(entries)} entries`;
    const group = await measure(title, among(entries), options, 1_000_000);
    yield { group, rows: first === undefined ? [] : growthRows(first, group) };
    first ??= group;
  }
}

/** What a hit takes among many entries, as a multiple of what it takes among few. */
function growthRows(few: Group, many: Group): Row[] {
  const growth: Group = {
    title: `${many.title}: growth from 1,000`,
    unit: '×',
    figures: new Map([...few.figures].map(([name, nanos]) => [name, figureOf(many, name) / nanos])),
  };
  return [
    flat(growth, 'tenure memoize', 'Map.get'),
    flat(growth, 'tenure memoize, max', 'LRUCache.get'),
  ];
}

function count(number: number): string {
  return number.toLocaleString('en');
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 11) }));
