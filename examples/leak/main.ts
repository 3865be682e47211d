import { createPool } from 'tenure/pool';
import { formatReport, Watchdog } from 'tenure/watchdog';

const connect = async () => ({ query: async (sql: string) => [sql] });
const pool = createPool({ create: connect, destroy: () => {} }, { name: 'db', max: 10 });
using watchdog = new Watchdog({ level: 'advanced' });
watchdog.watch(pool);

await watchdog.scope('GET /orders', async () => {
  const lease = await pool.lease(); // `await using lease` would give it back.
  return lease.resource.query('select * from orders');
});

console.log(formatReport(await watchdog.check()));
