import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

describe('failures are not remembered', () => {
  test('when the function throws: sindresorhus/memoize#8', () => {
    let runs = 0;
    const fn = memoize((id: number) => {
      if (++runs === 1) throw new Error('first');
      return id;
    });
    expect(() => fn(7)).toThrow('first');
    expect(fn(7)).toBe(7);
    expect(fn.cacheInfo()).toMatchObject({ misses: 2, loads: 1, loadFailures: 1, size: 1 });
  });

  test('when it rejects: medikoo/memoizee#117, graphql/dataloader#258, jaredwray/cacheable#896', async () => {
    let runs = 0;
    const fn = memoize(async (id: number) => {
      if (++runs === 1) throw new Error('first');
      return id;
    });
    const retried = fn(7).catch(() => fn(7)); // The new call is in the handler of the rejection.
    expect(await retried).toBe(7);
    expect(fn.cacheInfo()).toMatchObject({ misses: 2, loadFailures: 1, size: 1, inFlight: 0 });
  });

  test('all waiting callers get the rejection, and the next caller begins a new load', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: number) => gates.next());
    const waiting = Promise.allSettled([fn(1), fn(1), fn(1)]);
    gates.at(0).fail(new Error('down'));
    for (const outcome of await waiting) expect(outcome.status).toBe('rejected');
    const next = fn(1);
    gates.at(1).open('up');
    expect(await next).toBe('up');
    expect(gates.arrived).toBe(2);
  });

  test('a rejection without a handler is reported once, as it is without the cache', async () => {
    const reported: unknown[] = [];
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (reason) => reported.push(reason));
    try {
      const fn = memoize(async () => {
        throw new Error('not handled');
      });
      void fn();
      void fn();
      await settle();
      await settle();
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of others) process.on('unhandledRejection', listener);
    }
    expect(reported).toEqual([new Error('not handled')]);
  });

  test('a throw and a rejection leave no key behind', async () => {
    const fn = memoize((a: number, b: number) => {
      if (a < b) throw new Error('sync');
      return Promise.reject(new Error('async'));
    });
    expect(() => fn(1, 2)).toThrow('sync');
    await expect(fn(2, 1)).rejects.toThrow('async');
    expect(fn.cacheInfo()).toMatchObject({ size: 0, inFlight: 0, loadFailures: 2 });
    expect(fn.has(1, 2)).toBe(false);
  });

  test('a result whose `then` throws fails the call', () => {
    let runs = 0;
    const fn = memoize(() => {
      runs++;
      return Object.defineProperty({}, 'then', {
        get() {
          throw new Error('no then');
        },
      });
    });
    expect(() => fn()).toThrow('no then');
    expect(() => fn()).toThrow('no then');
    expect(runs).toBe(2);
  });
});

test.each([{}, { max: 5 }, { ttl: 5e5 }, { idleTtl: 5e5 }, { max: 5, policy: s3fifo() }])(
  'a result that was revoked, such as a draft of immer, is served and forgotten as any other, %o',
  (options) => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    const fn = memoize((..._: unknown[]): object => proxy, { ...options, tags: () => ['drafts'] });
    const isServed = (...args: unknown[]): boolean => fn(...args) === proxy;
    expect([isServed(1), isServed({}, 2, 3)]).toEqual([true, true]);
    revoke();
    expect([isServed(1), fn.has(1), [...fn.entries()].length]).toEqual([true, true, 2]);
    expect([fn.delete(1), fn.invalidateTags('drafts'), fn.cacheInfo().size]).toEqual([true, 1, 0]);
  },
);
