/** A call that joins a load in flight while its process is not told of invalidations by others. */
import { describe, expect, test } from 'vitest';
import { disposal } from '../../src/memoize/disposal/index.js';
import { type MemoizeOptions, memoize } from '../../src/memoize/index.js';
import { type SharedStore, sharedCache } from '../../src/memoize/shared/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { waitOf } from '../kit/wait-of.js';
import { MemoryBus } from './memory-bus.js';

type Fn = (id: string) => Promise<string>;

/** Two processes over one store. Each load ends with the value of the source from when it began. */
class Processes implements Disposable {
  readonly gates = new Gates();
  readonly bus = new MemoryBus();
  readonly clock = new FakeClock();
  readonly values = new Map<string, unknown>();
  source = 'old';
  loads = 0;
  reads = 0;
  answers = true;
  readonly one;
  readonly other;

  constructor(options: Partial<MemoizeOptions<Fn>> = {}) {
    const store: SharedStore = {
      get: (name) => this.#read(() => this.values.get(name)),
      getMany: (names) => this.#read(() => names.map((name) => this.values.get(name))),
      set: async (name, value) => this.values.set(name, value),
      delete: async (name) => this.values.delete(name),
    };
    const process = (bus: MemoryBus) =>
      memoize<Fn>(() => this.#load(), {
        name: 'value',
        tags: () => ['tag'],
        onError: () => {},
        clock: this.clock,
        shared: sharedCache({ store, bus, clock: this.clock, storeTimeoutMillis: 1_000 }),
        ...options,
      });
    this.one = process(this.bus);
    this.other = process(new MemoryBus());
  }

  /** Begins a load of the first process. */
  async begin(): Promise<{ readonly first: Promise<string> }> {
    const first = this.one('a');
    await settle();
    expect(this.loads).toBe(1);
    return { first };
  }

  /** Changes the source, and has the second process invalidate the old result. */
  async change(invalidate: (process: Processes['other']) => void): Promise<void> {
    this.source = 'new';
    invalidate(this.other);
    expect(await this.other.flush()).toBe(true);
  }

  async #load(): Promise<string> {
    this.loads++;
    const { source } = this;
    await this.gates.next();
    return source;
  }

  async #read<T>(answer: () => T): Promise<T> {
    this.reads++;
    if (!this.answers) await new Promise(() => {});
    return answer();
  }

  [Symbol.dispose](): void {
    this.one[Symbol.dispose]();
    this.other[Symbol.dispose]();
  }
}

const INVALIDATIONS = [
  { how: 'delete', invalidate: (process: Processes['other']) => void process.delete('a') },
  { how: 'clear', invalidate: (process: Processes['other']) => process.clear() },
  {
    how: 'invalidateTags',
    invalidate: (process: Processes['other']) => void process.invalidateTags('tag'),
  },
] as const;

/** A connection that is established or lost, or messages that are. */
type BusEvent = boolean | 'missed';

const CONNECTIONS: readonly {
  when: string;
  before: readonly boolean[];
  during: readonly BusEvent[];
}[] = [
  { when: 'disconnected before the load', before: [false], during: [] },
  { when: 'disconnected during the load', before: [], during: [false] },
  { when: 'connected again during the load', before: [false], during: [true] },
  { when: 'not connected for a moment during the load', before: [], during: [false, true] },
  { when: 'without some messages during the load', before: [], during: ['missed'] },
];

describe.each(CONNECTIONS)('a call that joins a load, $when', ({ before, during }) => {
  test.each(INVALIDATIONS)(
    'gets no result from before an invalidation by another process: $how',
    async ({ invalidate }) => {
      using processes = new Processes();
      const { one, bus, gates } = processes;
      for (const state of before) bus.connect(state);
      const { first } = await processes.begin();
      await processes.change(invalidate);
      for (const event of during) {
        if (event === 'missed') bus.miss();
        else bus.connect(event);
      }
      const joined = [one('a'), one('a')];
      gates.at(0).open();
      gates.at(1).open();
      expect(await first).toBe('old');
      expect(await Promise.all(joined)).toEqual(['new', 'new']);
      expect(processes.loads, 'they share one new load').toBe(2);
    },
  );
});

describe('calls that join a load while the bus is disconnected', () => {
  test('get its result if no invalidation concerns it, for one look at the store', async () => {
    using processes = new Processes({ tags: () => [] });
    const { one, bus, gates } = processes;
    bus.connect(false);
    const { first } = await processes.begin();
    await processes.change((process) => {
      process.delete('b');
      process.invalidateTags('tag');
    });
    const joined = Array.from({ length: 100 }, () => one('a'));
    const { reads } = processes;
    gates.at(0).open();
    expect(new Set(await Promise.all([first, ...joined]))).toEqual(new Set(['old']));
    expect([processes.loads, processes.reads - reads]).toEqual([1, 1]);
  });

  test('get its result if the store gives no answer in what is left of `storeTimeoutMillis`', async () => {
    using processes = new Processes({ tags: () => [] });
    const { one, bus, gates, clock } = processes;
    bus.connect(false);
    await processes.begin();
    const joined = one('a');
    processes.answers = false;
    gates.at(0).open();
    expect(await waitOf(clock, joined)).toBeLessThanOrEqual(1_001);
    expect([await joined, processes.loads]).toEqual(['old', 1]);
  });

  test('get the stale result at the soft limit of the load', async () => {
    using processes = new Processes({
      ttl: 1_000,
      loadTimeoutMillis: { soft: 100 },
      staleIfError: 60_000,
    });
    const { one, bus, gates, clock } = processes;
    gates.at(0).open();
    await one('a');
    await one.flush();
    bus.connect(false);
    await clock.advance(1_000);
    processes.values.clear();
    const first = one('a');
    await settle();
    const joined = one('a');
    processes.source = 'new';
    expect(await waitOf(clock, joined)).toBeLessThanOrEqual(101);
    expect([await joined, processes.loads]).toEqual(['old', 2]);
    gates.at(1).open();
    expect(await first).toBe('old');
  });

  test('get no lease on a result from before an invalidation', async () => {
    using processes = new Processes({ dispose: disposal() });
    const { one, bus, gates } = processes;
    bus.connect(false);
    const { first } = await processes.begin();
    await processes.change((process) => void process.delete('a'));
    const joined = one.lease('a');
    gates.at(0).open();
    gates.at(1).open();
    expect(await first).toBe('old');
    await using lease = await joined;
    expect(lease.value).toBe('new');
  });
});
