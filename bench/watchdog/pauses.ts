/**
 * The pauses that a watchdog makes with a million watched entries: the longest turn of the event loop, also without V8's collections,
 * and the processor's time, over some seconds in which entries come and go. Beside it, the same cache without a watch. Then the call of `watch` for a cache
 * that is full, and the longest turn until all entries are reported.
 *
 * Run with `npm run bench:one bench/watchdog/pauses.ts`.
 */
import { setImmediate } from 'node:timers/promises';
import { memoize } from '../../src/memoize/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { isEntry, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Group, median, scaled } from '../compare.js';
import { atMostOver, over, type Row, type Section } from '../row.js';
import { type LongestTurns, measureTurns } from './turns.js';

const ENTRIES = 1_000_000;

/** The longest pause that a watchdog makes. */
const PAUSE_MILLIS = 2;

/** New entries in each turn: so few that the cache's own Map, which a million entries nearly fill, does not grow meanwhile. */
const PER_TURN = 10;

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
  const pauses = groupOf("Longest turn without V8's collections", 'withoutGcMillis');
  for (const group of [
    groupOf('Longest turn', 'longestMillis'),
    groupOf('Processor time', 'processorMillis'),
  ]) {
    yield { group, rows: over(group, WATCHED, [UNWATCHED]) };
  }
  yield { group: pauses, rows: [atMostOver(PAUSE_MILLIS, pauses, WATCHED, UNWATCHED)] };
  const late = new Map<string, number[]>([
    [UNWATCHED, []],
    [CALL, []],
    [STEPS, []],
  ]);
  for (let round = 0; round < ROUNDS; round++) {
    late.get(UNWATCHED)?.push((await watchFull(false, entries)).withoutGcMillis);
    const { callMillis, withoutGcMillis } = await watchFull(true, entries);
    late.get(CALL)?.push(callMillis);
    late.get(STEPS)?.push(withoutGcMillis);
  }
  const group: Group = {
    title: `Watching a full cache, ${entries.toLocaleString('en')} entries`,
    unit: 'ms',
    rounds: ROUNDS,
    figures: new Map([...late].map(([name, all]) => [name, median(all)])),
  };
  yield { group, rows: [...over(group, CALL, [UNWATCHED]), ...over(group, STEPS, [UNWATCHED])] };
}

/** The call of `watch`. */
const CALL = 'watch()';

/** The turns in which the entries are reported. */
const STEPS = 'simple, longest turn';

/** Turns after a forced collection in which V8 still sweeps its heap. It does so in other threads, and in turns that allocate. */
const SWEEPING_TURNS = 1_000;

/** Has V8 collect everything, and lets the turns pass in which it sweeps. */
async function collectAll(add: () => void): Promise<void> {
  globalThis.gc?.();
  for (let turn = 0; turn < SWEEPING_TURNS; turn++) {
    for (let i = 0; i < PER_TURN; i++) add();
    await setImmediate();
  }
}

interface LateWatch extends LongestTurns {
  readonly callMillis: number;
}

/** Has a full cache watched, and lets turns pass until all entries are reported. Without a watch, for as long as that takes. */
async function watchFull(isWatched: boolean, entries: number): Promise<LateWatch> {
  const cached = memoize((key: number) => key, { max: entries });
  let key = 0;
  for (; key < entries; key++) cached(key);
  await collectAll(() => cached(key++));
  using watchdog = new Watchdog();
  const start = performance.now();
  if (isWatched) watchdog.watch(cached);
  const callMillis = performance.now() - start;
  const isDone = (): boolean =>
    isWatched
      ? watchdog.heap.stats().live >= entries
      : performance.now() - start > (MICROS_PER_ENTRY * entries) / 1_000;
  const turns = await measureTurns((turn) => (turn + 1) % LOOK_EVERY !== 0 || !isDone());
  return { callMillis, ...turns };
}

/** How many turns pass between two looks whether all entries are reported: a look settles the heap. */
const LOOK_EVERY = 1_000;

/** About how long the report of an entry takes, the turns between included. */
const MICROS_PER_ENTRY = 2.5;

interface Run extends LongestTurns {
  readonly processorMillis: number;
}

/** Lets entries come and go in a full cache, and sweeps of the watchdog run meanwhile. */
async function run(isWatched: boolean, entries: number, turns: number): Promise<Run> {
  const cached = memoize((key: number) => key, { max: entries });
  using watchdog = new Watchdog({ sweepIntervalMillis: 200 });
  if (isWatched) watchdog.watch(cached);
  let key = 0;
  for (; key < entries; key++) cached(key);
  await collectAll(() => cached(key++));
  const before = process.cpuUsage();
  const longest = await measureTurns(
    (turn) => turn < turns,
    () => {
      for (let i = 0; i < PER_TURN; i++) cached(key++);
    },
  );
  const { user, system } = process.cpuUsage(before);
  return { ...longest, processorMillis: (user + system) / 1_000 };
}

if (isEntry(import.meta.url)) await printAndExit(sections(1));
