/** A `set` of one process beside an invalidation by the same one or another, which comes after it and must cover it. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { type SharedStore, sharedCache } from '../../src/memoize/shared/index.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';

type Member = ReturnType<typeof process>;

function process(store: SharedStore, bus: MemoryBus, max = Infinity) {
  return memoize(async (_: string) => 'new', {
    name: 'value',
    max,
    tags: () => ['tag'],
    shared: sharedCache({ store, bus }),
  });
}

function slowStore(): SharedStore {
  const values = new Map<string, unknown>();
  const passes = async <T>(answer: () => T): Promise<T> => {
    for (let job = 0; job < 3; job++) await undefined;
    return answer();
  };
  return {
    get: (name) => passes(() => values.get(name)),
    set: (name, value) => passes(() => values.set(name, value).size > 0),
    delete: (name) => passes(() => values.delete(name)),
  };
}

describe.each<{ how: string; invalidate: (value: Member) => void }>([
  { how: 'clear', invalidate: (value) => value.clear() },
  { how: 'delete', invalidate: (value) => void value.delete('a') },
  { how: 'invalidateTags', invalidate: (value) => void value.invalidateTags('tag') },
])('is covered by $how, whenever it comes', ({ invalidate }) => {
  test.each(['another process', 'the same process'])('from %s', async (whose) => {
    for (const isEmpty of [true, false]) {
      for (let jobs = 0; jobs < 60; jobs++) {
        const [store, bus] = [slowStore(), new MemoryBus()];
        using one = process(store, bus);
        using other = process(store, bus);
        if (!isEmpty) await one('a');
        await one.flush();
        one.set(['a'], Promise.resolve('old'));
        for (let job = 0; job < jobs; job++) await undefined;
        invalidate(whose === 'another process' ? other : one);
        await Promise.all([one.flush(), other.flush()]);
        await settle();
        await one.flush();
        for (const value of [process(store, bus), one, other]) {
          expect(await value('a'), `after ${jobs} jobs`).toBe('new');
        }
      }
    }
  });
});

test('alone is found by the other processes', async () => {
  const [store, bus] = [slowStore(), new MemoryBus()];
  using one = process(store, bus);
  one.set(['a'], Promise.resolve('set'));
  await settle();
  await one.flush();
  expect(await process(store, bus)('a')).toBe('set');
});

test.each<{ how: string; give: (value: Member) => unknown }>([
  { how: 'a promise', give: (value) => value.set(['a'], Promise.resolve('set')) },
  {
    how: 'a value after another one',
    give: async (value) => {
      value.set(['a'], Promise.resolve('before'));
      await value.flush();
      value.set(['a'], Promise.resolve('set'));
    },
  },
  {
    how: 'a value after a clear',
    give: async (value) => {
      value.clear();
      await value.flush();
      vi.setSystemTime(Date.now() + 2_000); // A value is not shared within a second after a clear.
      value.set(['a'], Promise.resolve('set'));
    },
  },
])('as $how is found by a process that was told of each invalidation', async ({ give }) => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const [store, bus] = [slowStore(), new MemoryBus()];
  using one = process(store, bus);
  using other = process(store, bus);
  await give(one);
  await settle();
  await one.flush();
  expect(await other('a')).toBe('set');
  vi.useRealTimers();
});

test('is covered by a delete that a listener of the eviction for its sake calls', async () => {
  const [store, bus] = [slowStore(), new MemoryBus()];
  using one = process(store, bus, 1);
  await one('b');
  one.on('evict', ({ args }) => {
    if (args?.[0] === 'b') one.delete('a');
  });
  one.set(['a'], Promise.resolve('old'));
  await settle();
  await one.flush();
  for (const value of [process(store, bus), one]) expect(await value('a')).toBe('new');
});

test.each<{ what: string; lose: (bus: MemoryBus) => void }>([
  { what: 'the connection to the bus is', lose: (bus) => bus.connect(false) },
  { what: 'messages are', lose: (bus) => bus.miss() },
])(
  'is not shared if $what lost on its way: the message of an invalidation may be missed',
  async ({ lose }) => {
    const [values, bus, mayWrite] = [new Map<string, unknown>(), new MemoryBus(), new Gate()];
    const store: SharedStore = {
      get: async (name) => values.get(name),
      set: (name, value) => mayWrite.passed.then(() => values.set(name, value)),
      delete: async (name) => values.delete(name),
    };
    using one = process(store, bus);
    one.set(['a'], Promise.resolve('old'));
    await settle();
    lose(bus);
    mayWrite.open();
    await one.flush();
    expect(await process(store, new MemoryBus())('a')).toBe('new');
  },
);

describe('is covered by an invalidation of another process that comes just after it, although its message comes too late', () => {
  afterEach(() => void vi.useRealTimers());

  test.each<{ how: string; invalidate: (value: Member) => void }>([
    { how: 'clear', invalidate: (value) => value.clear() },
    { how: 'invalidateTags', invalidate: (value) => void value.invalidateTags('tag') },
  ])('$how', async ({ invalidate }) => {
    vi.useFakeTimers({ toFake: ['Date'], now: 2_000_000 });
    const values = new Map<string, unknown>();
    let mayRead = Promise.resolve();
    const store = (answers: () => Promise<void>): SharedStore => ({
      get: (name) => answers().then(() => values.get(name)),
      set: async (name, value) => values.set(name, value),
      delete: async (name) => values.delete(name),
    });
    const last = new Gate<string>();
    using one = process(
      store(() => mayRead),
      new MemoryBus(),
    );
    using other = process(
      store(async () => {}),
      new MemoryBus(),
    );
    for (const value of [one, other]) await value('a');
    await Promise.all([one.flush(), other.flush()]);
    vi.setSystemTime(2_060_000);
    const read = new Gate();
    mayRead = read.passed;
    one.set(['a'], last.passed);
    last.open('old');
    await settle();
    vi.setSystemTime(2_060_010);
    invalidate(other);
    await other.flush();
    read.open();
    await one.flush();
    expect(
      await process(
        store(async () => {}),
        new MemoryBus(),
      )('a'),
    ).toBe('new');
  });
});
