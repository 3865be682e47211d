/** A shared value outlives the request that has created it, and keeps nothing of it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { RefCounted, RefCountedMap } from '../../src/scope/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { until } from '../kit/until.js';
import { untilCollected } from '../kit/until-collected.js';

const requests = new AsyncLocalStorage<object>();

/** Runs `body` as a request does, and gives a weak reference to the request's store. */
async function asRequest(body: () => Promise<void>): Promise<WeakRef<object>> {
  const store = { user: 'ada' };
  await requests.run(store, body);
  return new WeakRef(store);
}

test.each([
  ['that is idle', 60_000],
  ['that is idle for ever', Infinity],
])('a value %s keeps the store of no request alive', async (_, idleMillis) => {
  const clock = new FakeClock();
  const shared = new RefCounted(async () => ({}), { idleMillis, clock });
  const byKey = new RefCountedMap(async (key: string) => ({ key }), { idleMillis, clock });
  const store = await asRequest(async () => {
    void (await shared.acquire()).release();
    void (await byKey.acquire('a')).release();
  });
  await untilCollected(store);
  expect([shared.refs, byKey.has('a')]).toEqual([0, true]);
  await Promise.all([shared.close(), byKey.close()]);
});

test('a value in use keeps the store of the request that has created it alive neither', async () => {
  const shared = new RefCounted(async () => ({}), { idleMillis: Infinity });
  const held: { lease?: Disposable } = {};
  const store = await asRequest(async () => {
    held.lease = await shared.acquire();
  });
  await untilCollected(store);
  expect(shared.refs).toBe(1);
  held.lease?.[Symbol.dispose]();
  await shared.close();
});

test('a value that has been idle for long enough is disposed of outside of all requests', async () => {
  const seen: unknown[] = [];
  const dispose = () => void seen.push(requests.getStore());
  const shared = new RefCounted(() => ({}), { idleMillis: 1, dispose });
  await asRequest(async () => void (await shared.acquire()).release());
  await until(() => seen.length > 0);
  expect(seen).toEqual([undefined]);
});
