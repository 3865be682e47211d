/**
 * The pauses that a watchdog makes with a million watched entries: the longest turn of the event loop, and the part of the processor's
 * time, over some seconds in which entries come and go. Beside it, the same cache without a watch.
 *
 * Run with `npx tsx bench/watchdog/pauses.ts`.
 */
import { setImmediate } from 'node:timers/promises';
import { memoize } from '../../src/memoize/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { isEntry, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Group, median, scaled } from '../compare.js';
import { over, type Row, type Section } from '../row.js';

const ENTRIES = 1_000_000;

/** New entries in each turn. */
const PER_TURN = 20;

const TURNS = 3_000;
const ROUNDS = 3;
const UNWATCHED = 'unwatched';
const WATCHED = 'simple';

/** No package is measured besides tenure. */
export const packages = [] as const;

export function rows({ scale = 1 }: Pick<BenchOptions, 'scale'>): Promise<Row[]> {
  return rowsOf(sections(scale));
}

async function* sections(scale: number): AsyncGenerator<Section> {
  const entries = scaled(ENTRIES, scale);
  const turns = scaled(TURNS, scale);
  const runs = new Map<string, Run[]>([
    [UNWATCHED, []],
    [WATCHED, []],
  ]);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, all] of runs) all.push(await run(name === WATCHED, entries, turns));
  }
  const groupOf = (title: string, figure: keyof Run): Group => ({
    title: `${title}, ${entries.toLocaleString('en')} entries`,
    unit: 'ms',
    rounds: ROUNDS,
    figures: new Map([...runs].map(([name, all]) => [name, median(all.map((one) => one[figure]))])),
  });
  for (const group of [
    groupOf('Longest turn', 'longestMillis'),
    groupOf('Processor time', 'processorMillis'),
  ]) {
    yield { group, rows: over(group, WATCHED, [UNWATCHED]) };
  }
}

interface Run {
  readonly longestMillis: number;
  readonly processorMillis: number;
}

/** Lets entries come and go in a full cache, and sweeps of the watchdog run meanwhile. */
async function run(isWatched: boolean, entries: number, turns: number): Promise<Run> {
  const cached = memoize((key: number) => key, { max: entries });
  using watchdog = new Watchdog({ sweepIntervalMillis: 200 });
  if (isWatched) watchdog.watch(cached);
  let key = 0;
  for (; key < entries; key++) cached(key);
  globalThis.gc?.();
  let longestMillis = 0;
  const before = process.cpuUsage();
  for (let turn = 0; turn < turns; turn++) {
    const start = performance.now();
    for (let i = 0; i < PER_TURN; i++) cached(key++);
    await setImmediate();
    longestMillis = Math.max(longestMillis, performance.now() - start);
  }
  const { user, system } = process.cpuUsage(before);
  return { longestMillis, processorMillis: (user + system) / 1_000 };
}

if (isEntry(import.meta.url)) await printAndExit(sections(1));
