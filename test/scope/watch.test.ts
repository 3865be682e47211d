/** What a watchdog sees of scopes: leases, contexts and stacks by their line, and who owns what. */
import { expect, test, vi } from 'vitest';
import { currentOwner, type Owner } from '../../src/core/current-owner.js';
import { ObserverGroup } from '../../src/core/observer-group.js';
import { handOver } from '../../src/core/probe.js';
import { disposal } from '../../src/memoize/disposal/index.js';
import { memoize } from '../../src/memoize/index.js';
import { createPool } from '../../src/pool/index.js';
import {
  AlreadyWatchedError,
  AsyncRunStack,
  asyncContextManager,
  contextManager,
  observe,
  RefCounted,
  RefCountedMap,
  RunStack,
  runWith,
  type SharedLease,
  scopeResources,
} from '../../src/scope/index.js';
import { type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { lineOf } from '../kit/line-of.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { settle } from '../kit/settle.js';
import { until } from '../kit/until.js';

function watchdogFor(...components: { [observe]: unknown }[]) {
  const watchdog = new Watchdog({ level: 'advanced', graceMillis: 0 });
  const leaks: LeakReport[] = [];
  watchdog.on('leak', (report) => leaks.push(report));
  for (const component of components) watchdog.watch(component as RefCounted<unknown>);
  return { watchdog, leaks, [Symbol.dispose]: () => watchdog[Symbol.dispose]() };
}

const held = contextManager(function* (name: string) {
  yield name;
});

test('a lease on a shared value that is never released is named by its line', async () => {
  const shared = new RefCounted(() => ({ id: 1 }), { name: 'config' });
  using t = watchdogFor(shared);
  const kept = await t.watchdog.scope('GET /config', async () => {
    return shared.acquire(); // The lost lease.
  });
  expect(t.leaks).toHaveLength(1);
  expect(t.leaks[0]).toMatchObject({
    rule: 'orphaned',
    component: { kind: 'ref-counted', name: 'config' },
    scope: 'GET /config',
    site: { line: lineOf(import.meta.url, '// The lost lease.') },
    state: { values: 1, leases: 1 },
  });
  void kept.release();
  await t.watchdog.assertNoLeaks();
});

test('a holder says how long it means to keep a lease on a shared value', async () => {
  const clock = new FakeClock();
  const shared = new RefCounted(() => ({ id: 1 }), { name: 'config' });
  const open = memoize((path: string) => ({ path, [Symbol.dispose]() {} }), {
    dispose: disposal(),
  });
  using watchdog = new Watchdog({ level: 'advanced', graceMillis: 0, clock });
  watchdog.watch(shared);
  watchdog.watch(open);
  const [config, file] = await watchdog.scope('start', async () => {
    const leases = [await shared.acquire(), open.lease('a.txt')] as const;
    for (const lease of leases) {
      lease.expectHold(60_000);
      expect(() => lease.expectHold(-1)).toThrow(/`holdMillis` must be/);
    }
    return leases;
  });
  expect(await watchdog.check()).toEqual([]);
  await clock.advance(60_001);
  expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned' }, { rule: 'orphaned' }]);
  for (const lease of [config, file]) {
    lease.release();
    lease.expectHold(1);
  }
  expect(await watchdog.check()).toEqual([]);
});

test('a lease on a value of a map is named by its line, and V8 proves that it is abandoned', async () => {
  const map = new RefCountedMap((key: string) => ({ key }), { name: 'tenants' });
  using t = watchdogFor(map);
  await (async () => {
    await map.acquire('a'); // The dropped lease.
  })();
  await until(async () => {
    await collectGarbage();
    return t.leaks.length > 0;
  });
  expect(t.leaks[0]).toMatchObject({
    rule: 'abandoned',
    component: { kind: 'ref-counted-map', name: 'tenants' },
    site: { line: lineOf(import.meta.url, '// The dropped lease.') },
  });
});

test('a lease whose release was taken out of it is not abandoned', async () => {
  const shared = new RefCounted(() => ({ id: 1 }));
  using t = watchdogFor(shared);
  const release = await (async () => {
    const lease = await shared.acquire();
    return lease.release;
  })();
  for (let i = 0; i < 5; i++) await collectGarbage();
  expect(t.leaks).toEqual([]);
  void release();
});

test('a context that no code has ended is named by its line', async () => {
  using t = watchdogFor(scopeResources);
  const context = t.watchdog.scope('job', () => held('a')); // The open context.
  expect(t.leaks[0]).toMatchObject({
    rule: 'orphaned',
    component: { kind: 'scope', name: 'scope' },
    scope: 'job',
    site: { line: lineOf(import.meta.url, '// The open context.') },
    state: { open: 1 },
  });
  context[Symbol.dispose]();
  await t.watchdog.assertNoLeaks();
});

test('an asynchronous context is named by the line that called the manager', async () => {
  const session = asyncContextManager(async function* () {
    await settle();
    yield 1;
  });
  using t = watchdogFor(scopeResources);
  await t.watchdog.scope('job', async () => {
    await session(); // The open session.
  });
  expect(t.leaks[0]?.site?.line).toBe(lineOf(import.meta.url, '// The open session.'));
});

test('a stack that was dropped with resources in it is named by its line', async () => {
  const dispose = vi.fn();
  using t = watchdogFor(scopeResources);
  (() => {
    const stack = new RunStack(); // The dropped stack.
    stack.use({ [Symbol.dispose]: dispose });
  })();
  await until(async () => {
    await collectGarbage();
    return t.leaks.length > 0;
  });
  expect(t.leaks[0]).toMatchObject({
    rule: 'abandoned',
    site: { line: lineOf(import.meta.url, '// The dropped stack.') },
  });
  expect(dispose).not.toHaveBeenCalled();
});

test('contexts and stacks that are ended leave nothing behind', async () => {
  const observer = new RecordingObserver();
  using watch = scopeResources[observe](observer);
  expect(() => scopeResources[observe](new RecordingObserver())).toThrow(AlreadyWatchedError);
  {
    using _context = held('using');
  }
  void held('run').run(() => {});
  void runWith((stack) => {
    stack.enter(held('entered'));
    stack.use({ [Symbol.dispose]: () => {} });
    return stack.move();
  })?.[Symbol.dispose]();
  const asynchronous = new AsyncRunStack();
  asynchronous.defer(() => {});
  await asynchronous.move().run(() => {});
  expect(observer.live.size).toBe(0);
  expect(watch.stats()).toEqual({ open: 0 });
});

test('a stack holds its resources and the contexts that were entered into it', () => {
  const observer = new RecordingObserver();
  using _watch = scopeResources[observe](observer);
  const stack = new RunStack();
  stack.enter(held('a'));
  stack.defer(() => {});
  const [stackNode] = observer.liveOf('stack');
  const [resource] = observer.liveOf('resource');
  expect(observer.live.get(resource as number)?.holders).toEqual([stackNode]);
  const loans = observer.liveOf('lease').map((id) => observer.live.get(id));
  expect(loans.filter((loan) => loan?.holders.includes(stackNode as number))).toHaveLength(1);
  const moved = stack.move();
  const resources = observer.liveOf('resource').map((id) => observer.live.get(id)?.holders);
  expect(resources).toEqual([observer.liveOf('stack')]);
  moved[Symbol.dispose]();
  expect(observer.live.size).toBe(0);
});

test('a stack that was moved gives its successor all it holds, a resource whose hand-over fails included', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  using t = watchdogFor(scopeResources);
  const stack = new RunStack();
  stack.enter(held('a'));
  const resource = {
    [Symbol.dispose]: vi.fn(),
    [handOver]() {
      throw new Error('no holder');
    },
  };
  expect(stack.use(resource)).toBe(resource);
  expect(print).toHaveBeenCalledOnce();
  print.mockRestore();
  const moved = stack.move();
  expect(await t.watchdog.check()).toEqual([]);
  moved[Symbol.dispose]();
  expect(resource[Symbol.dispose]).toHaveBeenCalledOnce();
  await t.watchdog.assertNoLeaks();
});

test('a context that was made before the watch, or is ended after it, does no harm', () => {
  const before = held('before');
  const observer = new RecordingObserver();
  const watch = scopeResources[observe](observer);
  const during = held('during');
  before[Symbol.dispose]();
  watch[Symbol.dispose]();
  const reports = observer.log.length;
  during[Symbol.dispose]();
  expect(observer.log).toHaveLength(reports);
});

test('a value is held by its leases while it is in use, and by its component otherwise', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  const shared = new RefCounted(() => ({}), { idleMillis: Infinity });
  const observer = new RecordingObserver();
  using watch = shared[observe](observer);
  const [first, second] = await Promise.all([shared.acquire(), shared.acquire()]);
  const [value] = observer.liveOf('value');
  const leases = observer.liveOf('lease');
  expect(observer.live.get(value as number)?.holders).toEqual(leases);
  void first.release();
  void second.release();
  expect(observer.live.get(value as number)?.holders).toEqual([observer.root]);
  expect(watch.stats()).toEqual({ values: 1, leases: 0 });
  await shared.close();
  expect(observer.live.size).toBe(0);
  expect(errors.mock.calls).toEqual([]); // The observer throws on a contradiction, which would be printed.
  errors.mockRestore();
});

test('an idle value that was made before the watch is known to it', async () => {
  const shared = new RefCounted(() => ({}), { idleMillis: Infinity });
  await (await shared.acquire()).release();
  const observer = new RecordingObserver();
  using _watch = shared[observe](observer);
  await settle();
  const [value] = observer.liveOf('value');
  expect(observer.live.get(value as number)?.holders).toEqual([observer.root]);
  const lease = await shared.acquire();
  expect(observer.live.get(value as number)?.holders).toEqual(observer.liveOf('lease'));
  void lease.release();
  await shared.close();
  expect(observer.live.size).toBe(0);
});

test.each([true, false])(
  'observers that come and go while a value is in use are told who holds it, with a tracer: %s',
  async (isTraced) => {
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    const shared = new RefCounted(() => ({}), { idleMillis: Infinity });
    const holdersFor = (observer: RecordingObserver) => {
      const [value] = observer.liveOf('value');
      return observer.live.get(value as number)?.holders;
    };
    const first = new RecordingObserver();
    const firstWatch = shared[observe](first);
    const early = await shared.acquire();
    const tracer = Object.assign(new RecordingObserver(), { newGroup: () => new ObserverGroup() });
    using _tracing = isTraced ? shared[observe](tracer) : undefined;
    void early.release();
    expect(holdersFor(first)).toEqual([first.root]);

    const kept = await shared.acquire();
    firstWatch[Symbol.dispose]();
    const second = new RecordingObserver();
    using _watch = shared[observe](second);
    const later = await shared.acquire();
    expect(holdersFor(second)).toEqual(second.liveOf('lease'));
    void later.release();
    expect(holdersFor(second)).toEqual([second.root]);
    void kept.release();
    await shared.close();
    expect(errors.mock.calls).toEqual([]); // The observers throw on a contradiction, which would be printed.
    errors.mockRestore();
  },
);

test('a lease that has ended is neither handed over nor expected to be held', async () => {
  const shared = new RefCounted(() => ({}));
  const open = memoize((path: string) => ({ path, [Symbol.dispose]() {} }), {
    dispose: disposal(),
  });
  const late = { transferred: vi.fn(), expected: vi.fn() };
  const observers = [shared, open].map((component) => {
    const observer = Object.assign(new RecordingObserver(), late);
    component[observe](observer);
    return observer;
  });
  const [to] = observers;
  for (const lease of [await shared.acquire(), open.lease('a.txt')]) {
    lease[handOver]({ observer: to, node: 1 });
    lease.expectHold(1_000);
    lease.release();
    lease[handOver]({ observer: to, node: 1 });
    lease.expectHold(1_000);
  }
  expect([late.transferred.mock.calls.length, late.expected.mock.calls.length]).toEqual([2, 2]);
});

test('an observer that throws costs no lease', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const shared = new RefCounted(() => ({}));
  const thrower = new Proxy(
    { root: 1 },
    {
      get: (it, key) =>
        key === 'root'
          ? it.root
          : () => {
              throw new Error('broken');
            },
    },
  );
  using _watch = shared[observe](thrower as never);
  const lease = await shared.acquire();
  await lease.release();
  expect([shared.refs, print.mock.calls.length]).toEqual([0, 1]);
  print.mockRestore();
});

test('a value whose lease the observer has failed to record stays held by its component', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const shared = new RefCounted(() => ({}), { idleMillis: Infinity });
  const observer = new RecordingObserver();
  const failure = vi.spyOn(observer, 'lent').mockImplementationOnce(() => {
    throw new Error('broken');
  });
  using _watch = shared[observe](observer);
  const unrecorded = await shared.acquire();
  const [value] = observer.liveOf('value');
  const holders = () => observer.live.get(value as number)?.holders;
  expect(holders()).toEqual([observer.root]);
  const recorded = await shared.acquire();
  expect(holders()).toEqual(observer.liveOf('lease'));
  void unrecorded.release();
  expect(holders()).toEqual(observer.liveOf('lease'));
  void recorded.release();
  expect(holders()).toEqual([observer.root]);
  expect([failure.mock.calls.length, print.mock.calls.length]).toEqual([2, 1]);
  print.mockRestore();
  await shared.close();
});

test('what a creation leases has no owner if the observer has failed to record the value', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const observer = new RecordingObserver();
  vi.spyOn(observer, 'allocated').mockImplementationOnce(() => {
    throw new Error('broken');
  });
  let owner: Owner | undefined;
  const shared = new RefCounted(() => {
    owner = currentOwner();
    return {};
  });
  using _watch = shared[observe](observer);
  using _lease = await shared.acquire();
  expect(owner).toBeDefined();
  expect(owner?.node).toBeUndefined();
  print.mockRestore();
});

test('what a value has leased while it was created belongs to it, and not to the scope', async () => {
  await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 2 });
  const repository = new RefCounted(
    async () => {
      const connection = await pool.lease(); // Belongs to the repository.
      return { connection };
    },
    { dispose: ({ connection }) => connection.release(), idleMillis: Infinity },
  );
  using t = watchdogFor(pool, repository);
  await t.watchdog.scope('GET /', async () => {
    await (await repository.acquire()).release();
  });
  expect(t.leaks).toEqual([]);
  await repository.close();
  await t.watchdog.assertNoLeaks();
});

test('what a value keeps on purpose is no suspect, however old it is', async () => {
  const clock = new FakeClock();
  using watchdog = new Watchdog({
    level: 'advanced',
    graceMillis: 0,
    youngCollectionEvery: 10,
    clock,
  });
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 2, clock });
  const shared = new RefCounted(
    async () => {
      const lease = await pool.lease();
      return { [Symbol.dispose]: () => lease[Symbol.dispose]() };
    },
    { idleMillis: Infinity },
  );
  watchdog.watch(pool);
  watchdog.watch(shared);
  void (await shared.acquire()).release();
  for (let i = 0; i < 200; i++) {
    using _lease = await pool.lease();
  }
  await clock.advance(3_600_000);
  expect(await watchdog.check()).toEqual([]);
  await shared.close();
  await pool.close();
});

test('a value that ends without releasing what it has leased is a leak, named by the line', async () => {
  await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 2 });
  const kept: unknown[] = [];
  const repository = new RefCounted(async () => {
    kept.push(await pool.lease()); // Never released by the value.
    return {};
  });
  using t = watchdogFor(pool, repository);
  await t.watchdog.scope('GET /', async () => {
    await (await repository.acquire()).release();
  });
  await repository.idle();
  expect(t.leaks[0]).toMatchObject({
    rule: 'orphaned',
    component: { kind: 'pool', name: 'db' },
    site: { line: lineOf(import.meta.url, '// Never released by the value.') },
  });
  await pool.close({ graceMillis: 0, force: true });
});

test('a scope within a creation owns its own leases', async () => {
  await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 2 });
  const watched: { watchdog?: Watchdog } = {};
  const server = new RefCounted(async () => {
    await watched.watchdog?.scope('request', async () => {
      await pool.lease();
    });
    return {};
  });
  using t = watchdogFor(pool, server);
  watched.watchdog = t.watchdog;
  const lease = await server.acquire();
  expect(t.leaks).toHaveLength(1);
  expect(t.leaks[0]).toMatchObject({ rule: 'orphaned', scope: 'request' });
  await lease.release();
  await pool.close({ graceMillis: 0, force: true });
});

test('what a cached result holds is no leak while its disposal, after its last lease, releases it', async () => {
  const pool = createPool({ create: () => ({}), destroy: () => {} }, { max: 1 });
  const closing = new Gate();
  const open = memoize(
    async (_: string) => {
      const lease = await pool.lease();
      return {
        async [Symbol.asyncDispose]() {
          await closing.passed;
          lease[Symbol.dispose]();
        },
      };
    },
    { dispose: disposal() },
  );
  using t = watchdogFor(pool, open);
  const lease = await open.lease('a.txt');
  open.delete('a.txt');
  lease.release();
  await settle();
  expect([t.leaks, await t.watchdog.check()]).toEqual([[], []]);
  closing.open();
  await settle();
  await t.watchdog.assertNoLeaks();
  await pool.close();
});

test('values that hold leases on each other are a cycle in the simulated heap', async () => {
  const gate = new Gate();
  const taken: { byFirst?: SharedLease<object>; bySecond?: SharedLease<object> } = {};
  const first: RefCounted<object> = new RefCounted(
    async () => {
      taken.byFirst = await second.acquire(); // The first holds the second.
      return {};
    },
    { name: 'first' },
  );
  const second: RefCounted<object> = new RefCounted(
    async () => {
      // Work that the second value starts belongs to it too.
      void gate.passed.then(async () => {
        taken.bySecond = await first.acquire(); // The second holds the first.
      });
      return {};
    },
    { name: 'second' },
  );
  using t = watchdogFor(first, second);
  await t.watchdog.scope('GET /', async () => {
    const lease = await first.acquire();
    gate.open();
    await until(() => taken.bySecond !== undefined);
    void lease.release();
  });
  expect([first.refs, second.refs, t.leaks]).toEqual([1, 1, []]);
  t.watchdog.heap.gc.collect();
  const reports = await t.watchdog.check();
  expect(reports.map(({ component, site }) => [component.name, site?.line])).toEqual(
    expect.arrayContaining([
      ['first', lineOf(import.meta.url, '// The second holds the first.')],
      ['second', lineOf(import.meta.url, '// The first holds the second.')],
    ]),
  );
  void taken.bySecond?.release();
  void taken.byFirst?.release();
});

test('a value that two callers lease at once stays known when the first lease ends', async () => {
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  using watchdog = new Watchdog({ graceMillis: 0 });
  const shared = new RefCounted(() => ({}), { name: 'config' });
  watchdog.watch(shared);
  await watchdog.scope('job', async () => {
    const [first, second] = await Promise.all([shared.acquire(), shared.acquire()]);
    first.release();
    await settle();
    second.release();
  });
  expect(errors.mock.calls).toEqual([]);
  errors.mockRestore();
  expect(await watchdog.check()).toEqual([]);
});

test('a lease of an earlier watch does not end a lease of a later one', async () => {
  const shared = new RefCounted(() => ({}), { idleMillis: Infinity });
  const first = shared[observe](new RecordingObserver());
  const lease = await shared.acquire();
  first[Symbol.dispose]();
  const observer = new RecordingObserver();
  using _watch = shared[observe](observer);
  const later = await shared.acquire(); // Has the id that the first observer gave to `lease`.
  await lease.release();
  expect(observer.liveOf('lease')).toHaveLength(1);
  await later.release();
  expect(observer.liveOf('lease')).toHaveLength(0);
  await shared.close();
});
