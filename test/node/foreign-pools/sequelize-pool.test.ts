import { Pool } from 'sequelize-pool';
import { describe } from 'vitest';
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
});

function poolOf(max: number): Pool<object> {
  return new Pool<object>({
    name: 'orders',
    max,
    min: 0,
    create: async () => ({}),
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
