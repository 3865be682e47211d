/** Finds an order. One way out of the function forgets the client. */
export async function findOrder(pool, id) {
  const client = await pool.connect();
  const { rows } = await client.query('select * from orders where id = $1', [id]);
  if (rows.length === 0) return undefined;
  client.release();
  return rows[0];
}
