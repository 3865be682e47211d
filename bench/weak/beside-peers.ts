/**
 * The WeakValueMap beside its peers and a map that is written by hand: a Map of WeakRefs, with a FinalizationRegistry that removes
 * the entries of dead values. StrongWeakMap has no registry: its dead entries stay until they are read.
 *
 * Run with `npm run bench:one bench/weak/beside-peers.ts [rounds]`.
 */
import { setImmediate } from 'node:timers/promises';
import { StrongWeakMap } from '@cspell/strong-weak-map';
import { WeakValueMap as DenostackMap } from 'weakref';
import { IterableWeakMap, WeakValueMap } from '../../src/weak/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Contender, type Group, measure, scaled } from '../compare.js';
import { bytesInUse, settledUse } from '../memory-use.js';
import {
  asMultipleOf,
  atLeast,
  atMost,
  atMostFigure,
  beside,
  type Row,
  type Section,
} from '../row.js';

const KEYS = 1_000;
const GETS = 100_000;
const SETS = 50_000;
const ENTRIES = 50_000;
const DEATHS = 1_000_000;
/** The least of some rounds counts: a busy machine makes a turn longer, and never shorter. */
const DEATH_ROUNDS = 5;

const BY_HAND = 'floor: Map, WeakRef and registry';
const OURS = 'tenure WeakValueMap';
const DENOSTACK = 'weakref WeakValueMap';
const CSPELL = 'StrongWeakMap';

/** Packages that are measured besides tenure. */
export const packages = ['weakref', '@cspell/strong-weak-map'] as const;

interface Value {
  readonly id: number;
}

/** The part of a map that is measured. */
interface Measured {
  get(key: number): Value | undefined;
  set(key: number, value: Value): unknown;
}

/** A map as a careful reader of the documentation of FinalizationRegistry writes it. */
class MapByHand implements Measured {
  readonly #refs = new Map<number, WeakRef<Value>>();
  readonly #registry = new FinalizationRegistry<number>((key) => {
    if (this.#refs.get(key)?.deref() === undefined) this.#refs.delete(key);
  });

  get(key: number): Value | undefined {
    return this.#refs.get(key)?.deref();
  }

  set(key: number, value: Value): void {
    const former = this.#refs.get(key);
    if (former !== undefined) this.#registry.unregister(former);
    const ref = new WeakRef(value);
    this.#refs.set(key, ref);
    this.#registry.register(value, key, ref);
  }
}

const MAPS: readonly (readonly [name: string, make: () => Measured])[] = [
  [BY_HAND, () => new MapByHand()],
  [OURS, () => new WeakValueMap<number, Value>()],
  [DENOSTACK, () => new DenostackMap<number, Value>()],
  [CSPELL, () => new StrongWeakMap<number, Value>()],
];

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  const values = Array.from({ length: SETS }, (_, id): Value => ({ id }));
  const get = await measure('One get of a live value', MAPS.map(getting(values)), options, GETS);
  yield {
    group: get,
    rows: [atMost(1.3, get, OURS, BY_HAND), ...beside(get, OURS, [DENOSTACK, CSPELL])],
  };
  const set = await measure('One set of a new key', MAPS.map(setting(values)), options, SETS);
  yield {
    group: set,
    rows: [
      atMost(1.3, set, OURS, BY_HAND),
      atLeast(1, set, OURS, DENOSTACK),
      ...beside(set, OURS, [CSPELL]),
    ],
  };
  const memory = await entries(scaled(ENTRIES, options.scale ?? 1), gc);
  yield { group: memory, rows: asMultipleOf(memory, OURS, [BY_HAND, DENOSTACK, CSPELL]) };
  const turns = await deaths(scaled(DEATHS, options.scale ?? 1), gc);
  yield { group: turns, rows: [atMostFigure(50, turns, OURS), ...beside(turns, OURS, [BY_HAND])] };
}

const getting =
  (values: readonly Value[]) =>
  ([name, make]: (typeof MAPS)[number]): Contender => {
    const map = make();
    for (let key = 0; key < KEYS; key++) map.set(key, values[key] as Value);
    return {
      name,
      async run(operations) {
        // V8 holds what was dereferenced until the turn ends, in a table that grows; so each thousand has a turn of its own.
        for (let done = 0; done < operations; done += KEYS) {
          for (let key = 0; key < KEYS; key++) map.get(key);
          await setImmediate();
        }
      },
    };
  };

const setting =
  (values: readonly Value[]) =>
  ([name, make]: (typeof MAPS)[number]): Contender => ({
    name,
    async run(operations) {
      const map = make();
      for (let key = 0; key < operations; key++) map.set(key, values[key % values.length] as Value);
      await setImmediate();
    },
  });

/** Bytes of one entry, besides its key and its value. */
async function entries(count: number, gc: () => void): Promise<Group> {
  const values = Array.from({ length: count }, (_, id): Value => ({ id }));
  const figures = new Map<string, number>();
  const makers: (readonly [string, () => { set(key: never, value: never): unknown }])[] = [
    ...MAPS,
    ['tenure IterableWeakMap', () => new IterableWeakMap<Value, number>()],
  ];
  for (const [name, make] of makers) {
    const before = await settledUse(gc);
    const map = make();
    const hasObjectKeys = map instanceof IterableWeakMap;
    for (const value of values) {
      if (hasObjectKeys) map.set(value as never, value.id as never);
      else map.set(value.id as never, value as never);
    }
    await settledUse(gc);
    figures.set(name, (bytesInUse() - before) / count);
    held.push(map);
  }
  held.length = 0;
  return { title: 'Memory of one entry', unit: 'B', figures };
}

/** What must live until it was measured. */
const held: unknown[] = [];

/** The longest turn of the event loop while all values of a map die, the collection itself excluded. */
async function deaths(count: number, gc: () => void): Promise<Group> {
  const figures = new Map<string, number>();
  for (const [name, make, left] of [
    dying(BY_HAND, () => new MapByHand(), undefined),
    dying(
      OURS,
      () => new WeakValueMap<number, Value>(),
      (map) => map.stats().size,
    ),
  ]) {
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < DEATH_ROUNDS; round++) {
      const map = make();
      for (let key = 0; key < count; key++) map.set(key, { id: key });
      await setImmediate();
      gc();
      least = Math.min(least, await longestTurn(() => left(map as never)));
    }
    figures.set(name, least);
  }
  return { title: `Longest turn while ${count} values die`, unit: 'ms', figures };
}

function dying<M extends Measured>(
  name: string,
  make: () => M,
  left: ((map: M) => number) | undefined,
): [string, () => Measured, (map: never) => number] {
  return [name, make, left ?? (() => 0)];
}

/** Watches turns until nothing is left, and for 30 turns at least. */
async function longestTurn(left: () => number): Promise<number> {
  let longest = 0;
  for (let turn = 0; turn < 30 || left() > 0; turn++) {
    const start = performance.now();
    await setImmediate();
    longest = Math.max(longest, performance.now() - start);
  }
  return longest;
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 9) }));
