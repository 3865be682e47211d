/** A pool of Postgres connections, and a transaction on one of them. */
import type pg from 'pg';
import { type ClientPool, createClientPool, transaction } from 'tenure/integrations/pg';

/** A pool for the service's database. */
export function openOrders(config: pg.ClientConfig): ClientPool<pg.Client> {
  return createClientPool(config, { name: 'orders-db', max: 2, acquireTimeoutMillis: 5_000 });
}

/** Moves items between two orders: both change, or neither. */
export async function moveItems(
  orders: ClientPool<pg.Client>,
  from: number,
  to: number,
  count: number,
): Promise<void> {
  await transaction(orders, async (client) => {
    const { rowCount } = await client.query(
      'update orders set items = items - $2 where id = $1 and items >= $2',
      [from, count],
    );
    if (rowCount === 0) throw new Error(`order ${from} has less than ${count} items`);
    await client.query('update orders set items = items + $2 where id = $1', [to, count]);
  });
}
