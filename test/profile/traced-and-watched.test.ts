/** Components that a watchdog and tracers observe at the same time. */
import fc from 'fast-check';
import genericPool from 'generic-pool';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { noteAutomaticWatch } from '../../src/core/created-components.js';
import { type Observation, observe, type Watchable } from '../../src/core/probe.js';
import { adoptPool } from '../../src/integrations/generic-pool.js';
import { memoize } from '../../src/memoize/index.js';
import { ForeignPool } from '../../src/node/foreign-pools/foreign-pool.js';
import { createKeyedPool, createPool, type Lease } from '../../src/pool/index.js';
import { census, Tracer } from '../../src/profile/index.js';
import { contextManager, RefCounted, RunStack, scopeResources } from '../../src/scope/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { BufferPool, Exporter, memoryview } from '../../src/view/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { IterableWeakMap, WeakValueMap } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { lineOf } from '../kit/line-of.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { until } from '../kit/until.js';

const plain = { create: () => ({}), destroy: () => {} };

function started(): Tracer {
  const tracer = new Tracer();
  onTestFinished(() => tracer[Symbol.dispose]());
  tracer.start();
  return tracer;
}

function startedBoth(): [Tracer, Watchdog] {
  const watchdog = new Watchdog({ graceMillis: 0 });
  onTestFinished(() => watchdog[Symbol.dispose]());
  return [started(), watchdog];
}

/** Watches by both, in either order. */
function watchByBoth(first: 'tracer' | 'watchdog', component: Watchable) {
  const [tracer, watchdog] = startedBoth();
  const observers = [() => tracer.watch(component), () => watchdog.watch(component)] as const;
  const [a, b] = first === 'tracer' ? observers : [observers[1], observers[0]];
  const watches = [a(), b()];
  const [tracing, watching] = first === 'tracer' ? watches : watches.reverse();
  return { tracer, watchdog, tracing: tracing as Disposable, watching: watching as Disposable };
}

const leasesOf = (tracer: Tracer, line?: number): number =>
  tracer
    .takeSnapshot()
    .filter({ inclusive: true, kind: 'pool "db" lease' })
    .statistics('line')
    .filter(({ traceback }) => line === undefined || traceback[0]?.line === line)
    .reduce((sum, { count }) => sum + count, 0);

describe.each(['tracer', 'watchdog'] as const)('the %s first', (first) => {
  test('both see a loan that is lost, at its line', async () => {
    allowLeaks();
    const pool = createPool(plain, { name: 'db', max: 2 });
    const { tracer, watchdog } = watchByBoth(first, pool);
    await watchdog.scope('GET /orders', async () => {
      await pool.lease(); // lost here
      await (await pool.lease()).release();
    });
    const line = lineOf(import.meta.url, '// lost here');
    expect(await watchdog.check()).toMatchObject([
      { rule: 'orphaned', count: 1, scope: 'GET /orders', site: { line } },
    ]);
    expect(leasesOf(tracer)).toBe(1);
    expect(leasesOf(tracer, line)).toBe(1);
    await pool.close({ graceMillis: 0, force: true });
    expect(leasesOf(tracer)).toBe(0);
  });

  test('the watchdog knows the resources from before, and the tracer the loans after it has gone', async () => {
    const pool = createPool(plain, { name: 'db', max: 2 });
    await (await pool.lease()).release();
    const { tracer, watchdog, watching } = watchByBoth(first, pool);
    const during = await pool.lease();
    expect(census(watchdog.heap).row('resource').total.count).toBe(1);
    expect(watchdog.stats().loansOut).toBe(1);
    watching[Symbol.dispose]();
    const after = await pool.lease();
    expect(leasesOf(tracer)).toBe(2);
    await during.release();
    await after.release();
    expect(leasesOf(tracer)).toBe(0);
    await pool.close();
  });

  test('the watchdog goes on when the tracer has gone, and a second one may follow the first', async () => {
    allowLeaks();
    const pool = createPool(plain, { name: 'db', max: 3 });
    const { tracer, watchdog, tracing, watching } = watchByBoth(first, pool);
    const during = await pool.lease();
    tracing[Symbol.dispose]();
    expect(tracer.tracedMemory().current).toBe(0);
    await watchdog.scope('job', () => pool.lease());
    expect(watchdog.stats().loansOut).toBe(2);
    await during.release();
    expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 1 }]);
    watching[Symbol.dispose]();
    using second = new Watchdog({ graceMillis: 0 });
    second.watch(pool);
    tracer.watch(pool);
    const before = 1; // The lost one.
    const lease = await pool.lease();
    expect([second.stats().loansOut, leasesOf(tracer)]).toEqual([before + 1, 1]);
    await lease.release();
    expect([second.stats().loansOut, leasesOf(tracer)]).toEqual([before, 0]);
    await pool.close({ graceMillis: 0, force: true });
  });

  test('what a resource leases while it is created is lost with it', async () => {
    allowLeaks();
    const inner = createPool(plain, { name: 'inner' });
    const create = async () => ({ connection: await inner.lease() }); // belongs to the resource
    const outer = createPool({ create, destroy: () => {} }, { name: 'outer' });
    const { watchdog, tracer } = watchByBoth(first, outer);
    watchdog.watch(inner);
    tracer.watch(inner);
    await (await outer.lease()).release();
    expect(await watchdog.check()).toEqual([]);
    await outer.close();
    const line = lineOf(import.meta.url, '// belongs to the resource');
    expect(await watchdog.check()).toMatchObject([{ rule: 'orphaned', site: { line } }]);
    await inner.close({ graceMillis: 0, force: true });
  });

  test('an abandoned loan is taken back from the pool', async () => {
    allowLeaks();
    const pool = createPool(plain, { name: 'db', max: 1, onAbandoned: 'destroy' });
    const { watchdog, tracer } = watchByBoth(first, pool);
    await (async () => {
      await pool.lease();
    })();
    const waiting = pool.lease();
    await until(async () => {
      await collectGarbage();
      return pool.stats().destroyed === 1;
    });
    const lease = await waiting;
    expect(await watchdog.check()).toMatchObject([{ rule: 'abandoned', count: 1 }]);
    expect(leasesOf(tracer)).toBe(1);
    await lease.release();
    await pool.close();
  });
});

test('an observer is told of the late end of a loan that was taken back by force', async () => {
  const pool = createPool(plain, { name: 'db' });
  const tracer = started();
  tracer.watch(pool);
  const ends: [kind: string | undefined, isReclaimed: boolean][] = [];
  class Recorder extends RecordingObserver {
    override freed(node: number, isReclaimed = false): void {
      ends.push([this.live.get(node)?.kind, isReclaimed]);
      if (!isReclaimed && this.live.has(node)) super.freed(node);
    }
  }
  pool[observe](new Recorder());
  const lease = await pool.lease();
  await pool.close({ graceMillis: 0, force: true });
  expect(leasesOf(tracer)).toBe(0);
  expect(ends).toContainEqual(['lease', true]);
  expect(ends).not.toContainEqual(['lease', false]);
  await lease.release();
  expect(ends.at(-1)).toEqual(['lease', false]);
});

test('several tracers share a component, and end in any order', async () => {
  const pool = createPool(plain, { name: 'db' });
  const [first, second] = [started(), started()];
  first.watch(pool);
  second.watch(pool);
  const lease = await pool.lease();
  first[Symbol.dispose]();
  expect(leasesOf(second)).toBe(1);
  await lease.release();
  expect(leasesOf(second)).toBe(0);
  await pool.close();
});

test('one tracer watches a component once, and a second watchdog is refused', async () => {
  await using pool = createPool(plain, { name: 'db' });
  const refused = expect.objectContaining({ code: 'TENURE_ALREADY_WATCHED' });
  const { tracer, tracing } = watchByBoth('watchdog', pool);
  expect(() => tracer.watch(pool)).toThrow(refused);
  expect(() => new Watchdog().watch(pool)).toThrow(refused);
  tracing[Symbol.dispose]();
  tracing[Symbol.dispose]();
  tracer.watch(pool);
  expect(() => new Watchdog().watch(pool)).toThrow(refused);
});

test('a tracer leaves a watch alone that no code of the application has asked for', async () => {
  const pool = createPool(plain, { name: 'db' });
  const [tracer, watchdog] = startedBoth();
  noteAutomaticWatch(pool, watchdog.watch(pool));
  tracer.watch(pool);
  const lease = await pool.lease();
  expect([watchdog.stats().loansOut, leasesOf(tracer)]).toEqual([1, 1]);
  using own = new Watchdog();
  own.watch(pool); // Takes the place of the automatic watch, and not of the tracer.
  expect([watchdog.stats().loansOut, leasesOf(tracer)]).toEqual([0, 1]);
  await lease.release();
  expect(leasesOf(tracer)).toBe(0);
  await pool.close();
});

test('a second watchdog is told of a loan that the first one knew to be taken directly', async () => {
  const factory = { create: async () => ({}), destroy: async () => {} };
  const peer = genericPool.createPool(factory, { max: 1 });
  const pool = adoptPool(peer);
  started().watch(pool);
  await peer.acquire();
  for (let i = 0; i < 2; i++) {
    const observer = new RecordingObserver();
    using observation = pool[observe](observer);
    observation.look?.();
    observation.look?.();
    expect(observer.liveOf('direct lease')).toHaveLength(1);
  }
});

test('a keyed pool has a watchdog and a tracer, also for keys that come later', async () => {
  const pools = createKeyedPool(() => plain, { name: 'shard' });
  const early = await pools.pool('a').lease();
  const { tracer, watchdog, watching } = watchByBoth('tracer', pools);
  expect(() => new Watchdog().watch(pools)).toThrow(/watched already/);
  const late = await pools.pool('b').lease();
  expect(watchdog.stats()).toMatchObject({ loans: 1, loansOut: 2 });
  watching[Symbol.dispose]();
  const kinds = () => tracer.takeSnapshot().statistics('kind');
  const loans = () => kinds().find(({ kind }) => kind === 'pool "shard" lease')?.count ?? 0;
  expect(loans()).toBe(1);
  await early.release();
  await late.release();
  expect(loans()).toBe(0);
  await pools.close();
});

// ── A watchdog is told the same with and without tracers ──

/** A component, and what a program does with it, in steps. */
interface Program {
  readonly component: Watchable;
  readonly steps: readonly (() => unknown)[];
}

const PROGRAMS: Readonly<Record<string, () => Program>> = {
  pool: () => {
    const pool = createPool(plain, { max: 2, name: 'db' });
    const held: Lease<object>[] = [];
    const lease = async () => void held.push(await pool.lease());
    return {
      component: pool,
      steps: [
        lease,
        lease,
        () => held[0]?.touch('query'),
        () => held.shift()?.release(),
        () => held[0]?.expectHold(5_000),
        () => pool.on('destroyed', () => {}),
        () => held.shift()?.destroy(),
        lease,
        () => held.shift()?.release(),
        () => pool.close(),
      ],
    };
  },
  'adopted pool': () => {
    const peer = genericPool.createPool(
      { create: async () => ({}), destroy: async () => {} },
      { max: 9 },
    );
    const pool = adoptPool(peer);
    const direct: object[] = [];
    const leases: Lease<object>[] = [];
    const take = async () => void direct.push(await peer.acquire());
    const lease = async () => void leases.push(await pool.lease());
    const look = () => {};
    return {
      component: pool,
      steps: [
        take,
        lease,
        look,
        () => peer.release(direct.pop() as object),
        take,
        () => peer.release(leases.pop()?.resource as object),
        look,
        lease,
        take,
        look,
        () => leases.pop()?.release(),
        look,
        () => peer.release(direct.pop() as object),
        look,
      ],
    };
  },
  cache: () => {
    const square = memoize((n: number) => n * n, { max: 2 });
    const call = (n: number) => () => square(n);
    return {
      component: square,
      steps: [call(1), call(2), call(2), call(3), () => square.delete(2), call(4), square.clear],
    };
  },
  'weak map': () => {
    const [a, b] = [{}, {}];
    const map = new WeakValueMap<string, object>();
    return {
      component: map,
      steps: [
        () => map.set('a', a),
        () => map.set('b', b),
        () => map.delete('a'),
        () => map.set('a', b),
        () => map.clear(),
        () => [a, b],
      ],
    };
  },
  'iterable weak map': () => {
    const [a, b] = [{}, {}];
    const map = new IterableWeakMap<object, number>();
    return {
      component: map,
      steps: [() => map.set(a, 1), () => map.set(b, 2), () => map.delete(a), () => [a, b]],
    };
  },
  'shared value': () => {
    const shared = new RefCounted(() => ({}), { idleMillis: Infinity });
    const held: Lease<object>[] = [];
    const acquire = async () => void held.push((await shared.acquire()) as never);
    const release = () => held.pop()?.release();
    return {
      component: shared,
      steps: [acquire, acquire, release, release, acquire, release, () => shared.close()],
    };
  },
  scopes: () => {
    const opened = contextManager(function* () {
      yield 'open';
    });
    const held: Disposable[] = [];
    const stack = () => {
      const made = new RunStack();
      made.use(opened());
      made.defer(() => {});
      held.push(made);
    };
    const end = () => held.pop()?.[Symbol.dispose]();
    return {
      component: scopeResources,
      steps: [() => held.push(opened()), stack, end, stack, end, end],
    };
  },
  exporter: () => {
    const exporter = new Exporter(16);
    const held: { release(): void }[] = [];
    const view = () => held.push(memoryview(exporter));
    const release = () => held.pop()?.release();
    return { component: exporter, steps: [view, view, release, view, release, release] };
  },
  'pool of another package': () => {
    const pool = new ForeignPool({
      name: 'foreign',
      releaseAdvice: 'give it back',
      figures: () => ({}),
    });
    const [a, b] = [{}, {}];
    const lend = (resource: object) => () => {
      const origin = pool.origin(lend);
      if (origin !== undefined) pool.lent(resource, origin);
    };
    const back = (resource: object) => () => pool.returned(resource);
    return {
      component: pool,
      steps: [lend(a), back(a), lend(b), lend(a), back(a), lend(a), () => pool.ended(), lend(b)],
    };
  },
  'buffer pool': () => {
    const pool = new BufferPool();
    const held: { release(): void }[] = [];
    const lease = () => held.push(pool.lease(100));
    const release = () => held.pop()?.release();
    return { component: pool, steps: [lease, lease, release, lease, release, release] };
  },
};

/** Runs a program under a strict observer that comes at a step. Tracers come and go at other steps. Gives what it was told. */
async function toldWith(
  program: Program,
  watchedFrom: number,
  traced: readonly (readonly [from: number, to: number])[],
): Promise<string[]> {
  const observer = new RecordingObserver();
  const observers: Observation[] = [];
  const traces = traced.map(([from, to]) => {
    const tracer = new Tracer();
    tracer.start();
    return { tracer, from: Math.min(from, to), to: Math.max(from, to) };
  });
  for (const [i, step] of program.steps.entries()) {
    for (const { tracer, from, to } of traces) {
      if (i === to) tracer[Symbol.dispose]();
      else if (i === from) tracer.watch(program.component);
    }
    if (i === watchedFrom) observers.push(program.component[observe](observer));
    await step();
    for (const observation of observers) observation.look?.();
  }
  for (const { tracer } of traces) tracer[Symbol.dispose]();
  for (const observation of observers) observation[Symbol.dispose]();
  return observer.log;
}

describe.each(Object.entries(PROGRAMS))('%s', (_, program) => {
  test('an observer is told the same, whichever tracers come and go', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => print.mockRestore());
    const last = program().steps.length - 1;
    const step = fc.integer({ min: 0, max: last });
    await fc.assert(
      fc.asyncProperty(
        step,
        fc.array(fc.tuple(step, step), { maxLength: 3 }),
        async (from, traced) => {
          const alone = await toldWith(program(), from, []);
          expect(await toldWith(program(), from, traced)).toEqual(alone);
        },
      ),
      { numRuns: 40 },
    );
    expect(print.mock.calls).toEqual([]); // What an observer throws is printed: a report that contradicts others, say.
  });
});
