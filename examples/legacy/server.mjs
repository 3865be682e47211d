/** An orders service as it may run anywhere: Express and pg. It knows nothing of tenure. */
import express from 'express';
import pg from 'pg';

const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  options: '-c search_path=tenure_demo',
  max: 10,
  connectionTimeoutMillis: Number(process.env.POOL_TIMEOUT_MILLIS ?? 1_000),
});
pool.on('error', () => {});

const { findOrder } = await import(`./orders-${process.argv[2] ?? 'leaky'}.mjs`);

const app = express();

app.get('/healthz', (_request, response) => {
  response.json({ ok: true });
});

app.get('/orders/:id', async (request, response) => {
  const order = await findOrder(pool, Number(request.params.id));
  if (order === undefined) response.status(404).json({ error: 'no such order' });
  else response.json(order);
});

app.get('/products/:id', async (request, response) => {
  const sql = 'select id, name, cents from products where id = $1';
  const { rows } = await pool.query(sql, [request.params.id]);
  response.json(rows[0] ?? null);
});

app.get('/customers/:id/orders', async (request, response) => {
  const client = await pool.connect();
  try {
    const sql = 'select id, quantity from orders where customer_id = $1 order by id limit 10';
    const { rows } = await client.query(sql, [request.params.id]);
    response.json(rows);
  } finally {
    client.release();
  }
});

app.use((error, _request, response, _next) => {
  response.status(503).json({ error: error.message });
});

const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

process.on('SIGTERM', () => {
  server.close(async () => {
    setTimeout(() => process.exit(0), 2_000); // Clients that do not come back must not hold up a deployment.
    await pool.end();
    process.exit(0);
  });
});
