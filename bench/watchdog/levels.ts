/**
 * What watching costs: a lease and its release, unwatched and at each level, interleaved in one process.
 *
 * Run with `npx tsx bench/watchdog/levels.ts [rounds]`.
 */
import { createPool } from '../../src/pool/index.js';
import { Watchdog, type WatchLevel } from '../../src/watchdog/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Contender, measure } from '../compare.js';
import { asMultipleOf, type Row, type Section } from '../row.js';

const LEASES = 20_000;
const UNWATCHED = 'unwatched';
const LEVELS: readonly WatchLevel[] = ['counters', 'simple', 'advanced', 'paranoid'];

/** No package is measured besides tenure. */
export const packages = [] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  const contenders = [leasing(undefined), ...LEVELS.map(leasing)];
  const group = await measure('One loan, watched at a level', contenders, options, LEASES);
  yield { group, rows: LEVELS.flatMap((level) => asMultipleOf(group, level, [UNWATCHED])) };
}

function leasing(level: WatchLevel | undefined): Contender {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 10 });
  if (level !== undefined) new Watchdog({ level }).watch(pool);
  return {
    name: level ?? UNWATCHED,
    async run(leases) {
      for (let i = 0; i < leases; i++) await (await pool.lease()).release();
    },
  };
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 9) }));
