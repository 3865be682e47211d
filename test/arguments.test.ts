/** What public functions that take no options object do with a malformed argument: they throw a typed error that names it. */
import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Heap, runHeapProgram } from '../src/gc/index.js';
import { transaction } from '../src/integrations/pg.js';
import { cacheOf } from '../src/memoize/index.js';
import { ResourceScope } from '../src/node/index.js';
import { createGenericPool, createPool } from '../src/pool/index.js';
import { parseMemorySamples, plotMemory } from '../src/profile/index.js';
import { AsyncRunStack, closing, nullContext, RunStack } from '../src/scope/index.js';
import { BufferPool, memoryview } from '../src/view/index.js';
import { formatBaseline, formatReport, reportJson } from '../src/watchdog/index.js';

const MALFORMED = [undefined, null, 5, Symbol('s')];

/** A caller without types. */
type Untyped = (argument: unknown) => unknown;

test.each<[string, RegExp, Untyped]>([
  ['cacheOf', /`instance` must be an object/, (it) => cacheOf(it as Date, 'getTime')],
  ['heap.scope', /`body` must be a function/, (it) => new Heap().scope(it as () => void)],
  ['runHeapProgram', /`program` must be an object with/, runHeapProgram as Untyped],
  ['formatReport', /`reports` must be an array of reports/, formatReport as Untyped],
  ['formatBaseline', /`reports` must be an array of reports/, formatBaseline as Untyped],
  ['reportJson', /`reports` must be an array of reports/, reportJson as Untyped],
  ['plotMemory', /`samples` must be an array of readings/, plotMemory as Untyped],
  ['parseMemorySamples', /`text` must be a string/, parseMemorySamples as Untyped],
  ['MemoryView.cast', /`format` must be/, (it) => memoryview(new Uint8Array(4)).cast(it as never)],
])('%s names a malformed argument', (name, message, call) => {
  for (const argument of MALFORMED) {
    expect(() => call(argument)).toThrow(
      expect.objectContaining({
        code: 'TENURE_INVALID_ARGUMENT',
        message: expect.stringMatching(message),
      }),
    );
    expect(() => call(argument)).toThrow(name);
  }
});

test('the report of a check that was not awaited says so', () => {
  expect(() => formatReport(Promise.resolve([]) as never)).toThrow(/when it is awaited/);
});

describe('a generator function, whose body would run after the end of what it was given, is refused by', () => {
  const statements: string[] = [];
  const factory = {
    create: () =>
      Object.assign(new EventEmitter(), { query: async (text: string) => statements.push(text) }),
    destroy: () => {},
  };
  const buffers = new BufferPool();

  test.each<[string, (fn: () => never) => unknown]>([
    ['pool.use', (fn) => createPool(factory).use(fn)],
    ['pool.use of generic-pool', (fn) => createGenericPool(factory, { max: 1 }).use(fn)],
    ['transaction', (fn) => transaction(createPool(factory) as never, fn)],
    ['buffers.use', (fn) => buffers.use(8, fn)],
    ['context.run', (fn) => nullContext(1).run(fn)],
    ['stack.run', (fn) => new RunStack().run(fn)],
    ['asyncStack.run', (fn) => new AsyncRunStack().run(fn)],
    ['closing.run', (fn) => closing({ close: () => {} }).run(fn)],
    ['ResourceScope.run', (fn) => ResourceScope.run('job', fn)],
  ])('%s', async (_name, call) => {
    const bodies: string[] = [];
    const rows = async function* () {
      yield bodies.push('async');
    };
    const rowsAtOnce = function* () {
      yield bodies.push('sync');
    };
    for (const fn of [rows, rowsAtOnce, () => rows()]) {
      await expect((async () => call(fn as never))()).rejects.toMatchObject({
        code: 'TENURE_INVALID_ARGUMENT',
        message: expect.stringMatching(/returned a generator.* Loop over it within the function/),
      });
    }
    expect(bodies).toEqual([]);
    expect(statements.filter((text) => text === 'commit')).toEqual([]);
    expect(buffers.stats().out).toBe(0);
  });

  test('and no other iterator is', async () => {
    const pool = createPool({ create: () => new Map([['a', 1]]), destroy: () => {} });
    expect([...(await pool.use((map) => map.keys()))]).toEqual(['a']);
    await pool.close();
  });
});
