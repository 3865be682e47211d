/** The hash slots of names. The expected ones were given by `CLUSTER KEYSLOT` of Redis 7.0. */
import Keyv from 'keyv';
import { expect, test } from 'vitest';
import { type IoRedisClient, redisLock } from '../../src/integrations/redis.js';
import { memoize } from '../../src/memoize/index.js';
import { hashSlotOf, namesAcross } from '../../src/memoize/shared/hash-slot.js';
import { sharedCache } from '../../src/memoize/shared/index.js';

test.each([
  ['123456789', 12739],
  ['', 0],
  ['price:key:{["tea"]}', 10592],
  ['price:entry:{["tea"]}', 10592],
  ['{}tea', 1562],
  ['{tea', 4346],
  ['a{b:key:{["tea"]}', 7762],
  ['tëa ☕', 15280],
])('of %s', (name, slot) => {
  expect(hashSlotOf(name)).toBe(slot);
});

test('a lock is in the slot of its key, so a shard that is down takes no lock of another', async () => {
  const locked: string[][] = [];
  const client: IoRedisClient = {
    status: 'ready',
    eval: async (_, count, ...args) => locked.push(args.slice(0, count)),
    publish: async () => 0,
    duplicate: () => expect.unreachable(),
  };
  const ids = ['tea', 'a}b', '{}', '{x}y', ''];
  const shared = sharedCache({ store: new Keyv({ namespace: 'shop' }), lock: redisLock(client) });
  const fn = memoize(async (id: string) => id, { name: 'price', shared });
  for (const id of ids) {
    locked.length = 0;
    await fn(id);
    await fn.flush();
    const slots = locked.flat().map(hashSlotOf);
    expect(slots.length).toBeGreaterThanOrEqual(2);
    expect(new Set(slots)).toEqual(new Set([hashSlotOf(`shop:price:key:{["${id}"]}`)]));
  }
});

test('names across the slots have the start of a name, and one slot in each 128th', () => {
  const names = namesAcross('price:key:{["tea"]}');
  expect(names.every((name) => /^price:key:\{\d+\}$/.test(name))).toBe(true);
  const parts = names.map((name) => Math.floor(hashSlotOf(name) / 128));
  expect([...parts].sort((a, b) => a - b)).toEqual(Array.from({ length: 128 }, (_, at) => at));
});
