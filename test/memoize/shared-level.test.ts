import Keyv from 'keyv';
import { describe, expect, test, vi } from 'vitest';
import { type MemoizeOptions, memoize } from '../../src/memoize/index.js';
import { decodeArgs, encodeArgs } from '../../src/memoize/keys/encoded-args.js';
import { type SharedCache, type SharedStore, sharedCache } from '../../src/memoize/shared/index.js';
import { FailingClock } from '../kit/failing-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

/** Two caches of one function over one store, as two processes have them. */
function twoProcesses(options: Partial<MemoizeOptions<(id: number) => Promise<string>>> = {}) {
  const entries = new Map();
  const loads: number[] = [];
  const [one, other] = [0, 1].map(() =>
    memoize(
      async (id: number) => {
        loads.push(id);
        return `value ${id}, load ${loads.length}`;
      },
      {
        name: 'products',
        shared: sharedCache({ store: new Keyv({ store: entries }) }),
        ...options,
      },
    ),
  ) as [Process, Process];
  return { one, other, loads, entries };
}

type Process = ReturnType<typeof memoize<(id: number) => Promise<string>>>;

test('a result that one process has loaded is found by the other', async () => {
  const { one, other, loads } = twoProcesses();
  expect(await one(1)).toBe('value 1, load 1');
  await one.flush();
  expect(await other(1)).toBe('value 1, load 1');
  expect(await other(1)).toBe('value 1, load 1');
  expect(loads).toEqual([1]);
  expect(one.cacheInfo()).toMatchObject({ sharedHits: 0, sharedMisses: 1, sharedWrites: 1 });
  expect(other.cacheInfo()).toMatchObject({ sharedHits: 1, sharedMisses: 0, hits: 1 });
});

test.each([
  { what: 'its name', namespace: 'products', options: {} },
  { what: 'its prefix', namespace: 'shop', options: { prefix: 'shop:' } },
  { what: 'the start of a name in it', namespace: 'products:key', options: {} },
])(
  'a cache shares its results through a Keyv whose namespace is $what: jaredwray/keyv#1596',
  async ({ namespace, options }) => {
    const entries = new Map();
    const shared = (): SharedCache =>
      sharedCache({ ...options, store: new Keyv({ store: entries, namespace }) });
    const [one, other] = [shared(), shared()].map((shared) => twoProcesses({ shared }).one) as [
      Process,
      Process,
    ];
    expect(await one(1)).toBe('value 1, load 1');
    await one.flush();
    expect(await other(1)).toBe('value 1, load 1');
    expect(other.cacheInfo()).toMatchObject({ sharedHits: 1, loads: 0 });
    other.delete(1);
    expect(await other.flush()).toBe(true);
    one.clear();
    expect(await one(1)).toBe('value 1, load 2');
  },
);

test('a miss without tags costs the store four requests', async () => {
  const values = new Map<string, unknown>();
  const requests: string[] = [];
  const store = {
    get: async (name: string) => {
      requests.push('get');
      return values.get(name);
    },
    getMany: async (names: string[]) => {
      requests.push(`get ${names.length}`);
      return names.map((name) => values.get(name));
    },
    set: async (name: string, value: unknown) => {
      requests.push('set');
      values.set(name, value);
    },
    delete: async (name: string) => values.delete(name),
  };
  const fn = memoize(async (id: number) => id, {
    name: 'n',
    ttl: 1e6,
    shared: sharedCache({ store }),
  });
  await fn(1); // Makes the tokens of the cache.
  await fn.flush();
  requests.length = 0;
  await fn(2);
  await fn.flush();
  expect(requests).toEqual(['get 4', 'set', 'get 1', 'set']);
});

/** A store with names of at most 250 characters, as memcached has them. Each request and each answer takes some turns. */
function slowStore() {
  const values = new Map<string, unknown>();
  let asked = 0;
  const underway = async (): Promise<void> => {
    for (let turns = (++asked * 7) % 31; turns > 0; turns--) await Promise.resolve();
  };
  const request = async <T>(names: readonly string[], carryOut: () => T): Promise<T> => {
    await underway();
    if (names.some((name) => name.length > 250)) throw new Error('The name is too long.');
    const answer = carryOut();
    await underway();
    return answer;
  };
  return {
    get: (name: string) => request([name], () => values.get(name)),
    getMany: (names: string[]) => request(names, () => names.map((name) => values.get(name))),
    set: (name: string, value: unknown) => request([name], () => void values.set(name, value)),
    delete: (name: string) => request([name], () => values.delete(name)),
  };
}

test.each([
  { with: 'tags', tags: () => ['teas', 'drinks'] },
  { with: 'no tags', tags: () => [] },
])(
  'results that are loaded at one time into an empty store are all shared, with $with',
  async ({ tags }) => {
    const store = slowStore();
    let loads = 0;
    const member = () =>
      memoize(async (id: number) => `${id}, load ${++loads}`, {
        name: 'teas',
        ttl: 1e6,
        tags,
        shared: sharedCache({ store, clock: new FakeClock() }),
      });
    const [one, other] = [member(), member()];
    const ids = Array.from({ length: 300 }, (_, id) => id);
    const answers = await Promise.all(ids.map((id) => one(id)));
    expect(await one.flush()).toBe(true);
    expect(await Promise.all(ids.map((id) => other(id)))).toEqual(answers);
    expect(loads).toBe(ids.length);
  },
);

test('a long argument or tag makes no name that a store refuses: its digest is in the name', async () => {
  const store = slowStore();
  const [long, tag] = ['x'.repeat(300), 'y'.repeat(300)];
  let loads = 0;
  const member = () =>
    memoize(async (_: string) => ++loads, {
      name: 'teas',
      ttl: 1e6,
      tags: () => [tag],
      shared: sharedCache({ store, clock: new FakeClock(), prefix: `${'p'.repeat(100)}:` }),
    });
  const one = member();
  await one(long);
  await one.flush();
  expect([await member()(long), loads]).toEqual([1, 1]);
  one.delete(long);
  expect(await one.flush()).toBe(true);
  expect(await member()(long)).toBe(2);
  one.invalidateTags(tag);
  expect(await one.flush()).toBe(true);
  expect(await member()(long)).toBe(3);
});

test.each([
  {
    with: 'a lock',
    lock: { acquire: async () => ({ fence: 1, lost: false, release: async () => {} }) },
  },
  { with: 'no lock' },
])(
  'a value that the store cannot parse is a miss, and is replaced, with $with: OtterMind/Chat2DB#2828, OpenRailAssociation/osrd#12134',
  async ({ lock }) => {
    const texts = new Map<string, string>();
    const get = async (name: string): Promise<unknown> => {
      const text = texts.get(name);
      return text === undefined ? undefined : JSON.parse(text);
    };
    const store = {
      get,
      getMany: (names: string[]) => Promise.all(names.map(get)),
      set: async (name: string, value: unknown) => void texts.set(name, JSON.stringify(value)),
      delete: async (name: string) => texts.delete(name),
    };
    let loads = 0;
    const errors: unknown[] = [];
    const member = () =>
      memoize(async (id: string) => `${id}, load ${++loads}`, {
        name: 'teas',
        ttl: 1e6,
        onError: (error) => errors.push(error),
        shared: sharedCache({ store, ...(lock === undefined ? {} : { lock }) }),
      });
    const first = member();
    await first('assam');
    await first.flush();
    const spoilt = [...texts.keys()].filter((name) => /:(entry|key|cache):/.test(name));
    expect(spoilt).toHaveLength(3);
    for (const name of spoilt) texts.set(name, '{"value":');

    const second = member();
    expect(await second('assam')).toBe('assam, load 2');
    await second.flush();
    expect(second.cacheInfo().sharedRejects).toBeGreaterThanOrEqual(3);
    expect(errors).toHaveLength(1);
    expect(await member()('assam')).toBe('assam, load 2');
  },
);

test('processes with different `hashKeys` share nothing', async () => {
  const store = new Keyv();
  let loads = 0;
  for (const hashKeys of [true, false]) {
    const fn = memoize(async (_: string) => ++loads, {
      name: 'n',
      shared: sharedCache({ store, hashKeys }),
    });
    await fn('k');
    await fn.flush();
  }
  expect(loads).toBe(2);
});

test.each([undefined, null])(
  'a store that has nothing may answer %s, which is a miss and no reject',
  async (nothing) => {
    const values = new Map<string, unknown>();
    const store: SharedStore = {
      get: async (name) => values.get(name) ?? nothing,
      set: async (name, value) => values.set(name, value),
      delete: async (name) => values.delete(name),
    };
    const { one } = twoProcesses({ shared: sharedCache({ store }) });
    await one(1);
    expect(one.cacheInfo()).toMatchObject({ sharedMisses: 1, sharedRejects: 0 });
  },
);

test('undefined is a value, and is shared', async () => {
  const entries = new Map();
  let loads = 0;
  const nothing = () =>
    memoize(
      async (_id: number): Promise<undefined> => {
        loads++;
      },
      { name: 'nothing', shared: sharedCache({ store: new Keyv({ store: entries }) }) },
    );
  const [one, other] = [nothing(), nothing()];
  await one(1);
  await one.flush();
  expect([await other(1), loads]).toEqual([undefined, 1]);
});

test('after a delete by one process, the other loads again once its own entry is gone', async () => {
  const { one, other, loads } = twoProcesses();
  await one(1);
  await one.flush();
  one.delete(1);
  await one.flush();
  expect(await other(1)).toBe('value 1, load 2');
  expect(loads).toEqual([1, 1]);
});

test('a clear and an invalidation of tags apply to results that other processes have stored', async () => {
  const { one, other, loads } = twoProcesses({ tags: (_value, id) => [`shard ${id % 2}`] });
  for (const id of [1, 2]) await one(id);
  await one.flush();
  other.invalidateTags('shard 1');
  await other.flush();
  expect([await other(1), await other(2)]).toEqual(['value 1, load 3', 'value 2, load 2']);
  await other.flush();
  other.clear();
  await other.flush();
  expect(await other(2)).toBe('value 2, load 4');
  expect(loads).toEqual([1, 2, 1, 2]);
});

test('a value given to `set` is shared, a promise when it has settled', async () => {
  const { one, other, loads } = twoProcesses();
  one.set([1], Promise.resolve('promised'));
  expect(await one(1)).toBe('promised');
  await one.flush();
  expect(await other(1)).toBe('promised');
  one.set([2], 'given' as never);
  await one.flush();
  expect(await other(2)).toBe('given');
  expect(loads).toEqual([]);
});

test('a promise given to `set` is not shared after an invalidation, or if it rejects', async () => {
  const { one, other } = twoProcesses();
  const gate = new Gate<string>();
  one.set([1], gate.passed);
  one.delete(1);
  gate.open('too late');
  one.set([2], Promise.reject(new Error('failed')));
  await settle();
  await one.flush();
  expect([await other(1), await other(2)]).toEqual(['value 1, load 1', 'value 2, load 2']);
});

test('a store that fails never fails a call: the failure is counted and reported', async () => {
  const told: unknown[] = [];
  const down = new Error('the store is down');
  const fail = () => Promise.reject(down);
  const fn = memoize(async (id: number) => id * 2, {
    name: 'doubles',
    shared: sharedCache({ store: { get: fail, set: fail, delete: fail } }),
    onError: (error) => told.push(error),
  });
  expect([await fn(1), await fn(2), await fn(1)]).toEqual([2, 4, 2]);
  await fn.flush();
  expect(fn.cacheInfo().sharedErrors).toBeGreaterThan(0);
  expect(told.length).toBeGreaterThan(0);
  fn[Symbol.dispose]();
});

test('a call whose arguments cannot be encoded is not shared, which is reported once', async () => {
  const told: unknown[] = [];
  const fn = memoize(async (what: object | number) => typeof what, {
    name: 'kinds',
    shared: sharedCache({ store: new Keyv({ store: new Map() }) }),
    onError: (error) => told.push(error),
  });
  expect([await fn({}), await fn({}), await fn(1)]).toEqual(['object', 'object', 'number']);
  expect(told).toHaveLength(1);
});

test.each([
  [{ lock: { acquire: async () => undefined }, bus: { publish() {}, subscribe() {} } }, /`store`/],
  [{ store: {} }, /sharedCache: `store` must be an object with get\(\)/],
  [{ storeTimeout: 1 }, /unknown option `storeTimeout`.*storeTimeoutMillis/],
  [{}, /a `store`, a `bus` or both/],
])('a malformed option is refused: %#', (options, message) => {
  expect(() => sharedCache(options as never)).toThrow(message);
});

test('a shared cache needs a name', () => {
  const shared = sharedCache({ store: new Keyv() });
  expect(() => memoize(async () => 1, { shared })).toThrow(/`shared` needs a `name`/);
});

test.each([
  [{ store: new Keyv() }, /unknown option `store`/],
  [
    { shared: { store: new Keyv() } },
    /`shared` must be made by sharedCache\(\) of 'tenure\/memoize\/shared'/,
  ],
  [{ dispose: true }, /`dispose` must be made by disposal\(\) of 'tenure\/memoize\/disposal'/],
  [{ policy: 's3-fifo' }, /s3fifo\(\) of 'tenure\/memoize\/s3-fifo'/],
])('the error of an option whose part is missing says what to import: %#', (options, message) => {
  expect(() => memoize(async () => 1, options as never)).toThrow(message);
});

test('encoded arguments are distinct, and decoded ones equal the original', () => {
  const lists = [
    [1],
    ['1'],
    [1n],
    [Number.NaN],
    [null],
    [undefined],
    [],
    [''],
    [true],
    [[1]].flat(),
  ];
  const texts = lists.map((list) => encodeArgs(list));
  expect(new Set(texts).size).toBe(lists.length - 1);
  for (const [i, text] of texts.entries()) expect(decodeArgs(text as string)).toEqual(lists[i]);
  for (const arg of [{}, Symbol('s'), () => 1]) expect(encodeArgs([arg])).toBe(undefined);
  expect(encodeArgs([Number.POSITIVE_INFINITY])).not.toBe(encodeArgs([Number.NEGATIVE_INFINITY]));
});

/** Ends a cache while a load of it waits at `gate`. The load gives its result, and no request is added to `asked`. */
async function expectNothingAskedAfterEnd(
  fn: Disposable & ((id: number) => Promise<string>),
  gate: Gate,
  asked: readonly string[],
): Promise<void> {
  const called = fn(1);
  await settle();
  fn[Symbol.dispose]();
  const before = [...asked];
  gate.open();
  expect(await called).toBe('value 1');
  await settle();
  expect(asked).toEqual(before);
}

test.each([
  ['the tokens are read', 'get', 1],
  ['they are made', 'set', 1],
  ['they are read back', 'get', 2],
  ['the tokens are compared before the write', 'get', 3],
])('a cache that ends while %s asks the store nothing more for its load', async (_, held, nth) => {
  const entries = new Map<string, unknown>();
  const gate = new Gate();
  const asked: string[] = [];
  let left = nth;
  const answer = async <T>(request: string, give: () => T): Promise<T> => {
    asked.push(request);
    if (request === held && --left === 0) await gate.passed;
    return give();
  };
  const fn = memoize(async (id: number) => `value ${id}`, {
    name: 'products',
    shared: sharedCache({
      store: {
        get: (name) => answer('get', () => entries.get(name)),
        getMany: (names) => answer('get', () => names.map((name) => entries.get(name))),
        set: (name, value) => answer('set', () => entries.set(name, value).size > 0),
        delete: (name) => answer('delete', () => entries.delete(name)),
      },
    }),
  });
  await expectNothingAskedAfterEnd(fn, gate, asked);
});

test('a cache that ends while a load waits for its lock asks the store nothing more for it', async () => {
  const entries = new Map<string, unknown>();
  const gate = new Gate();
  const asked: string[] = [];
  const fn = memoize(async (id: number) => `value ${id}`, {
    name: 'products',
    shared: sharedCache({
      store: {
        get: async (name) => {
          asked.push(name);
          return entries.get(name);
        },
        set: async (name, value) => entries.set(name, value),
        delete: async (name) => entries.delete(name),
      },
      lock: {
        acquire: async () => {
          await gate.passed;
          return { fence: 1, lost: false, release: async () => {} };
        },
      },
    }),
  });
  await expectNothingAskedAfterEnd(fn, gate, asked);
});

test.each(['bus', 'store'])(
  'a %s that throws when it is left does not keep a cache from its end: davidyaha/graphql-redis-subscriptions#593',
  async (part) => {
    const told: unknown[] = [];
    const fail = (): never => {
      throw new Error('Connection is closed.');
    };
    const fn = memoize(async (id: number) => id, {
      name: 'products',
      onError: (error) => told.push(String(error)),
      shared: sharedCache({
        store: Object.assign(new Keyv({ store: new Map() }), part === 'store' ? { off: fail } : {}),
        bus: {
          publish: async () => {},
          subscribe: (listener) => {
            listener.connected(true);
            return { [Symbol.dispose]: part === 'bus' ? fail : () => {} };
          },
        },
      }),
    });
    await fn(1);
    fn[Symbol.dispose]();
    expect(told).toEqual(['Error: Connection is closed.']);
    expect(fn.cacheInfo().size).toBe(0);
  },
);

test('a store is listened to as long as one of its caches lives: an `error` event without a listener would throw', () => {
  const store = new Keyv({ store: new Map() });
  const told: string[] = [];
  const make = (name: string) =>
    memoize(async (id: number) => id, {
      name,
      onError: (error) => told.push(`${name}: ${error}`),
      shared: sharedCache({ store }),
    });
  const before = store.listeners('error').length;
  const [one, other] = [make('one'), make('other')];
  one[Symbol.dispose]();
  store.emit('error', new Error('lost'));
  expect(told).toEqual(['other: Error: lost']);
  other[Symbol.dispose]();
  expect(store.listeners('error')).toHaveLength(before);
});

test('a bus that cannot be joined makes no cache, and leaves no listener at the store', () => {
  const store = new Keyv({ store: new Map() });
  const fail = (): never => {
    throw new Error('no connection');
  };
  const make = () =>
    memoize(async (id: number) => id, {
      name: 'products',
      shared: sharedCache({ store, bus: { publish: async () => {}, subscribe: fail } }),
    });
  const before = store.listeners('error').length;
  expect(make).toThrow('no connection');
  expect(store.listeners('error')).toHaveLength(before);
});

test('results are shared under a lock without fencing tokens: redisson/redisson#4684', async () => {
  for (const fence of [undefined, Number.NaN]) {
    const shared = (store: Keyv) =>
      sharedCache({
        store,
        lock: { acquire: async () => ({ fence, lost: false, release: async () => {} }) as never },
      });
    const entries = new Map();
    const [one, other] = [0, 1].map(
      () => twoProcesses({ shared: shared(new Keyv({ store: entries })) }).one,
    ) as [Process, Process];
    await one(1);
    await one.flush();
    expect(await other(1)).toBe('value 1, load 1');
    expect(other.cacheInfo().sharedHits).toBe(1);
  }
});

describe('an invalidation', () => {
  /** A cache over a store whose writes of tokens pass when they may. */
  function overStore() {
    const entries = new Map<string, unknown>();
    const clock = new FakeClock();
    const gate = new Gate();
    const state = { refuses: false, holds: false };
    const messages: string[] = [];
    const fn = memoize(async (id: number) => `value ${id}`, {
      name: 'products',
      onError: () => {},
      shared: sharedCache({
        clock,
        store: {
          get: async (name) => entries.get(name),
          set: async (name, value) => {
            if (state.holds) await gate.passed;
            if (!state.refuses) entries.set(name, value);
          },
          delete: async (name) => entries.delete(name),
        },
        bus: {
          publish: async (text) => void messages.push(text),
          subscribe: (listener) => {
            listener.connected(true);
            return { [Symbol.dispose]: () => {} };
          },
        },
      }),
    });
    const token = (): unknown => entries.get('products:key:{[1]}');
    return { fn, clock, gate, state, messages, token };
  }

  test('that is on its way when its cache is disposed of goes on', async () => {
    const { fn, gate, state, messages, token } = overStore();
    state.holds = true;
    fn.delete(1);
    await settle();
    fn[Symbol.dispose]();
    expect(token()).toBe(undefined);
    gate.open();
    await settle();
    expect(token()).toEqual(expect.any(String));
    expect(messages).toHaveLength(1);
  });

  test('of a cache that was disposed of is carried out', async () => {
    const { fn, messages, token } = overStore();
    fn[Symbol.dispose]();
    fn.delete(1);
    expect(await fn.flush()).toBe(true);
    expect(token()).toEqual(expect.any(String));
    expect(messages).toHaveLength(1);
  });

  test('that was refused is tried by `flush()` before the end of its cache, and not afterwards', async () => {
    const { fn, clock, state, token } = overStore();
    state.refuses = true;
    fn.delete(1);
    expect(await fn.flush()).toBe(false);
    state.refuses = false;
    expect(await fn.flush()).toBe(true);
    const stored = token();
    expect(stored).toEqual(expect.any(String));
    state.refuses = true;
    fn.delete(1);
    expect(await fn.flush()).toBe(false);
    fn[Symbol.dispose]();
    state.refuses = false;
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(60_000);
    expect(token()).toBe(stored);
  });
});

test('a clock that throws costs no call, and no invalidation', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  const entries = new Map();
  const { one, other } = twoProcesses({
    shared: sharedCache({ store: new Keyv({ store: entries }), clock }),
  });
  clock.failsToClear = true;
  expect(await one(1)).toBe('value 1, load 1');
  await one.flush();
  clock.fails = true;
  expect(await other(1)).toBe('value 1, load 1');
  one.delete(1);
  await one.flush();
  expect(await one(1)).toBe('value 1, load 2');
  printed.mockRestore();
});
