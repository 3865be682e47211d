/** What a request takes anywhere below is released when it ends. */
import { ResourceScope } from 'tenure/node';
import { createPool } from 'tenure/pool';
import { Watchdog } from 'tenure/watchdog';

using watchdog = new Watchdog();
await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
watchdog.watch(pool);

const findOrders = async () => {
  const lease = await pool.lease();
  ResourceScope.current?.use(lease);
  return 'orders';
};
console.log(await ResourceScope.run('GET /orders', findOrders, { watchdog }));
console.log(`${pool.borrowed} connections are out`);
await watchdog.assertNoLeaks();

// prints:
// orders
// 0 connections are out
