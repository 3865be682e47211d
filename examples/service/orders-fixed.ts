/** One order with its product. Every way out of the function gives the connection back. */
import type { Database } from './database.js';
import { type Order, type ProductLookup, selectOrder } from './model.js';

export async function findOrder(
  db: Database,
  findProduct: ProductLookup,
  id: number,
): Promise<Order | undefined> {
  await using lease = await db.lease();
  const row = await selectOrder(lease.resource, id);
  if (row === undefined) return undefined;
  await lease.release();
  return { ...row, product: await findProduct(row.productId) };
}
