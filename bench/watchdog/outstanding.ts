/**
 * What many loans that are out cost: memory of each, beside an unwatched one, and the first `check()` over all of them.
 *
 * Run with `npm run bench:one bench/watchdog/outstanding.ts`.
 */
import { setImmediate } from 'node:timers/promises';
import { createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { Watchdog, type WatchLevel } from '../../src/watchdog/index.js';
import { isEntry, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Group, median, scaled } from '../compare.js';
import { settledUse } from '../memory-use.js';
import { atMostFigure, atMostOver, type Row, type Section } from '../row.js';

const LOANS = 100_000;
const UNWATCHED = 'unwatched';
const LEVELS: readonly WatchLevel[] = ['counters', 'sampled', 'simple'];

/** Rounds of the first check. */
const ROUNDS = 5;

/** No package is measured besides tenure. */
export const packages = [] as const;

export function rows({ scale = 1 }: Pick<BenchOptions, 'scale'>): Promise<Row[]> {
  return rowsOf(sections(scale));
}

async function* sections(scale: number): AsyncGenerator<Section> {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('run with --expose-gc');
  const loans = scaled(LOANS, scale);
  const memory = await memoryOfLoans(loans, gc);
  yield {
    group: memory,
    rows: LEVELS.map((level) => atMostOver(250, memory, level, UNWATCHED)),
  };
  const check = await firstCheck(loans);
  yield { group: check, rows: LEVELS.map((level) => atMostFigure(50, check, level)) };
}

/** Bytes of one loan that is out and settled. */
async function memoryOfLoans(loans: number, gc: () => void): Promise<Group> {
  const figures = new Map<string, number>();
  const kept: Disposable[] = []; // What is freed during a measurement would count as saved.
  for (const level of [undefined, ...LEVELS]) {
    const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: loans });
    for (const lease of await leaseAll(pool, loans)) void lease.release(); // Creates the resources.
    const watchdog = new Watchdog({ level: level ?? 'off' });
    watchdog.watch(pool);
    // The resources are reported in steps, after the call.
    while (level !== undefined && watchdog.heap.stats().live < loans) await setImmediate();
    const before = await settledUse(gc);
    const leases = await leaseAll(pool, loans);
    watchdog.heap.stats(); // Settles the loans.
    figures.set(level ?? UNWATCHED, ((await settledUse(gc)) - before) / loans);
    kept.push(watchdog, ...leases);
  }
  for (const each of kept) each[Symbol.dispose]();
  return { title: `Memory of one of ${loans.toLocaleString('en')} loans`, unit: 'B', figures };
}

/** Milliseconds of the first check after the loans have begun. */
async function firstCheck(loans: number): Promise<Group> {
  const figures = new Map<string, number>();
  for (const level of LEVELS) {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: loans });
      using watchdog = new Watchdog({ level });
      watchdog.watch(pool);
      const leases = await leaseAll(pool, loans);
      const start = performance.now();
      await watchdog.check();
      times.push(performance.now() - start);
      for (const lease of leases) void lease.release();
      await pool.close();
    }
    figures.set(level, median(times));
  }
  const title = `The first check of ${loans.toLocaleString('en')} loans`;
  return { title, unit: 'ms', rounds: ROUNDS, figures };
}

async function leaseAll(pool: Pool<object>, loans: number): Promise<Lease<object>[]> {
  const leases: Lease<object>[] = [];
  for (let i = 0; i < loans; i++) leases.push(await pool.lease());
  return leases;
}

if (isEntry(import.meta.url)) await printAndExit(sections(1));
