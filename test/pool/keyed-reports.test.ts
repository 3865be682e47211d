/** Faults of keyed pools that users of other pools reported, by source, and faults of the same kinds. */
import { describe, expect, test } from 'vitest';
import { createKeyedPool, type KeyedPool, type KeyedPoolOptions } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { outcomeOf } from './outcome.js';
import { StrictFactory, type Thing } from './strict-factory.js';

function open(options: KeyedPoolOptions<string> = {}, onKey: (key: string) => void = () => {}) {
  const clock = new FakeClock();
  const factory = new StrictFactory(1_000);
  const pools = createKeyedPool(
    (key: string) => {
      onKey(key);
      return factory;
    },
    { clock, ...options },
  );
  return { clock, factory, pools };
}

/** Asks for so many other keys that empty pools are forgotten. */
function crowd(pools: KeyedPool<string, Thing>): void {
  for (let i = 0; i < 100; i++) pools.pool(`other ${i}`);
}

describe('capacity that one key gives up reaches all that wait for it: apache/commons-pool#113 (POOL-391)', () => {
  test.each(['warmUp', 'min'] as const)('%s of another key', async (by) => {
    const { pools } = open({ max: 4, maxTotal: 4, min: by === 'min' ? 1 : 0 });
    const held = [];
    for (let i = 0; i < 4; i++) held.push(await pools.lease('a'));
    const pool = pools.pool('b');
    const ready = outcomeOf(by === 'min' ? pool.ready() : pool.warmUp(1));
    await settle();
    expect(ready().is).toBe('pending');
    await held[0]?.destroy();
    await settle();
    expect([ready().is, pool.size, pools.stats().size]).toEqual(['resolved', 1, 4]);
    await pools.close({ graceMillis: 0, force: true });
  });

  test('a waiter comes before a key that fills up', async () => {
    const { pools } = open({ max: 2, maxTotal: 2 });
    const held = [await pools.lease('a'), await pools.lease('a')];
    const warm = outcomeOf(pools.pool('b').warmUp(1));
    const waiting = outcomeOf(pools.lease('c'));
    await held[0]?.destroy();
    await settle();
    expect([waiting().is, warm().is]).toEqual(['resolved', 'pending']);
    await held[1]?.destroy();
    await settle();
    expect(warm().is).toBe('resolved');
    await pools.close({ graceMillis: 0, force: true });
  });

  test('warmUp of a key, although an earlier key has to wait for the end of its own resource', async () => {
    const destroying = new Gates();
    const pools = createKeyedPool(
      (key: string) => ({
        create: () => ({}),
        destroy: () => (key === 'slow' ? destroying.next() : undefined),
      }),
      { clock: new FakeClock(), max: 1, maxTotal: 2 },
    );
    const held = await pools.lease('a');
    void (await pools.lease('slow')).destroy();
    const earlier = outcomeOf(pools.pool('slow').warmUp(1));
    const warm = outcomeOf(pools.pool('b').warmUp(1));
    await held.destroy();
    await settle();
    expect([earlier().is, warm().is]).toEqual(['pending', 'resolved']);
    destroying.at(0).open();
    await settle();
    expect(earlier().is).toBe('resolved');
    destroying.at(1).open();
    await pools.close();
  });

  test('a waiter of a key, although a paused key has a waiter that came earlier', async () => {
    const { pools } = open({ max: 1, maxTotal: 1 });
    const lease = await pools.lease('a');
    const earlier = outcomeOf(pools.lease('a'));
    pools.pool('a').pause();
    const later = outcomeOf(pools.lease('b'));
    void lease.release();
    await settle();
    expect([earlier().is, later().is]).toEqual(['pending', 'resolved']);
    pools.pool('a').resume();
    void (later() as { value: { release(): void } }).value.release();
    await settle();
    expect(earlier().is).toBe('resolved');
    await pools.close({ graceMillis: 0, force: true });
  });
});

describe('what a forgotten pool would lose', () => {
  test('a caller of warmUp that waits for room', async () => {
    const { pools } = open({ max: 1, maxTotal: 1 });
    const lease = await pools.lease('a');
    const warm = outcomeOf(pools.pool('b').warmUp(1));
    crowd(pools);
    await settle();
    expect(warm().is).toBe('pending');
    await lease.destroy();
    await settle();
    expect(warm().is).toBe('resolved');
    await pools.close();
  });

  test('a pause', async () => {
    const { pools } = open();
    pools.pool('a').pause();
    crowd(pools);
    const waiting = outcomeOf(pools.lease('a'));
    await settle();
    expect(waiting().is).toBe('pending');
    pools.pool('a').resume();
    await settle();
    expect(waiting().is).toBe('resolved');
    await pools.close({ graceMillis: 0, force: true });
  });

  test('a limit of its own', async () => {
    const { pools } = open({ max: 4 });
    pools.pool('a').resize({ max: 2 });
    crowd(pools);
    expect(pools.pool('a').max).toBe(2);
    await pools.close();
  });

  test('a drain', async () => {
    const { pools } = open();
    await pools.pool('a').drain();
    crowd(pools);
    const refused = outcomeOf(pools.lease('a'));
    await settle();
    expect(refused()).toMatchObject({ error: { code: 'TENURE_POOL_CLOSED' } });
    await pools.close();
  });

  test('nothing, while all keys are paused: their pools are made paused', async () => {
    const { pools } = open();
    pools.pause();
    crowd(pools);
    expect(pools.keys().length).toBeLessThan(100);
    await pools.close();
  });
});

test('the pool of a key that was closed apart is made anew when it is empty, and not before', async () => {
  const { pools } = open();
  const lease = await pools.lease('a');
  const closed = pools.pool('a').close();
  const refused = outcomeOf(pools.lease('a'));
  await settle();
  expect(refused()).toMatchObject({ error: { code: 'TENURE_POOL_CLOSED' } });
  void lease.release();
  await closed;
  expect(pools.tryLease('a')).toBe(undefined);
  void (await pools.lease('a')).release();
  expect(pools.stats()).toMatchObject({ keys: 1, created: 2, destroyed: 1 });
  await pools.close();
});

describe("the user's functions may call the pools", () => {
  test('`factoryOf` that closes them: nothing is created for the key', async () => {
    let pools: KeyedPool<string, Thing> | undefined;
    const opened = open({ min: 1 }, (key) => {
      if (key === 'b') void pools?.close();
    });
    pools = opened.pools;
    await opened.pools.use('a', () => {});
    const refused = outcomeOf(opened.pools.lease('b'));
    await settle();
    expect(refused()).toMatchObject({ error: { code: 'TENURE_POOL_CLOSED' } });
    expect([opened.factory.creates, opened.pools.stats().size]).toEqual([1, 0]);
  });

  test('`keyLabel` that asks for the same key: there is one pool', async () => {
    let pools: KeyedPool<string, Thing> | undefined;
    let asked = 0;
    const keyLabel = (key: string): string => {
      if (asked++ === 0) void pools?.use(key, () => {});
      return key;
    };
    const opened = open({ max: 1, keyLabel });
    pools = opened.pools;
    await opened.pools.use('a', () => {});
    expect([opened.factory.creates, opened.pools.keys()]).toEqual([1, ['a']]);
    await opened.pools.close();
    expect(opened.factory.alive).toBe(0);
  });
});
