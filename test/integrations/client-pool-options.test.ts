/** Options and settings of pools of clients that would be lost without a word. No server is needed. */
import { expect, test } from 'vitest';
import { createClientPool as createMysqlPool } from '../../src/integrations/mysql2.js';
import { createClientPool as createPgPool } from '../../src/integrations/pg.js';

const POOLS = [
  ['pg', createPgPool],
  ['mysql2', createMysqlPool],
] as const;

/** Options whose values are getters of a class, as a service of settings has them. */
class Settings {
  get name(): string {
    return 'orders-db';
  }

  get max(): number {
    return 3;
  }
}

test.each(POOLS)('%s: what is no object of options is refused', async (_, make) => {
  for (const options of [AbortSignal.abort(), [], new Map(), null, 'max: 3']) {
    expect(() => make({}, options as never)).toThrow(/createClientPool: options must be an object/);
  }
});

test.each(POOLS)('%s: inherited options count', async (_, make) => {
  for (const options of [new Settings(), { __proto__: { name: 'orders-db', max: 3 }, min: 0 }]) {
    const pool = make({}, options);
    expect([pool.name, pool.max]).toEqual(['orders-db', 3]);
    await pool.close();
  }
});

test('pg: what is no configuration does not become that of the default server', () => {
  const url = new URL('postgres://orders:secret@db.example/orders');
  for (const config of [url, url.href, [], null, 5432]) {
    expect(() => createPgPool(config as never)).toThrow(
      expect.objectContaining({
        code: 'TENURE_INVALID_ARGUMENT',
        message: expect.not.stringContaining('secret'),
      }),
    );
  }
});
