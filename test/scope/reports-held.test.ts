/** Faults of other libraries that share or end values, by their public reports: what a user sees here. */
import { expect, test } from 'vitest';
import { AsyncRunStack, RefCounted, RefCountedMap } from '../../src/scope/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

test('tc39/proposal-explicit-resource-management#256: the promise of a synchronous dispose is not awaited', async () => {
  const endless = { [Symbol.dispose]: () => new Promise<void>(() => {}) as never };
  const stack = new AsyncRunStack();
  stack.use(endless);
  await stack[Symbol.asyncDispose]();
  const shared = new RefCounted(() => endless);
  await (await shared.acquire()).release();
  await shared.close();
});

test('ReactiveX/rxjs#7005, #6760: holders that come and go in one turn leave one value at a time', async () => {
  let made = 0;
  let ended = 0;
  const shared = new RefCounted(async () => ++made, { dispose: () => void ended++ });
  for (let round = 0; round < 50; round++) {
    const holders = Array.from({ length: 5 }, async () => void (await shared.acquire()).release());
    await Promise.all(holders);
  }
  await shared.close();
  expect([ended, shared.refs]).toEqual([made, 0]);
});

test('Kotlin/kotlinx.coroutines#2863: each holder starts the idle time anew', async () => {
  const clock = new FakeClock();
  let ended = 0;
  const map = new RefCountedMap((key: string) => key, {
    idleMillis: 100,
    clock,
    dispose: () => void ended++,
  });
  for (let holder = 0; holder < 5; holder++) {
    void (await map.acquire('a')).release();
    await clock.advance(80);
  }
  expect(ended).toBe(0);
  await clock.advance(20);
  expect([ended, map.size, clock.pendingTimers]).toEqual([1, 0, 0]);
});

test('reactor/reactor-pool#147: an end after the end does not take the hold of another', async () => {
  const shared = new RefCounted(() => ({}));
  const [one, two] = await Promise.all([shared.acquire(), shared.acquire()]);
  void one.release();
  void one.release();
  await one[Symbol.asyncDispose]();
  expect(shared.refs).toBe(1);
  void two.release();
  await shared.close();
});

test('std::weak_ptr::lock during the destruction: a holder gets no value that is being ended', async () => {
  const gate = new Gate();
  let made = 0;
  const shared = new RefCounted(() => ++made, { dispose: () => gate.passed });
  void (await shared.acquire()).release();
  const next = shared.acquire();
  await settle();
  expect(made).toBe(1);
  gate.open();
  const lease = await next;
  expect(lease.value).toBe(2);
  await lease.release();
});
