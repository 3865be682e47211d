/**
 * The configurations that services use: a ttl, a bound with a ttl, stale windows, the option `key`, objects in a bounded cache, and
 * a caller's signal. Each is beside the peer or the plain configuration that it should cost little more than.
 *
 * Run with `npm run bench:one bench/memoize/configured.ts [rounds]`.
 */
import { LRUCache } from 'lru-cache';
import { memoize } from '../../src/memoize/index.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Contender, measure } from '../compare.js';
import { atMost, type Row, type Section } from '../row.js';
import { awaiting, hits } from './loops.js';

const LIVE = 1_000;
const MAX = 2 * LIVE;
const TTL = 3_600_000;

const strings = (): string[] => Array.from({ length: LIVE }, (_, i) => `key${i}`);
const objects = (): object[] => Array.from({ length: LIVE }, (_, i) => ({ i }));
const value = (_: unknown): object => ({});

function timedHits(): Contender[] {
  return [
    hits('Map.get', strings, (keys) => {
      const map = new Map(keys.map((key) => [key, {}]));
      return (key) => map.get(key);
    }),
    hits('tenure memoize, ttl', strings, () => memoize(value, { ttl: TTL })),
    hits('LRUCache.get, max, ttl', strings, (keys) => {
      const lru = new LRUCache<string, object>({ max: MAX, ttl: TTL });
      for (const key of keys) lru.set(key, {});
      return (key) => lru.get(key);
    }),
    hits('tenure memoize, max, ttl', strings, () => memoize(value, { max: MAX, ttl: TTL })),
    hits('tenure memoize, s3-fifo, max, ttl', strings, () =>
      memoize(value, { max: MAX, ttl: TTL, policy: s3fifo() }),
    ),
    hits('tenure memoize, max, ttl, stale windows', strings, () =>
      memoize(value, { max: MAX, ttl: TTL, staleWhileRevalidate: TTL, staleIfError: TTL }),
    ),
  ];
}

function keyedHits(): Contender[] {
  return [
    hits('tenure memoize, max', strings, () => memoize(value, { max: MAX })),
    hits('tenure memoize, max, key', strings, () =>
      memoize(value, { max: MAX, key: (key: unknown) => key }),
    ),
    hits('tenure memoize, max, object', objects, () => memoize(value, { max: MAX })),
  ];
}

function signalledHits(): Contender[] {
  const load = async (_: number): Promise<object> => ({});
  const [plain, signalled] = [memoize(load, { max: MAX }), memoize(load, { max: MAX })];
  const { signal } = new AbortController();
  return [
    awaiting('tenure memoize, call', LIVE, (key) => plain.call([key])),
    awaiting('tenure memoize, call with a signal', LIVE, (key) =>
      signalled.call([key], { signal }),
    ),
  ];
}

/** Packages that are measured besides tenure. */
export const packages = ['lru-cache'] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  const timed = await measure('A hit with a ttl', timedHits(), options);
  const peer = 'LRUCache.get, max, ttl';
  yield {
    group: timed,
    rows: [
      atMost(2, timed, 'tenure memoize, ttl', 'Map.get'),
      atMost(1.2, timed, 'tenure memoize, max, ttl', peer),
      atMost(1.2, timed, 'tenure memoize, s3-fifo, max, ttl', peer),
      atMost(1.2, timed, 'tenure memoize, max, ttl, stale windows', 'tenure memoize, max, ttl'),
    ],
  };
  const keyed = await measure(
    'A bounded hit by a key function, and on an object',
    keyedHits(),
    options,
  );
  yield {
    group: keyed,
    rows: [
      atMost(1.6, keyed, 'tenure memoize, max, key', 'tenure memoize, max'),
      atMost(1.6, keyed, 'tenure memoize, max, object', 'tenure memoize, max'),
    ],
  };
  const signalled = await measure(
    'An awaited hit with a signal',
    signalledHits(),
    options,
    100_000,
  );
  yield {
    group: signalled,
    rows: [atMost(1.3, signalled, 'tenure memoize, call with a signal', 'tenure memoize, call')],
  };
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 11) }));
