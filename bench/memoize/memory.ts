/**
 * The memory of an entry, with a shared value, beside LRUCache and Map; and of a cache that has none yet.
 *
 * Run with `node --expose-gc --import tsx bench/memoize/memory.ts`.
 */
import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { memoize, memoized } from '../../src/memoize/index.js';
import { print } from '../compare.js';

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

/** Bytes that a cache takes before its first entry. */
async function compareEmpty(caches: number): Promise<void> {
  class Decorated {
    @memoized({ max: 1_000 })
    method(key: number): number {
      return key;
    }
  }
  const make: [name: string, make: () => unknown][] = [
    ['LRUCache, max 1,000', () => new LRUCache<number, object>({ max: 1_000 })],
    ['Map', () => new Map()],
    ['tenure memoize', () => memoize((key: number) => key)],
    ['tenure memoize, max 1,000', () => memoize((key: number) => key, { max: 1_000 })],
    ['an instance with a memoized method', () => new Decorated()],
    ['the same after its first call', () => called(new Decorated())],
  ];
  const called = (instance: Decorated): Decorated => {
    instance.method(1);
    return instance;
  };
  console.log(`\nMemory of a cache, of ${caches}, and times the first`);
  const kept: unknown[] = [];
  let first = Number.NaN;
  for (const [name, once] of make) {
    once(); // Compiles what it needs.
    const before = await settledUse();
    kept.push(Array.from({ length: caches }, once));
    const bytes = ((await settledUse()) - before) / caches;
    if (Number.isNaN(first)) first = bytes;
    print(name, `${bytes.toFixed(0)} B`, bytes / first);
  }
  if (kept.length !== make.length) throw new Error('nothing may be collected before the end');
}

/** What is in use after everything that can go has gone. */
async function settledUse(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    await setImmediate();
    globalThis.gc?.();
  }
  return used();
}

compareMemory(100_000);
await compareEmpty(1_000);
