/**
 * What watching costs where the user pays for it: processor time of a query on a real Postgres, each in a loan of its own. 40 callers
 * share 10 connections. All levels run in one process, interleaved.
 *
 * Run with `npm run bench:one bench/watchdog/postgres.ts [rounds]`.
 */
import pg from 'pg';
import { hasLocalPostgres, startLocalPostgres } from '../../examples/service/local-postgres.js';
import { createPool } from '../../src/pool/index.js';
import { AsyncDisposableStack } from '../../src/scope/index.js';
import { Watchdog, type WatchLevel } from '../../src/watchdog/index.js';
import { CONNECTIONS, measureQueries, querying } from '../adopted.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import type { BenchOptions, Contender } from '../compare.js';
import { atMostOver, over, type Row, type Section } from '../row.js';
import { BenchSkipped } from '../skipped.js';

const UNWATCHED = 'unwatched';

export const packages = ['pg'] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  if (!(await hasLocalPostgres())) throw new BenchSkipped('there is no Postgres');
  await using server = await startLocalPostgres();
  await using disposer = new AsyncDisposableStack();
  const contenders = ([undefined, 'counters', 'sampled', 'simple'] as const).map((level) =>
    queryingAt(level, server.url, disposer),
  );
  const title = 'Processor time of a query in a loan';
  const group = await measureQueries(title, contenders, options);
  yield {
    group,
    rows: [
      ...over(group, 'counters', [UNWATCHED]),
      ...over(group, 'sampled', [UNWATCHED]),
      atMostOver(1_500, group, 'simple', UNWATCHED),
    ],
  };
}

function queryingAt(
  level: WatchLevel | undefined,
  url: string,
  disposer: AsyncDisposableStack,
): Contender {
  const pool = disposer.use(
    createPool(
      {
        async create() {
          const client = new pg.Client({ connectionString: url });
          await client.connect();
          return client;
        },
        destroy: (client) => client.end(),
      },
      { max: CONNECTIONS },
    ),
  );
  if (level !== undefined) disposer.use(new Watchdog({ level })).watch(pool);
  return querying(level ?? UNWATCHED, async () => {
    const lease = await pool.lease();
    await lease.resource.query('select 1');
    await lease.release();
  });
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 9) }));
