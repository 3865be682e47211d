/** Connections by TLS, on a real Postgres whose certificate is self-signed, is not trusted, or changes. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type LocalPostgres,
  startLocalPostgres,
} from '../../../examples/service/local-postgres.js';
import { adoptPool, createClientPool } from '../../../src/integrations/pg.js';
import { Certificates, canMakeCertificates } from '../../kit/certificates.js';
import { until } from '../../kit/until.js';
import { canStart, expectAccounted, Overseer } from './postgres-server.js';

describe.skipIf(!canStart || !canMakeCertificates)('a pool by TLS', () => {
  let server: LocalPostgres;
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = new Certificates();
    certificates.use('first');
    server = await startLocalPostgres({
      ssl: 'on',
      ssl_cert_file: certificates.file,
      ssl_key_file: certificates.keyFile,
    });
  }, 60_000);
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    certificates[Symbol.dispose]();
  });

  const address = () => ({
    host: '127.0.0.1',
    port: server.port,
    user: 'postgres',
    database: 'postgres',
  });
  const trusting = (name: 'first' | 'second') => ({ ca: certificates.textOf(name) });
  const isEncrypted = async (client: pg.ClientBase): Promise<unknown> => {
    const { rows } = await client.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()');
    return rows[0]?.ssl;
  };

  test.each([
    ['`ssl: { ca }`', () => ({ ...address(), ssl: trusting('first') })],
    [
      '`sslmode=verify-full`',
      () => ({
        connectionString: `${server.url}?sslmode=verify-full&sslrootcert=${certificates.file}`,
      }),
    ],
  ])(
    '%s encrypts the connections of a pool of clients and of an adopted pool',
    async (_, config) => {
      await using pool = createClientPool(config());
      expect(await pool.use(isEncrypted)).toBe(true);
      const adopted = adoptPool(new pg.Pool(config()));
      expect(await adopted.use(isEncrypted)).toBe(true);
      await adopted.close({ endPeer: true });
    },
  );

  const refused: readonly [what: string, code: string, config: () => pg.ClientConfig][] = [
    [
      'a certificate that is not trusted',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      () => ({ ...address(), ssl: trusting('second') }),
    ],
    [
      'a certificate of another host',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      () => ({ ...address(), host: 'localhost', ssl: trusting('first') }),
    ],
    [
      'an `ssl` that pg ignores beside an `sslmode`',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      () => ({
        connectionString: `${server.url}?sslmode=verify-full`,
        ssl: trusting('first'),
      }),
    ],
  ];

  test.each(refused)('%s rejects a caller at its first attempt', async (_, code, config) => {
    await using overseer = await Overseer.of(server.url);
    const name = 'refused';
    await using pool = createClientPool({ ...config(), application_name: name }, { max: 4 });
    const callers = Array.from({ length: 3 }, () =>
      expect(pool.lease()).rejects.toMatchObject({ code: 'TENURE_POOL_CREATE', cause: { code } }),
    );
    await Promise.all(callers);
    expect(pool.stats()).toMatchObject({ createErrors: 3, size: 0 });
    const adopted = adoptPool(new pg.Pool(config()));
    await expect(adopted.lease()).rejects.toMatchObject({ code });
    await adopted.close({ endPeer: true });
    expect(await overseer.backends(name)).toBe(0);
  });

  test('a certificate that changes: the open connections go on, and new ones need the new `ca`', async () => {
    const config: pg.ClientConfig = { ...address(), ssl: trusting('first') };
    await using pool = createClientPool(config, { max: 1 });
    await pool.use(isEncrypted);
    certificates.use('second');
    await server.stop('fast');
    await server.start();
    await until(() => pool.size === 0);
    await expect(pool.lease()).rejects.toMatchObject({
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
    config.ssl = trusting('second');
    expect(await pool.use(isEncrypted)).toBe(true);
    expectAccounted(pool.stats());
  });

  test('a server that ends connections during statements: their errors are its own, and later callers are served', async () => {
    await using pool = createClientPool(
      { ...address(), ssl: { rejectUnauthorized: false } },
      { max: 3 },
    );
    const running = Array.from({ length: 2 }, () =>
      pool.use((client) => client.query('select pg_sleep(60)')),
    );
    const ended = running.map((query) => expect(query).rejects.toMatchObject({ code: '57P01' }));
    await pool.use((client) =>
      until(async () => {
        const { rowCount } = await client.query(
          "select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'",
        );
        return rowCount === 2;
      }),
    );
    await pool.use((client) =>
      client.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where query = $1 and pid <> pg_backend_pid()',
        ['select pg_sleep(60)'],
      ),
    );
    await Promise.all(ended);
    expect(await pool.use(isEncrypted)).toBe(true);
    await until(() => pool.stats().destroyedBy['broken'] === 2);
    expectAccounted(pool.stats());
  });
});
