/**
 * memoize beside its floors and its peers: a hit on each kind of key, an awaited hit, a miss that has to make room, and
 * hits among ever more entries. The floor of each group comes first: the bare structure that must be looked up anyway.
 * A bound is given to those peers that can have one where the group is of bounded caches, and to no other.
 *
 * Run with `node --import tsx bench/memoize/beside-peers.ts [rounds]`; memory is the matter of `memory.ts`.
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
import { memoize } from '../../src/memoize/index.js';
import { type Contender, compare } from '../compare.js';
import { awaiting, counting, hits, loop, loopPairs } from './loops.js';

/** Their types say that the function hangs on `default`; what is imported is the function. */
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
 * Fills a cache with its keys first. Each contender has a `read` of its own: a common one would see all kinds of cache, and
 * be fast with none.
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

function methodHits(): Contender[] {
  const method = memoize(function (this: object, _: number) {
    return {};
  });
  const receiver = { method };
  const map = new WeakMap<object, Map<number, object>>([
    [receiver, new Map(integers().map((key) => [key, {}]))],
  ]);
  return [
    loop('floor: WeakMap.get, Map.get', integers(), (key) => map.get(receiver)?.get(key)),
    loop('tenure memoize, as a method', integers(), (key) => receiver.method(key)),
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

/** Every key is new, and one entry has to go for it. */
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

/** What a hit costs among this many entries, asked for in random order. */
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

await compare('A hit, one string', unboundedHits(strings));
await compare('A hit, one integer', unboundedHits(integers));
await compare('A bounded hit, one string', boundedHits(strings));
await compare('A bounded hit, one integer', boundedHits(integers));
await compare('A hit, one object', objectHits());
await compare('A hit, two primitives', pairHits());
await compare('A hit, a method', methodHits());
await compare('An awaited hit', awaitedHits(), 100_000);
await compare('A miss at capacity 1,000', insertions(1_000), 100_000);
await compare('A miss at capacity 100,000', insertions(100_000), 100_000);
for (const entries of [1_000, 100_000, 1_000_000]) {
  await compare(`A hit among ${entries} entries`, among(entries), 1_000_000);
}
