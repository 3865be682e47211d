import { EventEmitter } from 'node:events';
import { Pool } from 'sequelize-pool';
import { describe, expect, test } from 'vitest';
import { watchForeignPools } from '../../../src/node/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { keepsTheForeignContract } from './foreign-contract.js';

describe('sequelize-pool', () => {
  keepsTheForeignContract<object>(() => ({
    poolName: 'sequelize-pool',
    prototype: Pool.prototype,
    patchedMethods: ['acquire', 'release', 'destroy'],
    make: (max) => peerOf(poolOf(max)),
    makeBroken: () => {
      const pool = poolOf(1);
      return { ...peerOf(pool), take: () => pool.drain().then(() => pool.acquire()) };
    },
  }));

  test('a client of pg is at work while its holder listens for notifications, and only then', async () => {
    using watchdog = new Watchdog({ graceMillis: 0 });
    using _foreign = watchForeignPools(watchdog);
    const pool = poolOf(1, () => new EventEmitter());
    const client = await watchdog.scope('job', () => pool.acquire());
    expect((await watchdog.check())[0]?.lastTouch).toBeUndefined();
    client.on('notification', () => {});
    expect((await watchdog.check())[0]?.lastTouch).toMatchObject({ hint: 'in use' });
    pool.release(client);
    await pool.destroyAllNow();
  });
});

function poolOf<T extends object = object>(max: number, make: () => T = () => ({}) as T): Pool<T> {
  return new Pool<T>({
    name: 'orders',
    max,
    min: 0,
    create: async () => make(),
    destroy: async () => {},
    validate: () => true,
  });
}

function peerOf(pool: Pool<object>) {
  return {
    take: () => pool.acquire(),
    give: (resource: object) => pool.release(resource),
    destroy: (resource: object) => pool.destroy(resource),
    end: () => pool.destroyAllNow(),
  };
}
