/**
 * Code that the pool does not own may throw, reject, re-enter or lie at every call. Nothing is lost by it: no place in the pool,
 * no waiter, and no error reaches a caller that has nothing to do with it.
 */
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from 'vitest';
import {
  createPool,
  type DestroyReason,
  type Factory,
  type Lease,
  type Observer,
  observe,
  type Pool,
  type PoolOptions,
} from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { outcomeOf, rejection } from './outcome.js';

let printed: MockInstance<typeof console.error>;

beforeEach(() => {
  printed = vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  printed.mockRestore();
});

const broken = (): never => {
  throw new Error('broken');
};

/** An object whose every property throws, as a revoked proxy or a strict RPC stub does. */
const strict: object = new Proxy(
  {},
  { get: (_, key) => (key === Symbol.toStringTag ? 'x' : broken()) },
);

/** A thenable that throws when it is subscribed to. */
// biome-ignore lint/suspicious/noThenProperty: this is the thenable that the pool has to bear.
const brokenThenable: object = { then: broken };

/** A thenable that settles twice, and then throws. */
const settlesTwice: object = {
  // biome-ignore lint/suspicious/noThenProperty: this is the thenable that the pool has to bear.
  then(resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    resolve(true);
    reject(new Error('second'));
    broken();
  },
};

/** An observer that throws in one of its methods. */
function brokenObserver(method: keyof Observer): Observer {
  const observer = {
    root: 0,
    origin: () => ({}),
    allocated: () => 1,
    lent: () => 2,
    referenced: () => {},
    dropped: () => {},
    freed: () => {},
    touched: () => {},
    expected: () => {},
  };
  return { ...observer, [method]: broken };
}

type Prepare = (pool: Pool<object>) => void;

interface Case {
  readonly what: string;
  readonly factory?: Partial<Factory<object>>;
  readonly options?: PoolOptions;
  readonly prepare?: Prepare;
  /** Whether callers cannot be served at all, because nothing can be created. */
  readonly fails?: true;
}

const create = (): object => ({});

const CASES: Case[] = [
  { what: 'create throws', factory: { create: broken }, fails: true },
  { what: 'create returns what throws on `then`', factory: { create: () => strict }, fails: true },
  {
    what: 'create returns a broken thenable',
    factory: { create: () => brokenThenable },
    fails: true,
  },
  { what: 'destroy throws', factory: { destroy: broken } },
  { what: 'destroy rejects', factory: { destroy: async () => broken() } },
  { what: 'destroy returns what throws on `then`', factory: { destroy: () => strict } },
  { what: 'destroy returns a broken thenable', factory: { destroy: () => brokenThenable } },
  { what: 'reset throws', factory: { reset: broken } },
  { what: 'reset returns what throws on `then`', factory: { reset: () => strict } },
  { what: 'reset returns a thenable that settles twice', factory: { reset: () => settlesTwice } },
  { what: 'validate throws', factory: { validate: broken }, options: { testOnBorrow: true } },
  {
    what: 'validate returns what throws on `then`',
    factory: { validate: () => strict as never },
    options: { testOnReturn: true },
  },
  {
    what: 'validate returns a thenable that settles twice',
    factory: { validate: () => settlesTwice as never },
    options: { testOnBorrow: true },
  },
  { what: 'isBroken throws', factory: { isBroken: broken } },
  { what: 'isFull throws', factory: { create: broken, isFull: broken }, fails: true },
  { what: 'isPermanent throws', factory: { create: broken, isPermanent: broken }, fails: true },
  { what: 'random throws', options: { random: broken } },
  { what: 'random gives nonsense', options: { random: () => Number.NaN } },
  ...(['origin', 'allocated', 'lent', 'freed', 'touched', 'expected'] as const).map(
    (method): Case => ({
      what: `the observer's ${method} throws`,
      prepare: (pool) => void pool[observe](brokenObserver(method)),
    }),
  ),
  ...(
    ['created', 'destroyed', 'acquire', 'release', 'acquireTimeout', 'factoryDestroyError'] as const
  ).flatMap((event): Case[] => [
    { what: `a listener of ${event} throws`, prepare: (pool) => void pool.on(event, broken) },
    {
      what: `a listener of ${event} rejects`,
      prepare: (pool) => void pool.on(event, async () => broken()),
    },
    {
      what: `a listener of ${event} calls the pool`,
      prepare: (pool) =>
        void pool.on(event, () => {
          reentered?.();
          pool.evict(() => false);
          pool.resize({ max: 2 });
        }),
    },
  ]),
  {
    what: 'create calls the pool',
    factory: {
      create() {
        reentered?.();
        return {};
      },
    },
  },
  {
    what: 'destroy calls the pool',
    factory: {
      destroy() {
        reentered?.();
      },
    },
  },
];

/** Calls the pool once, in the middle of its work. */
let reentered: (() => void) | undefined;

async function lendAndTakeBack(pool: Pool<object>, clock: FakeClock): Promise<string> {
  const asked = outcomeOf(pool.lease({ timeoutMillis: 200 }));
  await clock.advance(300);
  const outcome = asked();
  if (outcome.is !== 'resolved') return outcome.is;
  const lease = outcome.value as Lease<object>;
  lease.touch('touched');
  lease.expectHold(10);
  void lease.release();
  await clock.advance(10);
  return 'served';
}

describe.each(CASES)('$what', ({ factory, options, prepare, fails }) => {
  function open(): { pool: Pool<object>; clock: FakeClock } {
    const clock = new FakeClock();
    const pool = createPool<object>(
      { create, destroy: () => {}, ...factory },
      { max: 2, createAttempts: 1, destroyTimeoutMillis: 100, clock, ...options },
    );
    reentered = () => {
      reentered = undefined;
      void pool.tryLease()?.release();
      void pool.use(() => {}).catch(() => {});
    };
    prepare?.(pool);
    return { pool, clock };
  }

  test('callers are served as often as they come, and no place is lost', async () => {
    const { pool, clock } = open();
    for (let call = 0; call < 5; call++) {
      expect(await lendAndTakeBack(pool, clock)).toBe(fails === true ? 'rejected' : 'served');
    }
    expect([pool.borrowed, pool.pending, pool.stats().creating]).toEqual([0, 0, 0]);
    expect(pool.size).toBeLessThanOrEqual(2);
    await end(pool, clock);
  });

  test('what is destroyed by its holder, or by an error of use, is gone', async () => {
    const { pool, clock } = open();
    if (fails !== true) {
      const asked = outcomeOf(pool.lease());
      await clock.advance(10);
      const lease = (asked() as { value: Lease<object> }).value;
      const gone = outcomeOf(lease.destroy());
      const used = outcomeOf(pool.use(() => Promise.reject(new Error('of the user'))));
      await clock.advance(1_000);
      expect(gone().is).toBe('resolved');
      expect(used()).toMatchObject({ is: 'rejected', error: { message: 'of the user' } });
    }
    await end(pool, clock);
  });

  test('close returns, also while a lease is out and a caller waits', async () => {
    const { pool, clock } = open();
    const asked = [1, 2, 3].map(() => outcomeOf(pool.lease()));
    await clock.advance(10);
    await end(pool, clock);
    for (const outcome of asked) expect(outcome().is).not.toBe('pending');
  });
});

async function end(pool: Pool<object>, clock: FakeClock): Promise<void> {
  const closed = outcomeOf(pool.close({ graceMillis: 0, force: true }));
  await clock.advance(60_000);
  expect(closed()).toEqual({ is: 'resolved', value: undefined });
  expect([pool.size, pool.pending, clock.pendingTimers]).toEqual([0, 0, 0]);
}

describe('signals of another make', () => {
  const held = async (): Promise<{
    pool: Pool<object>;
    lease: Lease<object>;
    clock: FakeClock;
  }> => {
    const clock = new FakeClock();
    const pool = createPool<object>({ create, destroy: () => {} }, { max: 1, clock });
    return { pool, lease: await pool.lease(), clock };
  };

  test.each([
    ['without removeEventListener', { aborted: false, addEventListener: () => {} }],
    [
      'with an undefined addEventListener',
      { aborted: false, addEventListener: undefined, removeEventListener: () => {} },
    ],
    ['a string', 'x'],
    ['an AbortController', new AbortController()],
  ])('refused: %s', async (_, signal) => {
    const { pool, lease, clock } = await held();
    for (const options of [{ signal }, Object.create({ signal })]) {
      expect(await rejection(pool.lease(options as never))).toMatchObject({
        code: 'TENURE_INVALID_ARGUMENT',
        message: expect.stringContaining('`signal` must be an AbortSignal'),
      });
    }
    void lease.release();
    expect([pool.available, pool.pending]).toEqual([1, 0]);
    await end(pool, clock);
  });

  test('one that throws when a listener is added rejects its caller alone', async () => {
    const { pool, lease, clock } = await held();
    const signal = { aborted: false, addEventListener: broken, removeEventListener: () => {} };
    expect(await rejection(pool.lease({ signal: signal as never }))).toMatchObject({
      message: 'broken',
    });
    const next = pool.lease();
    void lease.release();
    void (await next).release();
    await end(pool, clock);
  });

  test('one that throws when a listener is removed harms neither the holder nor the next caller', async () => {
    const { pool, lease, clock } = await held();
    const signal = { aborted: false, addEventListener: () => {}, removeEventListener: broken };
    const waiting = pool.lease({ signal: signal as never });
    void lease.release();
    void (await waiting).release();
    expect([pool.available, pool.pending]).toEqual([1, 0]);
    await end(pool, clock);
  });

  test.each([
    ['', () => {}],
    [', and then throws,', broken],
  ])('one that calls its listener at once%s ends the wait at once', async (_, then) => {
    const { pool, lease, clock } = await held();
    const signal = {
      aborted: false,
      reason: new Error('at once'),
      addEventListener(_: string, listener: () => void) {
        signal.aborted = true;
        listener();
        then();
      },
      removeEventListener: () => {},
    };
    expect(await rejection(pool.lease({ signal: signal as never }))).toBe(signal.reason);
    void lease.release();
    expect([pool.available, pool.pending]).toEqual([1, 0]);
    await end(pool, clock);
  });
});

test('options of a caller that cannot be read reject that caller, and are read once', async () => {
  const clock = new FakeClock();
  const pool = createPool<object>({ create, destroy: () => {} }, { max: 1, clock });
  const work = vi.fn();
  expect(await rejection(pool.use(work, null as never))).toMatchObject({
    code: 'TENURE_INVALID_ARGUMENT',
    message: expect.stringContaining('use: options must be a plain object, got null'),
  });
  expect(
    await rejection(
      pool.use(work, {
        get signal() {
          return broken();
        },
      }),
    ),
  ).toMatchObject({
    message: 'broken',
  });
  expect(work).not.toHaveBeenCalled();
  const { signal } = new AbortController();
  const read = vi.fn(() => signal);
  const given = {
    get signal() {
      return read();
    },
  };
  expect(await pool.use((_, context) => context.signal, given)).toBe(signal);
  expect(read).toHaveBeenCalledOnce();
  await end(pool, clock);
});

test('`Error.prepareStackTrace` that throws costs no resource, and leaves the stack limit as it was', async () => {
  const clock = new FakeClock();
  const pool = createPool<object>({ create, destroy: () => {} }, { max: 1, clock });
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.prepareStackTrace = broken;
  Error.stackTraceLimit = 7;
  try {
    for (let call = 0; call < 3; call++) {
      const lease = await pool.lease();
      void lease.release();
      await pool.release(await pool.acquire());
      await pool.use(() => {});
    }
    expect(Error.stackTraceLimit).toBe(7);
  } finally {
    Error.prepareStackTrace = prepareStackTrace as NonNullable<typeof prepareStackTrace>;
    Error.stackTraceLimit = stackTraceLimit;
  }
  expect([pool.available, pool.borrowed]).toEqual([1, 0]);
  await end(pool, clock);
});

test('an observer that throws is reported once for its watch', async () => {
  const pool = createPool<object>({ create, destroy: () => {} });
  pool[observe](brokenObserver('lent'));
  for (let call = 0; call < 10; call++) await pool.use(() => {});
  expect(printed).toHaveBeenCalledTimes(1);
  expect(String(printed.mock.calls[0]?.[0])).toContain("the observer of the pool 'pool'");
  await settle();
  await pool.close();
});

test.each(['release', 'destroy', Symbol.dispose, Symbol.asyncDispose] as const)(
  'the method %s of a lease that is called without its lease says how to pass it',
  async (method) => {
    const pool = createPool<object>({ create, destroy: () => {} });
    const lease = await pool.lease();
    const detached = lease[method];
    await expect(async () => detached.call(undefined as never)).rejects.toThrow(
      'Pass a function that calls it: `() => lease.release()`',
    );
    await lease[method]();
    await pool.close();
  },
);

test('`pool.release(lease)` says that a lease is given back by itself', async () => {
  const pool = createPool<object>({ create, destroy: () => {} });
  const lease = await pool.lease();
  expect(await rejection(pool.release(lease))).toMatchObject({
    code: 'TENURE_POOL_FOREIGN_RESOURCE',
    message: expect.stringContaining('It is a lease: call its own release() or destroy().'),
  });
  await lease.release();
  await pool.close();
});

test.each([0, 1, 3])(
  'a resource that throws when a promise looks at it costs its caller alone, with %i callers in the queue',
  async (waiting) => {
    const clock = new FakeClock();
    const { proxy, revoke } = Proxy.revocable({}, {});
    const made: object[] = [proxy];
    const destroyed: DestroyReason[] = [];
    const pool = createPool<object>(
      {
        create: () => made.pop() ?? {},
        destroy: (_, reason) => {
          destroyed.push(reason);
        },
      },
      { max: 1, clock },
    );
    const held = await pool.acquire();
    const queued = Array.from({ length: waiting }, () => outcomeOf(pool.acquire()));
    revoke();
    await pool.release(held);
    const asked = [...queued, outcomeOf(pool.acquire())];
    for (const [index, outcome] of asked.entries()) {
      await settle();
      const ended = outcome();
      expect(ended.is).toBe(index === 0 ? 'rejected' : 'resolved');
      if (ended.is === 'resolved') await pool.release(ended.value);
    }
    expect(destroyed).toEqual(['broken']);
    await end(pool, clock);
  },
);

test('a revoked proxy that the pool does not know is refused by a rejection', async () => {
  const pool = createPool<object>({ create, destroy: () => {} });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  for (const method of ['release', 'destroy'] as const) {
    const refused = pool[method](proxy);
    expect(await rejection(refused)).toMatchObject({ code: 'TENURE_POOL_FOREIGN_RESOURCE' });
  }
  await pool.close();
});
