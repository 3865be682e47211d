/** Pools of drivers whose server does not answer: what connects is not borrowed. */
import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';
import mysqlCallbacks from 'mysql2';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { expect, test } from 'vitest';
import { type AdoptedPool, adoptPool as adoptMysqlPool } from '../../../src/integrations/mysql2.js';
import { adoptPool as adoptPgPool } from '../../../src/integrations/pg.js';
import { until } from '../../kit/until.js';

test.each<
  [driver: string, adopt: (port: number) => Pick<AdoptedPool<unknown>, 'lease' | 'stats' | 'close'>]
>([
  ['pg', (port) => adoptPgPool(new pg.Pool({ host: '127.0.0.1', port, max: 2 }))],
  [
    'mysql2 with promises',
    (port) => adoptMysqlPool(mysql.createPool({ host: '127.0.0.1', port, connectionLimit: 2 })),
  ],
  [
    'mysql2 with callbacks',
    (port) =>
      adoptMysqlPool(mysqlCallbacks.createPool({ host: '127.0.0.1', port, connectionLimit: 2 })),
  ],
])('%s: a connection that connects counts as one that is created', async (_driver, adopt) => {
  const sockets: Socket[] = [];
  const server = net.createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const pool = adopt((server.address() as AddressInfo).port);
  const lease = pool.lease();
  await until(() => sockets.length === 1);
  expect(pool.stats()).toMatchObject({ size: 1, available: 0, borrowed: 0, creating: 1, max: 2 });
  for (const socket of sockets) socket.destroy();
  await expect(lease).rejects.toThrow();
  expect(pool.stats()).toMatchObject({ size: 0, borrowed: 0, creating: 0 });
  await pool.close({ endPeer: true });
  server.close();
  await once(server, 'close');
});
