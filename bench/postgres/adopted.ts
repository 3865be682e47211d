/**
 * What an adopted pool costs where the user pays for it: processor time per query on a real Postgres, beside the peer alone. 40
 * callers share 10 connections, and each runs `select 1`. All contenders run in one process, interleaved.
 *
 * Run with `npm run bench:one bench/postgres/adopted.ts [rounds]`.
 */
import genericPool from 'generic-pool';
import pg from 'pg';
import { Pool as TarnPool } from 'tarn';
import { hasLocalPostgres, startLocalPostgres } from '../../examples/service/local-postgres.js';
import { adoptPool as adoptGenericPool } from '../../src/integrations/generic-pool.js';
import { adoptPool as adoptPgPool } from '../../src/integrations/pg.js';
import { adoptPool as adoptTarnPool } from '../../src/integrations/tarn.js';
import {
  type Adoptable,
  CONNECTIONS,
  LIMIT,
  measureQueries,
  querying,
  queryingAdopted,
} from '../adopted.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import type { BenchOptions } from '../compare.js';
import { atMost, type Row, type Section } from '../row.js';
import { BenchSkipped } from '../skipped.js';

export const packages = ['pg', 'generic-pool', 'tarn'] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  if (!(await hasLocalPostgres())) throw new BenchSkipped('there is no Postgres');
  await using server = await startLocalPostgres();
  for (const adoptable of [pgPool, poolOfGenericPool, poolOfTarn]) {
    const { peer, title, contenders, end } = adoptable(server.url);
    const group = await measureQueries(title, contenders, options);
    const adopted = contenders.filter(({ name }) => name !== peer);
    yield { group, rows: adopted.map(({ name }) => atMost(LIMIT, group, name, peer)) };
    await end();
  }
}

function pgPool(url: string): Adoptable {
  const peer = new pg.Pool({ connectionString: url, max: CONNECTIONS });
  const adopted = adoptPgPool(peer);
  return {
    title: 'Processor time of a query of 40 callers, pg.Pool',
    peer: 'pg.Pool',
    contenders: [
      querying('pg.Pool', async () => {
        const client = await peer.connect();
        await ask(client);
        client.release();
      }),
      ...queryingAdopted(adopted, ask),
    ],
    end: () => adopted.close({ endPeer: true }),
  };
}

function poolOfGenericPool(url: string): Adoptable {
  const peer = genericPool.createPool(clientFactory(url), { max: CONNECTIONS });
  const adopted = adoptGenericPool(peer);
  return {
    title: 'Processor time of a query of 40 callers, generic-pool',
    peer: 'generic-pool',
    contenders: [
      querying('generic-pool', async () => {
        const client = await peer.acquire();
        await ask(client);
        void peer.release(client);
      }),
      ...queryingAdopted(adopted, ask),
    ],
    end: () => adopted.close({ endPeer: true }),
  };
}

function poolOfTarn(url: string): Adoptable {
  const peer = new TarnPool({ ...clientFactory(url), min: 0, max: CONNECTIONS });
  const adopted = adoptTarnPool(peer);
  return {
    title: 'Processor time of a query of 40 callers, tarn',
    peer: 'tarn',
    contenders: [
      querying('tarn', async () => {
        const client = await peer.acquire().promise;
        await ask(client);
        peer.release(client);
      }),
      ...queryingAdopted(adopted, ask),
    ],
    end: () => adopted.close({ endPeer: true }),
  };
}

/** The query of each loan. */
function ask(client: pg.ClientBase): Promise<unknown> {
  return client.query('select 1');
}

function clientFactory(url: string): {
  create(): Promise<pg.Client>;
  destroy(client: pg.Client): Promise<void>;
} {
  return {
    async create() {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      return client;
    },
    destroy: (client) => client.end(),
  };
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 9) }));
