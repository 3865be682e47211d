import { createPool, type PoolOptions } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { type Steps, StrictFactory } from './strict-factory.js';

/** A pool on a fake clock. Its factory throws when more than `mostAlive` things are alive. */
export function openPool(
  options: PoolOptions = {},
  steps: Steps = {},
  mostAlive = options.max ?? 10,
) {
  const clock = new FakeClock();
  const factory = new StrictFactory(mostAlive, steps);
  return { clock, factory, pool: createPool(factory, { clock, ...options }) };
}
