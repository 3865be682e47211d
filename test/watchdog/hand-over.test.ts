/** A lease that was handed over belongs to another holder than its caller, and is judged as one of that holder. */
import { expect, test, vi } from 'vitest';
import { nextTurn } from '../../src/core/host-timers.js';
import { createPool, type Lease } from '../../src/pool/index.js';
import {
  AsyncRunStack,
  RefCounted,
  RunStack,
  type SharedLease,
  scopeResources,
} from '../../src/scope/index.js';
import { type OpenScope, Watchdog, type WatchLevel } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';

const MINUTE = 60_000;
const LEVELS: readonly WatchLevel[] = ['counters', 'sampled', 'simple', 'advanced', 'paranoid'];

function service(level: WatchLevel = 'advanced') {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level, clock });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 50 });
  watchdog.watch(pool);
  let told = 0;
  watchdog.on('leak', () => told++);
  /** Takes a lease in a request, and hands it over. */
  const upload = (to: OpenScope | 'process') =>
    watchdog.scope('POST /upload', async () => {
      const lease = await pool.lease();
      watchdog.handOver(lease, to);
      return lease;
    });
  return {
    clock,
    watchdog,
    pool,
    upload,
    told: () => told,
    /** Minutes in which 60 requests of a route come and go, and keep none of their leases. */
    async busy(minutes: number, route = 'POST /upload'): Promise<void> {
      for (let minute = 0; minute < minutes; minute++) {
        for (let i = 0; i < 60; i++) await watchdog.scope(route, () => pool.use(() => i));
        await clock.advance(MINUTE);
      }
    },
    [Symbol.dispose]: () => watchdog[Symbol.dispose](),
  };
}

test.each(LEVELS)(
  'a lease of the process is no suspect in a busy service, at the level %s',
  async (level) => {
    using t = service(level);
    const [lease, other] = [await t.upload('process'), await t.pool.lease()];
    t.watchdog.handOver(other, 'process');
    await t.busy(120);
    expect([await t.watchdog.check(), t.told()]).toEqual([[], 0]);
    await lease.release();
    await other.release();
  },
);

test.each(LEVELS)(
  'a lease that was told as lost is retracted when it is handed over, at the level %s',
  async (level) => {
    using t = service(level);
    const retracted: string[] = [];
    t.watchdog.on('retracted', ({ rule }) => retracted.push(rule));
    const lease = await t.watchdog.scope('POST /upload', () => t.pool.lease());
    await t.clock.advance(MINUTE);
    expect([t.told(), t.watchdog.stats().lost]).toEqual([1, 1]);
    t.watchdog.handOver(lease, 'process');
    expect([retracted, t.watchdog.stats().lost]).toEqual([['orphaned'], 0]);
    expect(await t.watchdog.check()).toEqual([]);
    await lease.release();
  },
);

test.each(LEVELS)(
  'a lost lease that was handed over is lost again when its new holder ends, at the level %s',
  async (level) => {
    using t = service(level);
    const lease = await t.watchdog.scope('POST /login', () => t.pool.lease());
    for (let session = 0; session < 3; session++) {
      await t.clock.advance(MINUTE);
      const scope = t.watchdog.openScope('session');
      t.watchdog.handOver(lease, scope);
      expect(await t.watchdog.check()).toEqual([]);
      await t.clock.advance(MINUTE);
      scope.end();
    }
    await t.clock.advance(MINUTE);
    expect(await t.watchdog.check()).toMatchObject([
      { rule: 'orphaned', scope: 'session', count: 1 },
    ]);
    await lease.release();
    expect([await t.watchdog.check(), t.watchdog.stats().lost]).toEqual([[], 0]);
  },
);

test('a lease of values that hold each other is lost no more once it is handed over', async () => {
  using t = service();
  const met = new Gate();
  const leases: SharedLease<object>[] = [];
  const second = new RefCounted(
    async () => {
      void met.passed.then(async () => leases.push(await first.acquire()));
      return {};
    },
    { name: 'second' },
  );
  const first: RefCounted<object> = new RefCounted(
    async () => {
      leases.push(await second.acquire());
      return {};
    },
    { name: 'first' },
  );
  t.watchdog.watch(second);
  t.watchdog.watch(first);
  const lease = await first.acquire();
  met.open();
  await nextTurn();
  await lease.release();
  await t.clock.advance(2 * MINUTE);
  expect((await t.watchdog.check()).map(({ rule, count }) => [rule, count])).toEqual([
    ['cycle', 1],
    ['cycle', 1],
  ]);
  for (const each of leases) t.watchdog.handOver(each, 'process');
  await t.clock.advance(MINUTE);
  expect([await t.watchdog.check(), t.watchdog.stats().lost]).toEqual([[], 0]);
  for (const each of leases) await each.release();
});

test.each(LEVELS)(
  'a lease of a worker is not compared with those that requests keep, at the level %s',
  async (level) => {
    using t = service(level);
    using worker = t.watchdog.openScope('worker');
    const lease = await t.upload(worker);
    for (let minute = 0; minute < 60; minute++) {
      await t.busy(1);
      for (let i = 0; i < 20; i++) await worker.run(() => t.pool.use(() => i));
    }
    expect([await t.watchdog.check(), t.told()]).toEqual([[], 0]);
    await lease.release();
  },
);

test.each([
  ['the process', () => 'process' as const],
  ['a worker', (watchdog: Watchdog) => watchdog.openScope('worker')],
])(
  'of the leases that %s was given, the one that does not come back is suspected',
  async (_holder, holder) => {
    using t = service();
    const to = holder(t.watchdog);
    let lost: unknown;
    for (let minute = 0; minute < 30; minute++) {
      const leases = await Promise.all(Array.from({ length: 20 }, () => t.upload(to)));
      if (minute === 5) lost = leases.pop();
      await t.clock.advance(1_000);
      for (const lease of leases) await lease.release();
      await t.clock.advance(MINUTE);
    }
    expect(await t.watchdog.check()).toMatchObject([
      { rule: 'tenured', count: 1, counters: { born: 600, live: [0, 0, 1] } },
    ]);
    expect(lost).toBeDefined();
  },
);

test('the path to a lease of the process begins at the process, and names the line that took it', async () => {
  using t = service();
  const paths = async () => (await t.watchdog.check()).map(({ path }) => path);
  await t.upload('process');
  expect(await paths()).toEqual([]);
  await t.clock.advance(MINUTE);
  for (let i = 0; i < 50; i++) await t.pool.lease({ timeoutMillis: 0 }).catch(() => {});
  for (let minute = 0; minute < 3; minute++) {
    await t.pool.lease({ timeoutMillis: 0 }).catch(() => {});
    await t.clock.advance(MINUTE);
  }
  expect(await paths()).toContainEqual([
    'process',
    expect.stringMatching(
      /^lease "db" .*hand-over\.test\.ts:\d+:\d+ in POST \/upload, handed over to the process$/,
    ),
  ]);
});

test('a lease that goes from holder to holder keeps the line that took it, and a name of one length', async () => {
  using t = service();
  const lease = await t.upload('process');
  for (let i = 0; i < 100; i++) {
    using stage = t.watchdog.openScope(`stage ${i}`);
    t.watchdog.handOver(lease, stage);
    if (i < 99) t.watchdog.handOver(lease, 'process');
  }
  const [leak] = await t.watchdog.check();
  expect(leak).toMatchObject({ rule: 'orphaned', count: 1, scope: 'stage :id' });
  expect(leak?.path?.at(-1)).toMatch(/in POST \/upload, handed over to stage :id$/);
  await lease.release();
});

test('a lease that was handed over to a scope keeps the line that took it when the scope is renamed', async () => {
  using t = service();
  using worker = t.watchdog.openScope('worker');
  await t.upload(worker);
  worker.rename('worker of uploads');
  worker.end();
  const [leak] = await t.watchdog.check();
  expect(leak?.path?.at(-1)).toMatch(
    /hand-over\.test\.ts:.* in POST \/upload, handed over to worker of uploads$/,
  );
});

test('the fix for a lost lease names the holder that has to release it', async () => {
  using t = service();
  using worker = t.watchdog.openScope('worker');
  await t.upload(worker);
  worker.end();
  const [leak] = await t.watchdog.check();
  expect(leak?.fix).toBe('it was handed over to `worker`: release it before that ends');
});

test.each([
  ['RunStack', () => new RunStack()],
  ['AsyncRunStack', () => new AsyncRunStack()],
])('a %s is handed over with the leases in it', async (_name, newStack) => {
  using t = service();
  using _watch = t.watchdog.watch(scopeResources);
  const make = (lease: Lease<object>) => {
    const stack: Pick<RunStack | AsyncRunStack, 'use' | 'move'> = newStack();
    (stack.use as (member: object) => unknown).call(stack, lease);
    const moved = stack.move();
    t.watchdog.handOver(moved, 'process');
    return moved;
  };
  const kept = await t.watchdog.scope('POST /upload', async () => make(await t.pool.lease()));
  await t.busy(60);
  expect([await t.watchdog.check(), t.told()]).toEqual([[], 0]);

  const session = t.watchdog.openScope('session');
  t.watchdog.handOver(kept, session);
  session.end();
  expect(await t.watchdog.check()).toMatchObject([
    { rule: 'orphaned', component: { kind: 'scope' }, scope: 'session' },
  ]);
  if (kept instanceof RunStack) kept[Symbol.dispose]();
  else await kept[Symbol.asyncDispose]();
  t.watchdog.handOver(kept, 'process'); // The stack has ended: without effect.
  expect(await t.watchdog.check()).toEqual([]);
});

test('a stack that no watchdog watches can be handed over', async () => {
  using t = service();
  const [stack, other] = [new RunStack(), new AsyncRunStack()];
  for (const each of [stack, other]) t.watchdog.handOver(each, 'process');
  expect([stack.disposed, await t.watchdog.check()]).toEqual([false, []]);
});

test.each([
  ['RunStack.use', () => new RunStack(), 'use'],
  ['RunStack.adopt', () => new RunStack(), 'adopt'],
  ['AsyncRunStack.use', () => new AsyncRunStack(), 'use'],
  ['AsyncRunStack.adopt', () => new AsyncRunStack(), 'adopt'],
] as const)('a lease belongs to its stack, by %s', async (_name, newStack, method) => {
  using t = service();
  using _watch = t.watchdog.watch(scopeResources);
  const session = t.watchdog.openScope('session');
  const stack: RunStack | AsyncRunStack = session.run<RunStack | AsyncRunStack>(newStack);
  await t.watchdog.scope('POST /login', async () => {
    const lease = await t.pool.lease();
    if (method === 'use') (stack.use as (member: object) => unknown).call(stack, lease);
    else stack.adopt(lease, (held) => held.release());
  });
  expect(await t.watchdog.check()).toEqual([]);
  if (stack instanceof RunStack) stack[Symbol.dispose]();
  else await stack[Symbol.asyncDispose]();
  session.end();
  expect([await t.watchdog.check(), t.pool.borrowed]).toEqual([[], 0]);
});

test('a member of a stack that throws when it is looked at is kept and ended', () => {
  using watchdog = new Watchdog();
  using _watch = watchdog.watch(scopeResources);
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('no');
      },
    },
  );
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  let ended = 0;
  const stack = new RunStack();
  expect(stack.adopt(hostile, () => ended++)).toBe(hostile);
  stack[Symbol.dispose]();
  expect(ended).toBe(1);
  errors.mockRestore();
});
