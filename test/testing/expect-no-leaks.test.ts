import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createPool, type Pool } from '../../src/pool/index.js';
import { contextManager, RefCounted } from '../../src/scope/index.js';
import {
  allowLeaks,
  collectGarbage,
  expectNoLeaks,
  LeaksFoundError,
} from '../../src/testing/index.js';
import { BufferPool } from '../../src/view/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { lineOf } from '../kit/line-of.js';

let pool: Pool<object>;

beforeEach(() => {
  pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
});

afterEach(async () => {
  vi.useRealTimers();
  await pool.close({ graceMillis: 0, force: true });
});

async function leakOf(body: () => unknown): Promise<LeaksFoundError> {
  allowLeaks(); // The test itself may leak.
  const error: unknown = await expectNoLeaks(body).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(LeaksFoundError);
  return error as LeaksFoundError;
}

test('a body that leaks is refused, by the line and the name of the body', async () => {
  async function listOrders(): Promise<void> {
    await pool.lease(); // the leaking line
  }
  const error = await leakOf(listOrders);
  expect(error.code).toBe('TENURE_LEAKS_FOUND');
  expect(error.reports).toMatchObject([
    {
      rule: 'orphaned',
      scope: 'listOrders',
      site: {
        file: 'test/testing/expect-no-leaks.test.ts',
        line: lineOf(import.meta.url, '// the leaking line'),
      },
    },
  ]);
  const line = lineOf(import.meta.url, '// the leaking line');
  expect(error.stack?.split('\n').find((text) => text.startsWith('    at '))).toContain(
    `test/testing/expect-no-leaks.test.ts:${line}:`,
  );
});

test('a body that releases passes, and its result is given', async () => {
  expect(await expectNoLeaks(() => pool.use(() => 'rows'))).toBe('rows');
  expect(await expectNoLeaks(() => 'no promise')).toBe('no promise');
});

test('a loan that comes back within the grace period is no leak, one that comes later is', async () => {
  const release = async (millis: number): Promise<void> => {
    const lease = await pool.lease();
    setTimeout(() => void lease.release(), millis);
  };
  await expectNoLeaks(() => release(10));
  allowLeaks();
  const body = async (): Promise<void> => void (await pool.lease());
  await expect(expectNoLeaks(body, { graceMillis: 0 })).rejects.toThrow(LeaksFoundError);
});

test('the grace period passes in real time under fake timers, and so does a forced collection', async () => {
  vi.useFakeTimers();
  await leakOf(async () => void (await pool.lease()));
  await expect(
    expectNoLeaks(async () => void (await pool.lease()), { forceGc: true }),
  ).rejects.toThrow('V8: its handle was collected');
  await collectGarbage();
});

test('the error of a body stays, and its leaks are printed', async () => {
  allowLeaks();
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const failure = new Error('from the body');
  const body = async (): Promise<void> => {
    await pool.lease();
    throw failure;
  };
  await expect(expectNoLeaks(body)).rejects.toBe(failure);
  expect(printed.mock.calls.flat().join()).toContain('The failed test "body" has left loans out');
  expect(printed.mock.calls.flat().join()).toContain('pool "db"');
  printed.mockRestore();
});

test('bodies that run at the same time are judged by their own loans', async () => {
  allowLeaks();
  const bodies = Array.from({ length: 40 }, (_, i) =>
    expectNoLeaks(async () => {
      const lease = await pool.lease();
      await null;
      if (i !== 17) await lease.release();
    }).then(
      () => 'clean',
      () => i,
    ),
  );
  expect(new Set(await Promise.all(bodies))).toEqual(new Set(['clean', 17]));
});

test('leases of shared values, buffers and open contexts are loans, too', async () => {
  const file = contextManager(function* () {
    yield 'open';
  });
  await leakOf(async () => void (await new RefCounted(() => ({})).acquire()));
  await leakOf(() => void new BufferPool().lease(100));
  await leakOf(() => void file());
});

test('a loan that a shared value holds belongs to the value, and is no leak of the test that made it', async () => {
  const database = new RefCounted(async () => pool.lease(), {
    dispose: (lease) => lease.release(),
    idleMillis: Number.POSITIVE_INFINITY,
  });
  await expectNoLeaks(async () => {
    using _lease = await database.acquire();
  });
  expect(pool.borrowed).toBe(1);
  await database.close();
});

test('a leak that is ignored is none; an `ignore` that throws ignores nothing', async () => {
  allowLeaks();
  const body = async (): Promise<void> => void (await pool.lease());
  await expectNoLeaks(body, { ignore: ({ component }) => component.name === 'db' });
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const ignore = (): never => {
    throw new Error('from ignore');
  };
  await expect(expectNoLeaks(body, { ignore })).rejects.toThrow(LeaksFoundError);
  expect(printed).toHaveBeenCalled();
  printed.mockRestore();
});

test('a body may lend on purpose', async () => {
  await expectNoLeaks(async () => {
    allowLeaks();
    await pool.lease();
  });
});

test('a watchdog of the test takes a pool over, and has it alone', async () => {
  using watchdog = new Watchdog();
  await expectNoLeaks(async () => {
    watchdog.watch(pool);
    await watchdog.scope('job', async () => void (await pool.lease()));
  });
  expect(await watchdog.check()).toHaveLength(1);
});

test('options and arguments that are malformed are refused', async () => {
  await expect(expectNoLeaks(() => {}, { settleMilis: 1 } as never)).rejects.toThrow(
    'expectNoLeaks: unknown option `settleMilis`',
  );
  await expect(expectNoLeaks('body' as never)).rejects.toThrow('`body` must be a function');
  await expect(expectNoLeaks(() => {}, { watch: [{}] as never })).rejects.toThrow(
    '`watch` must be',
  );
  await expectNoLeaks(() => {}, { watch: [pool] });
});

test.each([function* (): Generator<void> {}, async function* (): AsyncGenerator<void> {}])(
  'a body that gives a generator is refused: nothing of it has run',
  async (body) => {
    await expect(expectNoLeaks<unknown>(body)).rejects.toThrow(
      'expectNoLeaks: the function returned a generator',
    );
  },
);
