/** The verdict of a soak: compares the pool's counters with the server's, when idle, when fully lent, and when closed. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { LocalPostgres } from '../../examples/service/local-postgres.js';
import { APPLICATION, type Load, type SoakPool, WIDTH } from './load.js';

export interface Finding {
  readonly what: string;
  readonly figure: string;
  readonly isFine: boolean;
}

/** Longest wait for work that ends by itself, in milliseconds. */
const WAIT_LIMIT_MILLIS = 20_000;

export async function inspectEnd(
  pool: SoakPool,
  load: Load,
  server: LocalPostgres,
): Promise<Finding[]> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  const backends = async (): Promise<number> => {
    const { rows } = await client.query<{ count: number }>(
      'select count(*)::int as count from pg_stat_activity where application_name = $1',
      [APPLICATION],
    );
    return rows[0]?.count ?? -1;
  };
  const { loans, created, destroyed, detached, size, borrowed, pending, creating } =
    await atRest(pool);
  const unaccounted = created - destroyed - detached - (size - creating);
  const leases = await Promise.allSettled(Array.from({ length: WIDTH }, () => pool.lease()));
  const had = leases.filter((lease) => lease.status === 'fulfilled');
  const wide = had.length === WIDTH && (await eventually(async () => (await backends()) === WIDTH));
  for (const { value } of had) await value.release();
  await pool.close({ graceMillis: 5_000, force: true });
  const gone = await eventually(async () => (await backends()) === 0);
  const left = await backends();
  await client.end();
  return [
    finding('operations', load.operations, load.operations > 100),
    finding('loans', loans, loans > 100),
    finding('resources created', created, created > WIDTH),
    finding('lost resources', unaccounted + borrowed, unaccounted === 0 && borrowed === 0),
    finding('callers still waiting', pending, pending === 0),
    finding('every connection can be leased, and the server counts as many', wide, wide),
    finding('connections left on the server after the close', left, gone),
    finding('longest operation, in ms', Math.round(load.longestMillis), true),
    finding('mistakes', load.mistakes.slice(0, 5).join('\n') || 'none', load.mistakes.length === 0),
  ];
}

/** The pool's counters once no operation is in progress. */
async function atRest(pool: SoakPool): Promise<ReturnType<SoakPool['stats']>> {
  await eventually(async () => pool.size === pool.available && pool.pending === 0);
  return pool.stats();
}

async function eventually(condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + WAIT_LIMIT_MILLIS;
  while (!(await condition())) {
    if (performance.now() > deadline) return false;
    await pause(50);
  }
  return true;
}

function finding(what: string, figure: unknown, isFine: boolean): Finding {
  return { what, figure: String(figure), isFine };
}
