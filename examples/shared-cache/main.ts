/**
 * Two caches over one Redis, as two processes have them. They share one load, and both see a change.
 *
 * REDIS_URL=redis://localhost:6379 npx tsx examples/shared-cache/main.ts
 */
import { setTimeout as pause } from 'node:timers/promises';
import KeyvRedis from '@keyv/redis';
import Keyv from 'keyv';
import { createClient } from 'redis';
import { redisBus, redisLock } from 'tenure/integrations/redis';
import { memoize } from 'tenure/memoize';
import { s3fifo } from 'tenure/memoize/s3-fifo';
import { sharedCache } from 'tenure/memoize/shared';

const url = process.env['REDIS_URL'] ?? 'redis://localhost:6379';
const client = createClient({ url });
client.on('error', () => {}); // The caches report connection errors.
await client.connect();
const space = `example-${process.pid}`;
const prices = new Map([['tea', 3]]);
let loads = 0;

/** Makes the cache, as each process of the service does when it starts. */
function priceCache() {
  const keyv = new Keyv({ store: new KeyvRedis(url), namespace: space });
  const price = memoize(
    async (product: string) => {
      loads++;
      return prices.get(product);
    },
    {
      name: 'price',
      max: 10_000,
      ttl: 60_000,
      policy: s3fifo(),
      shared: sharedCache({
        store: keyv,
        bus: redisBus(client, { channel: `${space}:bus` }),
        lock: redisLock(client, { prefix: `${space}:lock:` }),
      }),
    },
  );
  return { price, keyv };
}

const here = priceCache();
const there = priceCache();

const [ours, theirs] = await Promise.all([here.price('tea'), there.price('tea')]);
console.log(`tea costs ${ours} here and ${theirs} there, after ${loads} load`);

prices.set('tea', 4);
here.price.delete('tea');
await here.price.flush();
while ((await there.price('tea')) !== 4) await pause(1); // The invalidation is on its way.
console.log(`tea costs ${await here.price('tea')} here and 4 there`);

for (const { price, keyv } of [here, there]) {
  await price.flush();
  price[Symbol.dispose]();
  await keyv.disconnect();
}
client.destroy();
