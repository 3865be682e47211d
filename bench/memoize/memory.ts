/**
 * The memory of an entry, with a shared value, beside LRUCache and Map; and of a cache that has no entry yet.
 *
 * Run with `npm run bench:one bench/memoize/memory.ts`.
 */
import { LRUCache } from 'lru-cache';
import { memoize, memoized } from '../../src/memoize/index.js';
import { isEntry, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Group, scaled } from '../compare.js';
import { bytesInUse, settledUse } from '../memory-use.js';
import { atMost, beside, type Row, type Section } from '../row.js';

/** Packages that are measured besides tenure. */
export const packages = ['lru-cache'] as const;

export function rows({ scale = 1 }: Pick<BenchOptions, 'scale'>): Promise<Row[]> {
  return rowsOf(sections(scale));
}

async function* sections(scale: number): AsyncGenerator<Section> {
  const gc = globalThis.gc;
  if (gc === undefined) throw new Error('run with --expose-gc');
  const entry = entries(scaled(100_000, scale), gc);
  yield {
    group: entry,
    rows: [
      atMost(1.3, entry, 'tenure memoize, max', 'floor: LRUCache'),
      ...beside(entry, 'tenure memoize', ['Map']),
    ],
  };
  const cache = await emptyCaches(1_000, gc);
  yield {
    group: cache,
    rows: [
      ...beside(cache, 'tenure memoize, max 1,000', ['LRUCache, max 1,000']),
      ...beside(cache, 'a memoized method after its first call', ['LRUCache, max 1,000']),
    ],
  };
}

/** Bytes of one entry with a shared value, besides its key. */
function entries(count: number, gc: () => void): Group {
  const shared = {};
  const fill: [name: string, make: () => (key: number) => unknown][] = [
    [
      'floor: LRUCache',
      () => {
        const lru = new LRUCache<number, object>({ max: count });
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
    ['tenure memoize, max', () => memoize((_: number) => shared, { max: count })],
    ['tenure memoize, max, ttl', () => memoize((_: number) => shared, { max: count, ttl: 1e9 })],
    [
      'tenure memoize, two arguments',
      () => {
        const fn = memoize((_: number, __: number) => shared);
        return (key) => fn(key & 1_023, key);
      },
    ],
  ];
  const figures = new Map<string, number>();
  for (let i = 0; i < 5; i++) gc(); // Collects what loading the modules left.
  for (const [name, make] of fill) {
    gc();
    const before = bytesInUse();
    const add = make();
    for (let key = 0; key < count; key++) add(key);
    gc();
    figures.set(name, (bytesInUse() - before) / count);
    add(0); // Keeps the cache alive until here.
  }
  return {
    title: `Memory of one of ${count.toLocaleString('en')} entries`,
    unit: 'B',
    figures,
  };
}

/** Bytes of a cache before its first entry. */
async function emptyCaches(caches: number, gc: () => void): Promise<Group> {
  class Decorated {
    @memoized({ max: 1_000 })
    method(key: number): number {
      return key;
    }
  }
  const called = (instance: Decorated): Decorated => {
    instance.method(1);
    return instance;
  };
  const make: [name: string, make: () => unknown][] = [
    ['LRUCache, max 1,000', () => new LRUCache<number, object>({ max: 1_000 })],
    ['Map', () => new Map()],
    ['tenure memoize', () => memoize((key: number) => key)],
    ['tenure memoize, max 1,000', () => memoize((key: number) => key, { max: 1_000 })],
    ['an instance with a memoized method', () => new Decorated()],
    ['a memoized method after its first call', () => called(new Decorated())],
  ];
  const figures = new Map<string, number>();
  const kept: unknown[] = [];
  for (const [name, once] of make) {
    once(); // Compiles what it needs.
    const before = await settledUse(gc);
    kept.push(Array.from({ length: caches }, once));
    figures.set(name, ((await settledUse(gc)) - before) / caches);
  }
  if (kept.length !== make.length) throw new Error('nothing may be collected before the end');
  return {
    title: `Memory of an empty cache, of ${caches.toLocaleString('en')}`,
    unit: 'B',
    figures,
  };
}

if (isEntry(import.meta.url)) await printAndExit(sections(1));
