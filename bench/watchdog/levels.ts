/**
 * What watching costs: a lease and its release at each level, over an unwatched one, interleaved in one process. The loan ends at
 * once, within a scope, just after its scope, or after some turns of the event loop.
 *
 * Run with `npm run bench:one bench/watchdog/levels.ts [rounds]`.
 */
import { setImmediate } from 'node:timers/promises';
import { createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { Watchdog, type WatchLevel } from '../../src/watchdog/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Contender, type Group, measureProcessorTime } from '../compare.js';
import { atMostOver, over, type Row, type Section } from '../row.js';

const LEASES = 100_000;

/** Leases of a kind that takes microseconds. */
const SLOW_LEASES = 20_000;

const LEVELS = ['off', 'counters', 'sampled', 'simple'] as const;

/** They take a stack for each loan, and are measured apart: beside them, a loan of another level takes up to 30 ns longer. */
const LEVELS_WITH_STACKS = ['advanced', 'paranoid'] as const;

/** The level that watches nothing, by which the others are measured. */
const FLOOR = 'unwatched';

/** No package is measured besides tenure. */
export const packages = [] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  yield section(
    await measureProcessorTime('A loan', contendersOf(leaseAndRelease, LEVELS), options, LEASES),
    { off: 10, counters: 30, sampled: 60, simple: 250 },
  );
  const withStacks = contendersOf(leaseAndRelease, LEVELS_WITH_STACKS);
  yield section(
    await measureProcessorTime('A loan and its stack', withStacks, options, LEASES),
    {},
  );
  const inScopes = contendersOf(leaseInScope, ['counters', 'sampled', 'simple']);
  yield section(
    await measureProcessorTime('A loan within a scope', inScopes, options, SLOW_LEASES),
    { simple: 600 },
  );
  const afterScopes = contendersOf(releaseAfterScope, ['counters', 'sampled', 'simple']);
  yield section(
    await measureProcessorTime('Released after its scope', afterScopes, options, SLOW_LEASES),
    { simple: 2_000 },
  );
  const held = contendersOf(holdOverTurns, ['counters', 'sampled', 'simple']);
  yield section(
    await measureProcessorTime('A loan held over 3 turns', held, options, SLOW_LEASES),
    { simple: 1_500 },
  );
}

/** The rows of a group: what each level takes more than the floor, with a promise for some levels. */
function section(group: Group, promises: { readonly [L in WatchLevel]?: number }): Section {
  const levels = [...group.figures.keys()].filter((name) => name !== FLOOR) as WatchLevel[];
  return {
    group,
    rows: levels.flatMap((level) => {
      const limit = promises[level];
      return limit === undefined
        ? over(group, level, [FLOOR])
        : [atMostOver(limit, group, level, FLOOR)];
    }),
  };
}

/** Some loans of a pool, and their releases. */
type Use = (pool: Pool<object>, watchdog: Watchdog, leases: number) => Promise<void>;

const leaseAndRelease: Use = async (pool, _watchdog, leases) => {
  for (let i = 0; i < leases; i++) await (await pool.lease()).release();
};

const leaseInScope: Use = async (pool, watchdog, leases) => {
  const body = async (): Promise<void> => {
    await (await pool.lease()).release();
  };
  for (let i = 0; i < leases; i++) await watchdog.scope('request', body);
};

const releaseAfterScope: Use = async (pool, watchdog, leases) => {
  const take = (): Promise<Lease<object>> => pool.lease();
  for (let i = 0; i < leases; i++) await (await watchdog.scope('request', take)).release();
};

/** Ten callers, which hold their loans over the same turns of the event loop. */
const holdOverTurns: Use = async (pool, _watchdog, leases) => {
  const caller = async (): Promise<void> => {
    for (let i = 0; i < leases / 10; i++) {
      const lease = await pool.lease();
      for (let turn = 0; turn < 3; turn++) await setImmediate();
      await lease.release();
    }
  };
  await Promise.all(Array.from({ length: 10 }, caller));
};

/** The uses of an unwatched pool, and of one watched at each level. */
function contendersOf(use: Use, levels: readonly WatchLevel[]): Contender[] {
  return [undefined, ...levels].map((level) => {
    const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 10 });
    const watchdog = new Watchdog({ level: level ?? 'off' });
    if (level !== undefined) watchdog.watch(pool);
    return { name: level ?? FLOOR, run: (leases) => use(pool, watchdog, leases) };
  });
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 9) }));
