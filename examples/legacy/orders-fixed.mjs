/** Finds an order. Every way out of the function gives the client back. */
export async function findOrder(pool, id) {
  const client = await pool.connect();
  try {
    const { rows } = await client.query('select * from orders where id = $1', [id]);
    return rows[0];
  } finally {
    client.release();
  }
}
