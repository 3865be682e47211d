import { describe, expect, test } from 'vitest';
import { startLocalPostgres } from '../../examples/service/local-postgres.js';
import { canStart, Overseer } from '../integrations/postgres/postgres-server.js';

describe.skipIf(!canStart)('a local Postgres', () => {
  test('starts also if it logs a lot before it is ready, as it does while clients connect', async () => {
    await using server = await startLocalPostgres({
      log_min_messages: 'debug5',
      log_line_prefix: '.'.repeat(900), // With this, the log fills the pipe many times.
    });
    await using overseer = await Overseer.of(server.url);
    expect(await overseer.backends('unknown')).toBe(0);
  }, 60_000);
});
