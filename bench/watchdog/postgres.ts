/**
 * What watching costs where the user pays for it: processor time of a query on a real Postgres, each in a loan of its own. 40 callers
 * share 10 connections. All levels run in one process, interleaved, on the same pool: two pools without a watchdog differ by 1 µs a query.
 * What a watch does at its start, such as taking the first stacks, is left out: it is over within a second.
 *
 * Run with `npm run bench:one bench/watchdog/postgres.ts [rounds]`.
 */
import pg from 'pg';
import { hasLocalPostgres, startLocalPostgres } from '../../examples/service/local-postgres.js';
import { createPool, type Pool } from '../../src/pool/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { CONNECTIONS, querying } from '../adopted.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import {
  type BenchOptions,
  type Group,
  median,
  processorTime,
  scaled,
  shuffled,
} from '../compare.js';
import { atMostOver, over, type Row, type Section } from '../row.js';
import { BenchSkipped } from '../skipped.js';

const UNWATCHED = 'unwatched';

const LEVELS = [UNWATCHED, 'counters', 'sampled', 'simple'] as const;

type Level = (typeof LEVELS)[number];

/** Measured queries of one round: a second of them, since a level takes only so many stacks in a second. Other benches measure 0.2 s. */
const QUERIES = 40_000;

/** Queries of one round before the measured ones, in which a watch begins. */
const FIRST_QUERIES = 5_000;

export const packages = ['pg'] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  if (!(await hasLocalPostgres())) throw new BenchSkipped('there is no Postgres');
  await using server = await startLocalPostgres();
  await using pool = createPool(
    {
      async create() {
        const client = new pg.Client({ connectionString: server.url });
        await client.connect();
        return client;
      },
      destroy: (client: pg.Client) => client.end(),
    },
    { max: CONNECTIONS },
  );
  const group = await measureLevels(pool, options);
  yield {
    group,
    rows: [
      ...over(group, 'counters', [UNWATCHED]),
      ...over(group, 'sampled', [UNWATCHED]),
      atMostOver(1_500, group, 'simple', UNWATCHED),
    ],
  };
}

async function measureLevels(
  pool: Pool<pg.Client>,
  { rounds, scale = 1 }: BenchOptions,
): Promise<Group> {
  const queries = scaled(QUERIES, scale);
  const nanos = new Map(LEVELS.map((level): [Level, number[]] => [level, []]));
  const load = querying('select 1', async () => {
    const lease = await pool.lease();
    await lease.resource.query('select 1');
    await lease.release();
  });
  await load.run(queries); // Compiles the code.
  for (let round = 0; round < rounds; round++) {
    for (const level of shuffled(LEVELS)) {
      using watchdog = level === UNWATCHED ? undefined : new Watchdog({ level });
      watchdog?.watch(pool);
      await load.run(scaled(FIRST_QUERIES, scale));
      const start = processorTime();
      await load.run(queries);
      nanos.get(level)?.push(((processorTime() - start) * 1e6) / queries);
    }
  }
  return {
    title: 'Processor time of a query in a loan',
    unit: 'ns',
    rounds,
    figures: new Map([...nanos].map(([level, all]) => [level, median(all)])),
  };
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 9) }));
