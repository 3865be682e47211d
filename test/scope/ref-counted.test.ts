import { describe, expect, test, vi } from 'vitest';
import { RefCounted } from '../../src/scope/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate, Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

function counted(options: object = {}) {
  let made = 0;
  const disposed: number[] = [];
  const cell = new RefCounted(() => ({ id: ++made }), {
    dispose: ({ id }) => void disposed.push(id),
    ...options,
  });
  return { cell, disposed, made: () => made };
}

describe('RefCounted', () => {
  test('the value is created by the first acquire, shared, and disposed of after the last release', async () => {
    const { cell, disposed, made } = counted();
    expect([made(), cell.refs]).toEqual([0, 0]);
    const [a, b] = await Promise.all([cell.acquire(), cell.acquire()]);
    expect(a.value).toBe(b.value);
    expect([made(), cell.refs]).toEqual([1, 2]);
    void a.release();
    void a.release();
    expect([cell.refs, disposed]).toEqual([1, []]);
    b[Symbol.dispose]();
    expect([cell.refs, disposed]).toEqual([0, [1]]);
    using again = await cell.acquire();
    expect(again.value.id).toBe(2);
  });

  test('an unused value is kept for the next caller while it may be idle', async () => {
    const clock = new FakeClock();
    const { cell, disposed, made } = counted({ idleMillis: 100, clock });
    void (await cell.acquire()).release();
    await clock.advance(99);
    const lease = await cell.acquire();
    await clock.advance(1_000);
    expect([disposed, made(), clock.pendingTimers]).toEqual([[], 1, 0]);
    void lease.release();
    expect(clock.foregroundTimers).toBe(0);
    await clock.advance(100);
    expect(disposed).toEqual([1]);
    expect(clock.pendingTimers).toBe(0);
  });

  test('the idle time begins with the last release, however often the value was used before', async () => {
    const clock = new FakeClock();
    const { cell, disposed } = counted({ idleMillis: 100, clock });
    for (let use = 0; use < 3; use++) {
      void (await cell.acquire()).release();
      await clock.advance(60);
    }
    expect([disposed, clock.pendingTimers]).toEqual([[], 1]);
    await clock.advance(40);
    expect([disposed, clock.pendingTimers]).toEqual([[1], 0]);
  });

  test('an infinite idle time sets no timer', async () => {
    const clock = new FakeClock();
    const { cell, disposed } = counted({ idleMillis: Infinity, clock });
    void (await cell.acquire()).release();
    expect(clock.pendingTimers).toBe(0);
    await cell.invalidate();
    expect(disposed).toEqual([1]);
  });

  test('an invalidated value lives as long as its leases, beside a new value if they may overlap', async () => {
    const { cell, disposed } = counted({ overlap: true });
    const old = await cell.acquire();
    let ended = false;
    const invalidated = cell.invalidate().then(() => {
      ended = true;
    });
    using fresh = await cell.acquire();
    expect([old.value.id, fresh.value.id, cell.refs]).toEqual([1, 2, 1]);
    await settle();
    expect([disposed, ended]).toEqual([[], false]);
    void old.release();
    await invalidated;
    expect(disposed).toEqual([1]);
  });

  test('a value that is invalidated during its creation goes to the callers that waited, and to no later one', async () => {
    const gates = new Gates<string>();
    const disposed: string[] = [];
    const cell = new RefCounted(() => gates.next(), {
      dispose: (value) => void disposed.push(value),
      overlap: true,
    });
    const early = cell.acquire();
    const invalidated = cell.invalidate();
    const late = cell.acquire();
    gates.at(1).open('new');
    gates.at(0).open('old');
    const [first, second] = await Promise.all([early, late]);
    expect([first.value, second.value]).toEqual(['old', 'new']);
    void first.release();
    await invalidated;
    expect(disposed).toEqual(['old']);
    void second.release();
  });

  test('a failed creation rejects each waiting caller, and the next caller tries again', async () => {
    const gates = new Gates<string>();
    const cell = new RefCounted(() => gates.next());
    const waiting = [cell.acquire(), cell.acquire()];
    const invalidated = cell.invalidate();
    gates.at(0).fail(new Error('down'));
    for (const outcome of await Promise.allSettled(waiting))
      expect(outcome.status).toBe('rejected');
    await invalidated;
    gates.at(1).open('up');
    using lease = await cell.acquire();
    expect(lease.value).toBe('up');
    const throwing = new RefCounted(() => {
      throw new Error('at once');
    });
    await expect(throwing.acquire()).rejects.toThrow('at once');
    expect(throwing.refs).toBe(0);
  });

  test('disposes by symbol, the asynchronous one first; a value without either is left as it is', async () => {
    const log: string[] = [];
    const gate = new Gate();
    const cell = new RefCounted(
      () => ({
        async [Symbol.asyncDispose]() {
          await gate.passed;
          log.push('async');
        },
        [Symbol.dispose]: () => void log.push('sync'),
      }),
      { overlap: true },
    );
    const lease = await cell.acquire();
    void lease.release();
    const fresh = await cell.acquire();
    const ended = cell[Symbol.asyncDispose]();
    void fresh.release();
    gate.open();
    await ended;
    expect(log).toEqual(['async', 'async']);
    const onError = vi.fn();
    const bare = { [Symbol.asyncDispose]: undefined, [Symbol.dispose]: null };
    for (const value of [null, 7, {}, bare]) {
      const plain = new RefCounted<unknown>(() => value, { onError });
      await (await plain.acquire()).release();
      await plain.invalidate();
    }
    expect(onError).not.toHaveBeenCalled();
  });

  test('an error of the disposal rejects a waiting invalidate, and is printed if there is none', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const cell = new RefCounted(() => 1, {
        dispose: () => {
          throw new Error('stuck');
        },
      });
      void (await cell.acquire()).release();
      await settle();
      expect(reported).toHaveBeenCalledTimes(1);
      const lease = await cell.acquire();
      const ended = cell.invalidate();
      void lease.release();
      await expect(ended).rejects.toThrow('stuck');
      expect(reported).toHaveBeenCalledTimes(1);
    } finally {
      reported.mockRestore();
    }
  });

  test('refuses malformed options', () => {
    expect(() => new RefCounted('x' as never)).toThrow('RefCounted: `create` must be a function');
    expect(() => new RefCounted(() => 1, { idle: 1 } as never)).toThrow('unknown option `idle`');
    expect(() => new RefCounted(() => 1, { idleMillis: -1 })).toThrow('`idleMillis`');
  });
});
