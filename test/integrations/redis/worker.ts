/** One process of a service: a shared cache of one function, controlled by messages of its parent. */
import { setTimeout as pause } from 'node:timers/promises';
import KeyvRedis from '@keyv/redis';
import { Redis } from 'ioredis';
import Keyv from 'keyv';
import { createClient } from 'redis';
import { redisBus, redisLock } from '../../../src/integrations/redis.js';
import { memoize } from '../../../src/memoize/index.js';
import { s3fifo } from '../../../src/memoize/s3-fifo/index.js';
import { sharedCache } from '../../../src/memoize/shared/index.js';
import type { Reply, Request, WorkerOptions } from './worker-process.js';

const {
  url,
  busUrl = url,
  space,
  client: kind,
  lockTtl,
  ttl,
  truthFrom,
  storeTimeoutMillis = 30_000,
} = JSON.parse(process.argv[2] as string) as WorkerOptions;

const data = createClient({ url });
data.on('error', () => {});
await data.connect();
const client =
  kind === 'ioredis'
    ? new Redis(busUrl, { maxRetriesPerRequest: null })
    : createClient({ url: busUrl });
client.on('error', () => {});
if ('connect' in client && kind === 'redis') await client.connect();

const store = new Keyv({ store: new KeyvRedis(url), namespace: space });
let loads = 0;

async function truth(id: string, delay: number): Promise<string> {
  loads++;
  if (truthFrom === 'process') {
    await pause(delay);
    return `${id}, load ${loads} of ${process.pid}`;
  }
  const value = String(await data.get(`${space}:truth:${id}`));
  await data.incr(`${space}:loads:${id}`); // Last: a parent that sees it may change the value.
  await pause(delay);
  return value;
}

const bus = redisBus(client, { channel: `${space}:bus`, heartbeatMillis: 200 });
let failures = 0;
const cached = memoize(truth, {
  name: 'truth',
  key: (id) => id,
  max: 1_000,
  ttl,
  policy: s3fifo(),
  shared: sharedCache({
    store,
    storeTimeoutMillis,
    bus,
    lock: redisLock(client, { prefix: `${space}:lock:`, leaseMillis: lockTtl }),
  }),
  onError: () => {
    failures++;
  },
});

let hammering = false;
let hammer: Promise<{ calls: number; failed: number }> | undefined;

async function strike(): Promise<{ calls: number; failed: number }> {
  let calls = 0;
  let failed = 0;
  while (hammering) {
    calls++;
    await cached(`key ${calls % 50}`, 1).catch(() => failed++);
    await pause(1);
  }
  return { calls, failed };
}

const operations: Record<Request['op'], (request: Request) => unknown> = {
  call: ({ id, delay = 0, times = 1 }) =>
    Promise.all(Array.from({ length: times }, () => cached(id, delay))),
  delete: async ({ id }) => {
    cached.delete(id, 0);
    await cached.flush();
  },
  info: async () => {
    await cached.flush();
    return { ...cached.cacheInfo(), runs: loads, failures };
  },
  hammer: () => {
    hammering = true;
    hammer = strike();
  },
  rest: () => {
    hammering = false;
    return hammer;
  },
};

process.on('message', async (request: Request) => {
  try {
    const result = await operations[request.op](request);
    process.send?.({ number: request.number, result } satisfies Reply);
  } catch (error) {
    process.send?.({ number: request.number, error: String(error) } satisfies Reply);
  }
});
process.send?.({ number: 0, result: 'ready' } satisfies Reply);
