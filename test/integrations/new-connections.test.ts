/** How a pool of clients makes a connection, on a server that answers as a test wants. No Postgres is needed. */
import { expect, test } from 'vitest';
import { createClientPool } from '../../src/integrations/pg.js';
import { AUTHENTICATED, FakePostgres, READY, TERMINATED } from './postgres/fake-postgres.js';

const USER = { host: '127.0.0.1', user: 'orders' };

test('a connection that the server ends as soon as it is ready is not lent: node-postgres#2762', async () => {
  await using server = await FakePostgres.start((socket, _received, connection) => {
    const isEnded = connection <= 2;
    socket.write(Buffer.concat([AUTHENTICATED, READY, ...(isEnded ? [TERMINATED] : [])]));
  });
  const errors: unknown[] = [];
  const pool = createClientPool({ ...USER, port: server.port }, { max: 1 });
  pool.on('factoryCreateError', (error) => errors.push(error));
  const lease = await pool.lease();
  expect(server.connections).toBe(3);
  expect(errors).toMatchObject([{ code: '57P01' }, { code: '57P01' }]);
  await lease.destroy();
  await pool.close();
});
