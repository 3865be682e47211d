/** Node 20 collects a signal of `AbortSignal.timeout` that only a signal of `AbortSignal.any` depends on: nodejs/node#57736. */
import { expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { createPool } from '../../src/pool/index.js';
import { RefCounted } from '../../src/scope/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';

const never = (): Promise<never> => new Promise(() => {});

const WAITS: Readonly<Record<string, (signal: AbortSignal) => Promise<unknown>>> = {
  'a lease of a full pool': async (signal) => {
    await using pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 1 });
    await using _held = await pool.lease();
    return await pool.lease({ signal, timeoutMillis: Infinity });
  },
  'a call of a memoized function': (signal) => memoize(never).call([], { signal }),
  'a lease of a shared value': (signal) => new RefCounted(never).acquire({ signal }),
};

test.each(Object.entries(WAITS))(
  'a timeout among several signals ends %s, although V8 collects',
  async (_, wait) => {
    const signal = AbortSignal.any([new AbortController().signal, AbortSignal.timeout(500)]);
    const ended = expect(wait(signal)).rejects.toMatchObject({ name: 'TimeoutError' });
    await collectGarbage();
    await ended;
  },
);
