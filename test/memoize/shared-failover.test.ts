/** What a store may lose that it has confirmed: a replica takes over without the last writes, and a Redis restarts from a snapshot. */
import { describe, expect, test } from 'vitest';
import { type MemoizeOptions, memoize } from '../../src/memoize/index.js';
import { type SharedCacheOptions, sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { MemoryBus } from './memory-bus.js';

type Fn = (id: string) => Promise<string>;
type Shared = { [K in keyof SharedCacheOptions]: SharedCacheOptions[K] | undefined };

/** Processes of one service over a store that can go back to an earlier state. */
class Failover {
  readonly clock = new FakeClock();
  readonly bus = new MemoryBus();
  source = 'old';
  loads = 0;
  writes = 0;
  #values = new Map<string, unknown>();
  #replica = new Map<string, unknown>();

  readonly #store: NonNullable<SharedCacheOptions['store']> = {
    get: async (name) => this.#values.get(name),
    set: async (name, value) => {
      this.writes++;
      this.#values.set(name, value);
    },
    delete: async (name) => this.#values.delete(name),
  };

  member(options: Partial<MemoizeOptions<Fn>> = {}, shared: Partial<Shared> = {}) {
    return memoize<Fn>(
      async () => {
        this.loads++;
        return this.source;
      },
      {
        name: 'value',
        tags: () => ['tag'],
        shared: sharedCache({
          clock: this.clock,
          store: this.#store,
          bus: this.bus,
          ...shared,
        } as SharedCacheOptions),
        ...options,
      },
    );
  }

  replicate(): void {
    this.#replica = new Map(this.#values);
  }

  loseWrites(): void {
    this.#values = new Map(this.#replica);
  }

  empty(): void {
    this.#values.clear();
  }
}

async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await settle();
}

type Member = ReturnType<Failover['member']>;

const INVALIDATIONS = [
  { how: 'delete', invalidate: (value: Member) => void value.delete('a') },
  { how: 'clear', invalidate: (value: Member) => value.clear() },
  { how: 'invalidateTags', invalidate: (value: Member) => void value.invalidateTags('tag') },
  { how: 'set', invalidate: (value: Member) => value.set(['a'], Promise.resolve('new')) },
] as const;

/** A service whose store has lost an invalidation that was confirmed. */
async function afterLoss(invalidate: (value: Member) => void) {
  const failover = new Failover();
  const [one, other] = [failover.member({ max: 1 }), failover.member({ max: 1 })];
  await one('a');
  await one.flush();
  failover.replicate();
  failover.source = 'new';
  invalidate(one);
  expect(await one.flush()).toBe(true);
  for (const value of [one, other]) {
    await value('a');
    await value.flush();
    await value('b'); // `a` leaves this process.
    await value.flush();
  }
  failover.loseWrites();
  return { failover, one, other };
}

describe('a store that loses an invalidation which it had confirmed', () => {
  test.each(INVALIDATIONS)(
    'brings no old result back in a process that knows of it: $how',
    async ({ invalidate }) => {
      const { one, other } = await afterLoss(invalidate);
      expect(await one('a')).toBe('new');
      expect(await other('a')).toBe('new');
    },
  );

  test.each(INVALIDATIONS)(
    'has it again when the bus is connected again: $how',
    async ({ invalidate }) => {
      const { failover, one, other } = await afterLoss(invalidate);
      failover.bus.connect(false);
      await failover.clock.advance(60_000);
      failover.bus.connect(true);
      await settle();
      expect([await one.flush(), await other.flush()]).toEqual([true, true]);
      expect(await failover.member()('a'), 'a new process').toBe('new');
      expect(await other('a')).toBe('new');
    },
  );

  test('has one again that was confirmed after the loss of the connection', async () => {
    const failover = new Failover();
    using one = failover.member();
    await one('a');
    await one.flush();
    failover.replicate();
    failover.source = 'new';
    failover.bus.connect(false);
    await failover.clock.advance(90_000);
    one.delete('a');
    await one.flush();
    failover.loseWrites();
    failover.bus.connect(true);
    await one.flush();
    expect(await failover.member()('a')).toBe('new');
  });

  test('does not put an older result in the place of a newer one, without a bus too', async () => {
    const failover = new Failover();
    const { clock } = failover;
    using one = failover.member({ clock }, { bus: undefined, localTtlMillis: 1_000 });
    await one('a');
    await one.flush();
    failover.replicate();
    failover.source = 'new';
    one.delete('a');
    await one.flush();
    await nextMillisecond(); // The revisions of both results begin with the time.
    await one('a');
    await one.flush();
    failover.loseWrites();
    await clock.advance(1_000);
    expect(await one('a')).toBe('new');
  });
});

test('a connection that is back has the invalidations of the last minute repeated, 1,000 at most', async () => {
  const failover = new Failover();
  using one = failover.member();
  const reconnect = async (): Promise<number> => {
    failover.writes = 0;
    failover.bus.connect(false);
    failover.bus.connect(true);
    await one.flush();
    return failover.writes;
  };
  expect(await reconnect(), 'nothing was invalidated').toBe(0);
  for (let id = 0; id < 1_500; id++) one.delete(`key ${id}`);
  await one.flush();
  expect(await reconnect()).toBe(1_000);
  await failover.clock.advance(60_001);
  expect(await reconnect(), 'after a minute').toBe(0);
});

test('a store that was emptied after a clear is used at once', async () => {
  const failover = new Failover();
  using one = failover.member({ max: 1 });
  await one('a');
  one.clear();
  await one.flush();
  await one('a');
  failover.empty();
  await one('b');
  await one.flush();
  failover.loads = 0;
  expect(await failover.member()('b')).toBe('old');
  await one('a');
  await one.flush();
  await one('b');
  expect(failover.loads).toBe(1);
});
