/**
 * What an adopted pool of mysql2 costs where the user pays for it: processor time per query on a real MariaDB, beside the peer alone.
 * 40 callers share 10 connections, and each runs `select 1`. All contenders run in one process, interleaved.
 *
 * Run with `npm run bench:one bench/mariadb/adopted.ts [rounds]`.
 */
import mysql from 'mysql2/promise';
import { adoptPool } from '../../src/integrations/mysql2.js';
import { canStart, MariadbServer } from '../../test/integrations/mysql2/mariadb-server.js';
import { CONNECTIONS, LIMIT, measureQueries, querying, queryingAdopted } from '../adopted.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import type { BenchOptions } from '../compare.js';
import { atMost, type Row, type Section } from '../row.js';
import { BenchSkipped } from '../skipped.js';

export const packages = ['mysql2'] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  if (!canStart) throw new BenchSkipped('there is no MariaDB');
  await using server = await MariadbServer.start();
  const peer = mysql.createPool({
    host: '127.0.0.1',
    port: server.port,
    user: 'root',
    connectionLimit: CONNECTIONS,
  });
  const adopted = adoptPool(peer);
  const contenders = [
    querying('mysql2', async () => {
      const connection = await peer.getConnection();
      await connection.query('select 1');
      connection.release();
    }),
    ...queryingAdopted(adopted, (connection) => connection.query('select 1')),
  ];
  const group = await measureQueries(
    'Processor time of a query of 40 callers, mysql2',
    contenders,
    options,
  );
  yield {
    group,
    rows: ['adopted, lease', 'adopted, use'].map((name) => atMost(LIMIT, group, name, 'mysql2')),
  };
  await adopted.close({ endPeer: true });
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 9) }));
