/** Connections by TLS, on a real MariaDB with a self-signed certificate. */
import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { adoptPool, createClientPool } from '../../../src/integrations/mysql2.js';
import { Certificates, canMakeCertificates } from '../../kit/certificates.js';
import { until } from '../../kit/until.js';
import { canStart, MariadbServer } from './mariadb-server.js';

describe.skipIf(!canStart || !canMakeCertificates)('a pool by TLS', () => {
  let server: MariadbServer;
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = new Certificates();
    certificates.use('first');
    server = await MariadbServer.start([
      `--ssl-cert=${certificates.file}`,
      `--ssl-key=${certificates.keyFile}`,
    ]);
  }, 60_000);
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    certificates[Symbol.dispose]();
  });

  const config = (name: 'first' | 'second'): mysql.ConnectionOptions => ({
    host: '127.0.0.1',
    port: server.port,
    user: 'root',
    ssl: { ca: certificates.textOf(name) },
  });
  const cipher = async (connection: Connection): Promise<unknown> => {
    const [rows] = await connection.query<RowDataPacket[]>("show status like 'Ssl_cipher'");
    return rows[0]?.['Value'];
  };

  test('`ssl: { ca }` encrypts the connections of a pool of clients and of an adopted pool, after a reset too', async () => {
    await using pool = createClientPool(config('first'), { max: 1 });
    for (let holder = 0; holder < 2; holder++) expect(await pool.use(cipher)).toMatch(/TLS/);
    expect(pool.stats()).toMatchObject({ created: 1, destroyed: 0 });
    const adopted = adoptPool(mysql.createPool(config('first')));
    expect(await adopted.use(cipher)).toMatch(/TLS/);
    await adopted.close({ endPeer: true });
  });

  test('a certificate that is not trusted rejects a caller at its first attempt, with the error of TLS', async () => {
    await using pool = createClientPool(config('second'), { max: 1 });
    await expect(pool.lease()).rejects.toMatchObject({
      code: 'TENURE_POOL_CREATE',
      cause: { message: expect.stringContaining('self-signed certificate') },
    });
    expect(pool.stats()).toMatchObject({ createErrors: 1, size: 0 });
    await until(async () => (await server.connections()) === 0);
  });

  test('a certificate that changes: new connections need the new `ca`', async () => {
    const changing = config('first');
    await using pool = createClientPool(changing, { max: 1 });
    await pool.use(cipher);
    certificates.use('second');
    await server.crash();
    await server.start();
    await until(() => pool.size === 0);
    await expect(pool.lease()).rejects.toMatchObject({ code: 'TENURE_POOL_CREATE' });
    changing.ssl = config('second').ssl as mysql.SslOptions;
    expect(await pool.use(cipher)).toMatch(/TLS/);
  });

  test('a server that ends a connection during a statement: the error is its own, and later callers are served', async () => {
    const current = { ...config('first'), ssl: { rejectUnauthorized: false } };
    await using pool = createClientPool(current, { max: 1 });
    const running = pool.use((connection) => connection.query('select sleep(60)'));
    const ended = expect(running).rejects.toMatchObject({ code: 'PROTOCOL_CONNECTION_LOST' });
    await until(() => server.isRunning('select sleep(60)'));
    await server.endConnections();
    await ended;
    expect(await pool.use(cipher)).toMatch(/TLS/);
    expect(pool.stats().destroyedBy).toEqual({ broken: 1 });
  });
});
