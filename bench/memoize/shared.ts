/**
 * A miss of 40 callers through a store and a bus, beside the same by hand: LRUCache.fetch with a `get` and a `set` of the store. Each contender has
 * a Keyv in memory of its own. So the rows show the cost of the caches and of Keyv, without a network. The peer has no bus, does not
 * notice invalidations and has no timeout.
 *
 * Run with `npm run bench:one bench/memoize/shared.ts [rounds]`.
 */
import Keyv from 'keyv';
import { LRUCache } from 'lru-cache';
import { memoize } from '../../src/memoize/index.js';
import { type InvalidationBus, sharedCache } from '../../src/memoize/shared/index.js';
import { byCallers } from '../callers.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Contender, measure } from '../compare.js';
import { asMultipleOf, type Row, type Section } from '../row.js';

const MAX = 1_000;
const TTL = 3_600_000;
/** New keys come round again after this many. By then the caches have evicted them, and the stores are cleared. */
const LIVE = 20_000;

const load = async (id: number): Promise<{ id: number; name: string }> => ({ id, name: 'tea' });

/** A bus without other processes. */
const bus: InvalidationBus = {
  publish: async () => {},
  subscribe: (listener) => {
    listener.connected(true);
    return { [Symbol.dispose]: () => {} };
  },
};

/** 40 callers, each with a new key each time. */
function misses(
  name: string,
  store: Keyv,
  call: (id: number) => PromiseLike<unknown> | unknown,
): Contender {
  let next = 0;
  return {
    name,
    run: (operations) =>
      byCallers(operations, async () => {
        if (next++ % LIVE === 0) await store.clear();
        await call(next);
      }),
  };
}

const PEER = 'LRUCache.fetch, Keyv by hand';

function contenders(): Contender[] {
  const [byHand, alone, announced] = [new Keyv(), new Keyv(), new Keyv()];
  const lru = new LRUCache<number, object>({
    max: MAX,
    ttl: TTL,
    fetchMethod: async (id) => {
      const found = await byHand.get<object>(`price:${id}`);
      if (found !== undefined) return found;
      const loaded = await load(id);
      void byHand.set(`price:${id}`, loaded, TTL);
      return loaded;
    },
  });
  const options = { name: 'price', max: MAX, ttl: TTL };
  const stored = memoize(load, { ...options, shared: sharedCache({ store: alone }) });
  const both = memoize(load, { ...options, shared: sharedCache({ store: announced, bus }) });
  return [
    misses(PEER, byHand, (id) => lru.fetch(id)),
    misses('tenure memoize, store', alone, stored),
    misses('tenure memoize, store and bus', announced, both),
  ];
}

/** Packages that are measured besides tenure. */
export const packages = ['keyv', 'lru-cache'] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  const group = await measure(
    'A miss of 40 callers through a shared store',
    contenders(),
    options,
    5_000,
  );
  yield {
    group,
    rows: [
      ...asMultipleOf(group, 'tenure memoize, store', [PEER]),
      ...asMultipleOf(group, 'tenure memoize, store and bus', [PEER]),
    ],
  };
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 11) }));
