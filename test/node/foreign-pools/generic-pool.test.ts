import genericPool from 'generic-pool';
import { describe, expect, test } from 'vitest';
import { watchForeignPools } from '../../../src/node/index.js';
import { Watchdog } from '../../../src/watchdog/index.js';
import { settle } from '../../kit/settle.js';
import { keepsTheForeignContract } from './foreign-contract.js';

const factory = { create: async () => ({}), destroy: async () => {} };

const prototype = (genericPool as unknown as { readonly Pool: { readonly prototype: object } }).Pool
  .prototype;

describe('generic-pool', () => {
  keepsTheForeignContract<object>(() => ({
    poolName: 'generic-pool',
    prototype,
    patchedMethods: ['acquire', 'release', 'destroy', 'use'],
    make: (max) => peerOf(genericPool.createPool(factory, { max })),
    makeBroken: () => {
      const pool = genericPool.createPool(factory, { max: 1, maxWaitingClients: 0 });
      return { ...peerOf(pool), take: () => pool.drain().then(() => pool.acquire()) };
    },
  }));

  test('a loan of `use` names the line that called `use`, and ends by itself', async () => {
    using watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
    using _foreign = watchForeignPools(watchdog);
    const pool = genericPool.createPool(factory, { max: 1 });
    let finish = (): void => {};
    const used = watchdog.scope('job', () => {
      void pool.use(() => new Promise<void>((resolve) => (finish = resolve)));
      return settle();
    });
    await used;
    const [report] = await watchdog.check();
    expect(report).toMatchObject({
      call: 'use',
      site: { file: expect.stringContaining('generic-pool.test.ts') },
    });
    finish();
    await settle();
    expect(await watchdog.check()).toEqual([]);
    await pool.drain();
  });
});

type GenericPool = ReturnType<typeof genericPool.createPool<object>>;

function peerOf(pool: GenericPool) {
  return {
    take: () => Promise.resolve(pool.acquire()),
    give: (resource: object) => pool.release(resource),
    destroy: (resource: object) => pool.destroy(resource),
    end: () => pool.clear(),
  };
}
