/** Invalidations by two processes at one time: their messages and their writes may arrive in different orders. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { Announcements } from '../../src/memoize/shared/announcements.js';
import {
  type BusListener,
  type InvalidationBus,
  type SharedCacheOptions,
  type SharedStore,
  sharedCache,
} from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';

type Member = ReturnType<Crossing['member']>;

/** A bus from which a process gets what a test delivers. */
class ManualBus implements InvalidationBus {
  deliver: BusListener['message'] = () => {};
  connect: BusListener['connected'] = () => {};

  async publish(): Promise<void> {}

  subscribe(listener: BusListener): Disposable {
    this.deliver = listener.message;
    this.connect = listener.connected;
    listener.connected(true);
    return { [Symbol.dispose]: () => {} };
  }
}

/** Processes of one service over one store. */
class Crossing {
  readonly bus = new MemoryBus();
  readonly #values = new Map<string, unknown>();
  source = 'old';
  loads = 0;

  /** `mayWrite` delays the writes of a process. With `false`, they are reported as done, and are not. */
  member(
    bus: InvalidationBus,
    mayWrite: () => Promise<unknown> = async () => true,
    options: Partial<SharedCacheOptions> = {},
  ) {
    const values = this.#values;
    const store: SharedStore = {
      get: async (name) => values.get(name),
      set: async (name, value) => {
        if ((await mayWrite()) !== false) values.set(name, value);
      },
      delete: async (name) => values.delete(name),
    };
    return memoize(
      async (_: string) => {
        this.loads++;
        return this.source;
      },
      {
        name: 'value',
        ttl: 3_600_000,
        tags: () => ['tag'],
        shared: sharedCache({
          store,
          bus,
          storeTimeoutMillis: Infinity,
          localTtlMillis: 0,
          ...options,
        } as SharedCacheOptions),
      },
    );
  }
}

describe.each<{ how: string; invalidate: (value: Member) => void }>([
  { how: 'delete', invalidate: (value) => void value.delete('a') },
  { how: 'clear', invalidate: (value) => value.clear() },
  { how: 'invalidateTags', invalidate: (value) => void value.invalidateTags('tag') },
])('$how in two processes, whose messages and writes cross', ({ invalidate }) => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  /** The second message overtakes the first one, whose token is in the store; the second token is not yet. Both may be of one process. */
  async function crossed(areOfOne = false) {
    const crossing = new Crossing();
    const { bus } = crossing;
    const gate = new Gate();
    let isHeld = false;
    const thirdBus = new ManualBus();
    const hold = async () => (isHeld ? gate.passed : undefined);
    const first = crossing.member(bus, hold);
    const second = areOfOne ? first : crossing.member(bus, hold);
    const third = crossing.member(thirdBus);
    await third('a');
    await third.flush();
    crossing.source = 'between';
    invalidate(first);
    await first.flush();
    await first('a');
    await first.flush();
    const texts = bus.texts.splice(0);
    crossing.source = 'new';
    isHeld = true;
    invalidate(second);
    await settle();
    for (const text of [...bus.texts, ...texts]) thirdBus.deliver(text);
    return { crossing, second, third, release: () => gate.open() };
  }

  test('serve no result from between them to a process that has got both messages', async () => {
    const { second, third, release } = await crossed();
    expect(await third('a'), 'the store has the first token').toBe('new');
    expect(await third('a')).toBe('new');
    release();
    await second.flush();
    expect(await third('a'), 'the store has the second token').toBe('new');
  });

  test('serve no result from between them, if both are of one process', async () => {
    const { second, third, release } = await crossed(true);
    expect(await third('a')).toBe('new');
    release();
    await second.flush();
  });

  test('let results be shared again whose loads begin later', async () => {
    const { crossing, second, third, release } = await crossed();
    release();
    await second.flush();
    vi.setSystemTime(Date.now() + 2_000);
    await second('a');
    await second.flush();
    crossing.loads = 0;
    expect(await third('a')).toBe('new');
    expect(crossing.loads).toBe(0);
  });
});

test.each(['is connected again', 'has just started'])(
  'a process that %s serves no result that it reads just before the token of a missed message arrives',
  async (state) => {
    const crossing = new Crossing();
    const gate = new Gate();
    let isHeld = false;
    const [bus, clock] = [new ManualBus(), new FakeClock()];
    const other = crossing.member(crossing.bus, () => (isHeld ? gate.passed : settle()));
    const start = () => crossing.member(bus, undefined, { clock, localTtlMillis: Infinity });
    let one = start();
    await one('a');
    await one.flush();
    bus.connect(false);
    crossing.source = 'new';
    isHeld = true;
    other.delete('a');
    await settle();
    if (state === 'has just started') one = start();
    else bus.connect(true);
    expect(await one('a'), 'the store has the old token').toBe('old');
    gate.open();
    await other.flush();
    await other('a');
    await other.flush();
    for (const time of ['first', 'second']) expect(await one('a'), time).toBe('new');
    expect(one.cacheInfo().hits, 'a result of the store is not kept').toBe(0);
    for (const time of ['first', 'second']) expect(await one('b'), time).toBe('new');
    expect(one.cacheInfo().hits, 'a result of its own is kept').toBe(1);
    await clock.advance(5_000);
    for (const time of ['first', 'second']) expect(await one('a'), time).toBe('new');
    expect(one.cacheInfo().hits, 'a result of the store is kept again').toBe(2);
    expect(crossing.loads).toBe(3);
  },
);

test.each<{ how: string; invalidate: (value: Member) => void }>([
  { how: 'delete', invalidate: (value) => void value.delete('a') },
  { how: 'set', invalidate: (value) => value.set(['a'], 'new' as never) },
  { how: 'clear', invalidate: (value) => value.clear() },
  { how: 'invalidateTags', invalidate: (value) => void value.invalidateTags('tag') },
])('20 processes that $how at one time are done with two attempts each', async ({ invalidate }) => {
  const crossing = new Crossing();
  const passes = async (): Promise<void> => {
    for (let jobs = 0; jobs < 5; jobs++) await undefined;
  };
  const members = Array.from({ length: 20 }, () => crossing.member(crossing.bus, passes));
  for (const member of members) invalidate(member);
  expect(await Promise.all(members.map((member) => member.flush()))).not.toContain(false);
  expect(crossing.bus.texts.length).toBeLessThanOrEqual(2 * members.length);
});

test('a delete is not done by the token of an older set, whose value follows', async () => {
  const crossing = new Crossing();
  const [ofSet, ofDelete] = [new Gate(), new Gate()];
  let writes = 0;
  const letOthersFollow = async (): Promise<void> => [ofDelete, ofSet][writes++]?.open();
  const first = crossing.member(new ManualBus(), async () => await ofSet.passed);
  const second = crossing.member(new ManualBus(), letOthersFollow);
  const third = crossing.member(new ManualBus(), async () => await ofDelete.passed);
  const late = () => crossing.member(new ManualBus());
  const early = late();
  await early('a');
  await early.flush();
  first.set(['a'], 'set' as never);
  await settle();
  crossing.source = 'new';
  third.delete('a');
  second.delete('a');
  expect(await second.flush(), 'the token of the set is in the store').toBe(false);
  await first.flush();
  expect(await second.flush()).toBe(true);
  for (const value of [second, late()]) expect(await value('a')).toBe('new');
});

test('a clear whose token the store refuses is pending, although another token is there', async () => {
  const crossing = new Crossing();
  let isRefused = false;
  const value = crossing.member(crossing.bus, async () => !isRefused);
  await value('a');
  await value.flush();
  isRefused = true;
  value.clear();
  expect(await value.flush()).toBe(false);
  isRefused = false;
  expect(await value.flush()).toBe(true);
});

test('an invalidation with another token is pending until that token was announced', async () => {
  const values = new Map<string, unknown>();
  const gate = new Gate();
  const messages = [() => gate.passed, () => Promise.reject(new Error('no'))];
  const writes: string[] = [];
  const store: SharedStore = {
    get: async (name) => values.get(name),
    set: async (name, value) => {
      writes.push(name);
      values.set(name, writes.length === 1 ? 'the token of another process' : value);
    },
    delete: async (name) => values.delete(name),
  };
  const bus: InvalidationBus = {
    publish: async () => messages.shift()?.(),
    subscribe: (listener) => {
      listener.connected(true);
      return { [Symbol.dispose]: () => {} };
    },
  };
  using value = memoize(async (_: string) => 'value', {
    name: 'value',
    onError: () => {},
    shared: sharedCache({ store, bus }),
  });
  value.delete('a');
  await settle();
  gate.open();
  await settle();
  expect(writes).toHaveLength(2);
  expect(value.cacheInfo().shared?.pendingInvalidations).toBe(1);
});

test('of very many invalidations of one key, the oldest are forgotten: what the store has under them does not count', () => {
  const announcements = new Announcements(new FakeClock());
  const tokenOf = (sender: number): string => `token ${sender}`;
  for (let sender = 0; sender < 1_000; sender++) {
    announcements.add({
      kind: 'key',
      what: 'a',
      token: tokenOf(sender),
      from: sender,
      order: sender,
    });
  }
  expect(announcements.contradict('key', 'a', tokenOf(0))).toBe(true);
  expect(announcements.contradict('key', 'a', tokenOf(999))).toBe(false);
});
