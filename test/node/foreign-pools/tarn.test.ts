import { EventEmitter } from 'node:events';
import { Pool } from 'tarn';
import { describe, expect, test } from 'vitest';
import { watchForeignPools } from '../../../src/node/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { keepsTheForeignContract } from './foreign-contract.js';

const factory = { create: async () => ({}), destroy: async () => {} };

describe('tarn', () => {
  keepsTheForeignContract<object>(() => ({
    poolName: 'tarn',
    prototype: Pool.prototype,
    patchedMethods: ['acquire', 'release', '_executeEventHandlers'],
    make: (max) => peerOf(new Pool<object>({ ...factory, min: 0, max })),
    makeBroken: () =>
      peerOf(
        new Pool<object>({
          ...factory,
          create: () => Promise.reject(new Error('refused')),
          min: 0,
          max: 1,
          propagateCreateError: true,
        }),
      ),
  }));

  test('a client of pg is at work while its holder listens for notifications, and only then', async () => {
    using watchdog = new Watchdog({ graceMillis: 0 });
    using _foreign = watchForeignPools(watchdog);
    const pool = new Pool<EventEmitter>({
      ...factory,
      create: async () => new EventEmitter(),
      min: 0,
      max: 1,
    });
    const client = await watchdog.scope('job', () => pool.acquire().promise);
    expect((await watchdog.check())[0]?.lastTouch).toBeUndefined();
    client.on('notification', () => {});
    expect((await watchdog.check())[0]?.lastTouch).toMatchObject({ hint: 'in use' });
    pool.release(client);
    await pool.destroy();
  });

  test('a request is the operation of tarn itself, and can be aborted', async () => {
    using watchdog = new Watchdog({ graceMillis: 0 });
    using _foreign = watchForeignPools(watchdog);
    const pool = new Pool<object>({ ...factory, min: 0, max: 1 });
    const held = await pool.acquire().promise;
    const request = pool.acquire();
    request.abort();
    await expect(request.promise).rejects.toThrow('aborted');
    expect(watchdog.stats()).toMatchObject({ loans: 1, loansOut: 1 });
    pool.release(held);
    await pool.destroy();
    expect(watchdog.stats().loansOut).toBe(0);
  });

  test('resources that are equal strings, as of a semaphore, are no leak once all are back', async () => {
    using watchdog = new Watchdog({ graceMillis: 0 });
    using _foreign = watchForeignPools(watchdog);
    const pool = new Pool<string>({ create: async () => 'slot', destroy() {}, min: 0, max: 2 });
    await watchdog.scope('job', async () => {
      const slots = [await pool.acquire().promise, await pool.acquire().promise];
      for (const slot of slots) pool.release(slot);
    });
    expect(await watchdog.check()).toEqual([]);
    expect(watchdog.stats()).toMatchObject({ loans: 2, loansOut: 0 });
    await pool.destroy();
  });
});

function peerOf(pool: Pool<object>) {
  let isInvalid: object | undefined;
  const core = pool as unknown as { validate: (resource: object) => boolean };
  core.validate = (resource) => resource !== isInvalid;
  return {
    take: () => pool.acquire().promise,
    give: (resource: object) => pool.release(resource),
    destroy: (resource: object) => {
      isInvalid = resource; // tarn destroys what is not valid when it is next to be lent.
      return pool.release(resource);
    },
    end: () => pool.destroy(),
  };
}
