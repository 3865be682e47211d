/**
 * The factory and the listeners of a pool close, drain, pause or invalidate it in the middle of its work. Each caller is served or
 * rejected, each disposal runs once, and the pool ends.
 */
import { describe, expect, test } from 'vitest';
import { createPool, type Pool, type PoolEventMap } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { outcomeOf } from './outcome.js';

const ACTIONS: Readonly<Record<string, (pool: Pool<object>) => unknown>> = {
  close: (pool) => pool.close({ graceMillis: 100 }),
  'close by force': (pool) => pool.close({ graceMillis: 0, force: true }),
  drain: (pool) => pool.drain({ timeoutMillis: 1_000 }),
  'pause and resume': (pool) => {
    pool.pause();
    queueMicrotask(() => pool.resume());
  },
  invalidate: (pool) => pool.invalidate(),
  'evict all': (pool) => pool.evict(() => true),
};

const METHODS = ['create', 'destroy', 'validate', 'reset', 'isBroken'] as const;

const EVENTS: readonly (keyof PoolEventMap)[] = [
  'created',
  'acquire',
  'release',
  'destroyed',
  'acquireTimeout',
  'factoryCreateError',
];

const PLACES = [...METHODS.map((name) => `factory.${name}`), ...EVENTS.map((name) => `on ${name}`)];

function open(place: string, act: (pool: Pool<object>) => unknown) {
  const clock = new FakeClock();
  const alive = new Set<object>();
  const problems: string[] = [];
  let calls = 0;
  const at = (here: string): void => {
    if (here !== place || ++calls !== 2) return;
    void Promise.resolve(act(pool)).catch(() => {});
  };
  const pool = createPool<object>(
    {
      async create() {
        at('factory.create');
        const made = { n: alive.size };
        alive.add(made);
        return made;
      },
      async destroy(resource) {
        at('factory.destroy');
        if (!alive.delete(resource)) problems.push('destroyed twice');
      },
      async validate() {
        at('factory.validate');
        return true;
      },
      async reset() {
        at('factory.reset');
      },
      isBroken(error) {
        at('factory.isBroken');
        return (error as Error).message === 'broken';
      },
    },
    { max: 2, testOnBorrow: true, createAttempts: 1, acquireTimeoutMillis: 300, clock },
  );
  for (const event of EVENTS) pool.on(event, () => at(`on ${event}`));
  return { pool, clock, alive, problems };
}

describe.each(PLACES)('%s', (place) => {
  test.each(Object.entries(ACTIONS))('calls %s', async (_, act) => {
    const { pool, clock, alive, problems } = open(place, act);
    const outcomes: ReturnType<typeof outcomeOf>[] = [];
    const hold = async (): Promise<void> => {
      const lease = await pool.lease();
      clock.setTimer(() => lease[Symbol.dispose](), 10);
    };
    for (let round = 0; round < 4; round++) {
      const failing = pool.use(async () => {
        throw new Error(round === 1 ? 'broken' : 'of the user');
      });
      outcomes.push(...[hold(), hold(), hold(), hold(), failing].map(outcomeOf));
      await clock.advance(600);
    }
    expect(outcomes.map((outcome) => outcome().is)).not.toContain('pending');
    const closed = outcomeOf(pool.close({ graceMillis: 0, force: true }));
    await clock.advance(60_000);
    expect(closed().is).toBe('resolved');
    expect([alive.size, problems, pool.size, pool.borrowed, pool.pending]).toEqual([
      0,
      [],
      0,
      0,
      0,
    ]);
    expect(clock.pendingTimers).toBe(0);
  });
});
