import { expect, test } from 'vitest';
import type { Clock } from '../../src/core/clock.js';
import { type MemoryReport, markMemory, profiled, profileOf } from '../../src/profile/index.js';
import { FakeProcess } from './fake-process.js';

const clock: Clock = {
  now: () => 0,
  setTimer: (callback) => {
    queueMicrotask(callback);
    return {};
  },
  clearTimer: () => {},
};

const process = new FakeProcess();
const options = { memory: process, gcSource: process, clock };
const reports: MemoryReport[] = [];

class Orders {
  readonly factor = 100;

  @profiled({ ...options, onReport: (report) => void reports.push(report) })
  async load(count: number): Promise<number> {
    process.retain(10);
    await markMemory('read');
    process.retain(count * this.factor);
    return count;
  }

  @profiled({ ...options, name: 'failing load' })
  async fail(): Promise<never> {
    process.retain(5);
    throw new Error('no rows');
  }
}

test('adds up all calls of a method, and keeps its receiver, result, name and length', async () => {
  const orders = new Orders();
  expect([await orders.load(2), await orders.load(3)]).toEqual([2, 3]);
  expect([orders.load.name, orders.load.length]).toEqual(['load', 1]);
  const report = profileOf(orders.load);
  expect(report.name).toBe('load');
  expect(report.rows.map(({ label, calls, heapUsed }) => [label, calls, heapUsed])).toEqual([
    ['read', 2, 20],
    ['(call)', 2, 500],
  ]);
  expect(reports.map(({ rows }) => rows[1]?.calls)).toEqual([1, 2]);
});

test('what is retained between two calls is charged to no call', async () => {
  const orders = new Orders();
  const before = profileOf(orders.load).rows[0]?.heapUsed ?? 0;
  process.retain(1_000_000);
  await orders.load(0);
  expect(profileOf(orders.load).rows[0]?.heapUsed).toBe(before + 10);
});

test('a call that fails passes its error on', async () => {
  const orders = new Orders();
  await expect(orders.fail()).rejects.toThrow('no rows');
  expect(profileOf(orders.fail)).toMatchObject({ name: 'failing load', rows: [] });
});

test('decorates methods with `experimentalDecorators` too', async () => {
  const target = { load: async (n: number) => n + 1 };
  const descriptor = Object.getOwnPropertyDescriptor(target, 'load') as TypedPropertyDescriptor<
    (n: number) => Promise<number>
  >;
  const decorated = profiled(options)(target, 'load', descriptor);
  Object.defineProperty(target, 'load', decorated);
  expect(await target.load(1)).toBe(2);
  expect(profileOf(target.load).rows[0]?.calls).toBe(1);
});

test('refuses what is no method, and a method that is not decorated', () => {
  const field = { kind: 'field', name: 'size' } as never;
  expect(() => profiled()(undefined as never, field)).toThrow(/`size` is none/);
  expect(() => profileOf(async () => {})).toThrow(/not decorated/);
  expect(() => profiled({ rows: 1 } as never)).toThrow(/unknown option `rows`/);
});

test('a method that gives a generator is refused: nothing of it has run', async () => {
  async function* lines(): AsyncGenerator<string> {
    yield 'line';
  }
  const context = { kind: 'method', name: 'lines' } as ClassMethodDecoratorContext;
  const measured = profiled(options)(lines as never, context) as () => Promise<unknown>;
  await expect(measured()).rejects.toThrow('profiled: the function returned a generator');
});
