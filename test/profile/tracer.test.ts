import { expect, onTestFinished, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { createPool } from '../../src/pool/index.js';
import { Tracer, TraceSnapshot } from '../../src/profile/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { lineOf } from '../kit/line-of.js';
import { until } from '../kit/until.js';

function started(frames?: number): Tracer {
  const tracer = new Tracer();
  onTestFinished(() => tracer[Symbol.dispose]());
  tracer.start(frames);
  return tracer;
}

class Order {
  readonly id = 1;
}

test('names the line that tracked an object, its kind and its bytes', () => {
  const tracer = started();
  const order = tracer.track(new Order(), 512); // tracked here
  const [line] = tracer.takeSnapshot().statistics('line');
  expect(line?.traceback).toEqual([
    { file: 'test/profile/tracer.test.ts', line: lineOf(import.meta.url, '// tracked here') },
  ]);
  expect([line?.size, line?.count]).toEqual([512, 1]);
  expect(tracer.takeSnapshot().statistics('kind').map(String)).toEqual([
    'Order: size=512 B, count=1, average=512 B',
  ]);
  expect(order.id).toBe(1);
});

test('keeps as many lines of the application as were asked for', () => {
  const tracer = started(2);
  const inner = () => tracer.track(new Order());
  const kept = inner();
  expect(tracer.takeSnapshot().traces[0]?.traceback).toHaveLength(2);
  tracer.start(1);
  const more = inner();
  expect(tracer.takeSnapshot().traces[1]?.traceback).toHaveLength(1);
  expect([kept, more]).toHaveLength(2);
});

test('a later start changes the number of lines, also for a line that was traced before', async () => {
  const tracer = started();
  const inner = () => tracer.track(new Order());
  const kept: Order[] = [];
  for (const frames of [1, 2, 1]) {
    tracer.start(frames);
    await new Promise<void>((resolve) => {
      setImmediate(() => {
        kept.push(inner());
        resolve();
      });
    });
  }
  expect(tracer.takeSnapshot().traces.map(({ traceback }) => traceback.length)).toEqual([1, 2, 1]);
  expect(kept).toHaveLength(3);
});

test('forgets an object when V8 has collected it', async () => {
  const tracer = started();
  (() => {
    tracer.track(new Order(), 100);
  })();
  expect(tracer.tracedMemory()).toEqual({ current: 100, peak: 100 });
  await collectGarbage();
  expect(tracer.tracedMemory()).toEqual({ current: 0, peak: 100 });
  tracer.resetPeak();
  expect(tracer.tracedMemory().peak).toBe(0);
  expect(tracer.takeSnapshot().traces).toEqual([]);
});

test('traces nothing before the start and after the end', () => {
  const tracer = new Tracer();
  const kept = tracer.track(new Order(), 1);
  expect(() => tracer.takeSnapshot()).toThrow(
    expect.objectContaining({ code: 'TENURE_NOT_TRACING' }),
  );
  tracer.start();
  expect(tracer.takeSnapshot().traces).toEqual([]);
  tracer.track(kept, 1);
  tracer.stop();
  expect(tracer.isTracing).toBe(false);
  expect(tracer.tracedMemory()).toEqual({ current: 0, peak: 0 });
});

test('a thing that was traced before the traces were cleared does not count below zero when it goes', async () => {
  const tracer = started();
  await using pool = createPool({ create: () => ({}), destroy: () => {} });
  tracer.watch(pool, { bytes: { lease: 10 } });
  const lease = await pool.lease();
  tracer.clearTraces();
  const kept = tracer.track(new Order(), 5);
  await lease.release();
  expect(tracer.tracedMemory()).toEqual({ current: 5, peak: 5 });
  expect(kept.id).toBe(1);
});

test('traces what a pool lends to the line that took it, until it comes back', async () => {
  const tracer = started();
  await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db' });
  tracer.watch(pool, { bytes: { lease: 1_000, resource: 50 } });
  const before = tracer.takeSnapshot();
  const lease = await pool.lease(); // leased here
  const leases = tracer.takeSnapshot().filter({ inclusive: true, kind: 'pool "db" lease' });
  const [change] = leases.compareTo(before, 'line');
  expect(change?.traceback[0]?.line).toBe(lineOf(import.meta.url, '// leased here'));
  expect([change?.countDiff, change?.sizeDiff]).toEqual([1, 1_000]);
  await lease.release();
  const kinds = tracer.takeSnapshot().statistics('kind');
  expect(kinds.map(({ kind, count, size }) => [kind, count, size])).toEqual([
    ['pool "db" resource', 1, 50],
  ]);
});

test('traces the entries of a cache', () => {
  const tracer = started();
  const square = memoize((n: number) => n * n, { name: 'square' });
  tracer.watch(square, { bytes: { entry: 64 } });
  square(2);
  square(3);
  expect(tracer.takeSnapshot().statistics('kind')[0]).toMatchObject({
    kind: 'cache "square" entry',
    count: 2,
    size: 128,
  });
  square.clear();
  expect(tracer.tracedMemory().current).toBe(0);
});

test('the end of a watch ends the traces of the component', async () => {
  const tracer = started();
  await using pool = createPool({ create: () => ({}), destroy: () => {} });
  const watch = tracer.watch(pool, { bytes: { lease: 10 } });
  const lease = await pool.lease();
  expect(tracer.tracedMemory().current).toBe(10);
  watch[Symbol.dispose]();
  expect(tracer.tracedMemory().current).toBe(0);
  await lease.release();
});

test('a component that V8 has collected leaves no traces', async () => {
  const tracer = started();
  (() => {
    const square = memoize((n: number) => n * n);
    tracer.watch(square, { bytes: { entry: 7 } });
    square(2);
    expect(tracer.tracedMemory().current).toBe(7);
  })();
  await until(async () => {
    await collectGarbage();
    return tracer.tracedMemory().current === 0;
  });
});

test('a snapshot survives a dump, and a text that is no dump is refused', () => {
  const tracer = started(3);
  const kept = tracer.track(new Order(), 7);
  const snapshot = tracer.takeSnapshot();
  const loaded = TraceSnapshot.load(snapshot.dump());
  expect(loaded).toEqual(snapshot);
  expect(loaded.compareTo(snapshot, 'traceback').map(({ sizeDiff }) => sizeDiff)).toEqual([0]);
  for (const text of ['', '{}', 'null', '{"format":1,"tracebackLimit":1,"traces":[{}]}']) {
    expect(() => TraceSnapshot.load(text)).toThrow(/no dump of traces/);
  }
  expect(kept.id).toBe(1);
});

test('refuses malformed arguments', () => {
  const tracer = started();
  expect(() => tracer.start(0)).toThrow(/`frames` must be an integer from 1 to 200/);
  expect(() => tracer.track(1 as never)).toThrow(/`target` must be an object/);
  expect(() => tracer.track({}, Number.NaN)).toThrow(/`bytes` must be a number/);
  expect(() => tracer.watch({} as never)).toThrow(/can be watched/);
  expect(() =>
    tracer.watch(
      memoize(() => 1),
      { bytes: { entry: -1 } },
    ),
  ).toThrow(/`bytes` must be/);
  const snapshot = tracer.takeSnapshot();
  expect(() => snapshot.statistics('kind', true)).toThrow(/`cumulative` needs lines/);
  expect(() => snapshot.statistics('lineno' as never)).toThrow(/`by` must be one of/);
  expect(() => snapshot.filter({ inclusive: true })).toThrow(/give a `file`/);
  expect(() => snapshot.filter({ inclusive: true, line: 3 })).toThrow(/give a `file`/);
  expect(() => snapshot.compareTo({} as never, 'line')).toThrow(/`old` must be a snapshot/);
});
