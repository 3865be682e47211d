/** What holders do for minutes with a client of pg. */
import pg from 'pg';
import type { LongUse } from '../long-use.js';
import { OpenCopy } from './open-queries.js';

type Begin = (client: pg.ClientBase, url: string) => Promise<LongUse>;

export const LONG_USES: readonly [[does: string, begin: Begin], ...[does: string, begin: Begin][]] =
  [
    [
      'hears notifications',
      async (client) => {
        const hear = (): void => {};
        client.on('notification', hear);
        return { stop: () => client.off('notification', hear) };
      },
    ],
    [
      'waits for the answer to a statement',
      async (client, url) => {
        const other = new pg.Client(url);
        await other.connect();
        await other.query('select pg_advisory_lock(1)');
        const answer = client.query('select pg_advisory_lock(1)');
        return {
          async stop() {
            await other.end();
            await answer;
          },
          end: () => client.query('select pg_advisory_unlock(1)'),
        };
      },
    ],
    [
      'reads a cursor',
      async (client) => {
        await client.query('begin; declare numbers cursor for select generate_series(1, 100)');
        return {
          goOn: () => client.query('fetch 10 from numbers'),
          stop() {},
          end: () => client.query('rollback'),
        };
      },
    ],
    [
      'writes a COPY',
      async (client) => {
        const copy = client.query(new OpenCopy());
        await copy.isReady;
        return {
          goOn: () => copy.write('1\n'),
          stop() {},
          end: () => copy.end(),
        };
      },
    ],
  ];
