/** One order with its product. A realistic bug: one way out of the function forgets the connection. */
import type { Database } from './database.js';
import { type Order, type ProductLookup, selectOrder } from './model.js';

export async function findOrder(
  db: Database,
  findProduct: ProductLookup,
  id: number,
): Promise<Order | undefined> {
  const lease = await db.lease();
  const row = await selectOrder(lease.resource, id);
  if (row === undefined) return undefined;
  await lease.release();
  return { ...row, product: await findProduct(row.productId) };
}
