/**
 * Calls with a signal. In lru-cache the first caller's signal rejects all callers, and the signals of the others are
 * ignored.
 */
import { describe, expect, test } from 'vitest';
import { memoize } from '../../src/memoize/index.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { untilCollected } from '../kit/until-collected.js';

function loader(options: object = {}) {
  const gates = new Gates<string>();
  const signals: AbortSignal[] = [];
  const fn = memoize((_: string): Promise<string> => gates.next(), {
    ...options,
    load: ({ signal, args }) => {
      signals.push(signal);
      const passed = gates.next().then((value) => `${value} of ${args[0]}`);
      return Promise.race([
        passed,
        new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason));
        }),
      ]);
    },
  });
  return { fn, gates, signals };
}

test('a caller whose signal takes no listener leaves, and its load is aborted', async () => {
  const { fn, signals } = loader();
  const { signal } = new AbortController();
  signal.addEventListener = () => {
    throw new Error('no listener');
  };
  await expect(fn.call(['k'], { signal })).rejects.toThrow('no listener');
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});

describe('an abort by a caller', () => {
  test('rejects that caller alone, first or last: isaacs/node-lru-cache fetch, nodejs/undici#5711, moka-rs/moka#59', async () => {
    const { fn, gates, signals } = loader();
    const [first, joiner] = [new AbortController(), new AbortController()];
    const leaving = fn.call(['k'], { signal: first.signal });
    const staying = fn('k');
    const another = fn.call(['k'], { signal: joiner.signal });
    first.abort(new Error('first left'));
    await expect(leaving).rejects.toThrow('first left');
    joiner.abort(new Error('joiner left'));
    await expect(another).rejects.toThrow('joiner left');
    expect(signals[0]?.aborted).toBe(false);
    gates.at(0).open('value');
    expect(await staying).toBe('value of k');
    expect(await fn('k')).toBe('value of k');
    expect(gates.arrived).toBe(1);
  });

  test('aborts the load when no other caller waits, with the reason of the last caller', async () => {
    const { fn, gates, signals } = loader();
    const callers = [new AbortController(), new AbortController()];
    const calls = callers.map(({ signal }) => fn.call(['k'], { signal }));
    callers[0]?.abort(new Error('one'));
    expect(signals[0]?.aborted).toBe(false);
    callers[1]?.abort(new Error('two'));
    expect(signals[0]?.reason).toEqual(new Error('two'));
    expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
    ]);
    expect(fn.cacheInfo().inFlight).toBe(0);
    const next = fn('k');
    gates.at(1).open('anew');
    expect(await next).toBe('anew of k');
    expect(signals).toHaveLength(2);
  });

  test('leaves the load running if the loader never read its signal; the result is kept', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next());
    const caller = new AbortController();
    const leaving = fn.call(['k'], { signal: caller.signal });
    caller.abort();
    await expect(leaving).rejects.toThrow('aborted');
    expect(fn.cacheInfo().inFlight).toBe(1);
    gates.at(0).open('kept');
    await settle();
    expect(await fn('k')).toBe('kept');
    expect(gates.arrived).toBe(1);
  });

  test('before the call begins no load and does not hang: nodejs/undici#5673', async () => {
    const { fn, gates } = loader();
    const signal = AbortSignal.abort(new Error('gone'));
    await expect(fn.call(['k'], { signal })).rejects.toThrow('gone');
    expect(gates.arrived).toBe(0);
    const running = fn('k');
    await expect(fn.call(['k'], { signal })).rejects.toThrow('gone');
    gates.at(0).open('v');
    await running;
    await expect(fn.call(['k'], { signal })).rejects.toThrow('gone');
    expect(fn.cacheInfo()).toMatchObject({ misses: 1, hits: 0, joins: 0 });
  });

  test('may call the cache in an abort listener, which begins a new load', async () => {
    const again: Promise<string>[] = [];
    let runs = 0;
    const fn = memoize((key: string): Promise<string> => Promise.resolve(key), {
      load: ({ signal }) => {
        if (++runs > 1) return Promise.resolve('second');
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            again.push(fn('k'));
            reject(signal.reason);
          });
        });
      },
    });
    const caller = new AbortController();
    const leaving = fn.call(['k'], { signal: caller.signal });
    caller.abort();
    await expect(leaving).rejects.toThrow();
    expect(await Promise.all(again)).toEqual(['second']);
    expect(await fn('k')).toBe('second');
    expect(runs).toBe(2);
  });

  test('from within the function rejects the caller', async () => {
    const caller = new AbortController();
    const fn = memoize(async (id: number) => {
      caller.abort(new Error('enough'));
      return id;
    });
    await expect(fn.call([1], { signal: caller.signal })).rejects.toThrow('enough');
    expect(await fn(1)).toBe(1);
  });

  test('does not affect the load of callers that come afterwards', async () => {
    const { fn, gates, signals } = loader();
    const caller = new AbortController();
    const leaving = fn.call(['k'], { signal: caller.signal });
    caller.abort();
    const fresh = fn('k');
    await expect(leaving).rejects.toThrow();
    gates.at(1).open('fresh');
    expect(await fresh).toBe('fresh of k');
    expect(signals[1]?.aborted).toBe(false);
  });

  test('leaves no listener on a signal that is used further', async () => {
    const { fn, gates } = loader();
    const { signal } = new AbortController();
    const listeners = new Set<unknown>();
    const spied = new Proxy(signal, {
      get(target, name) {
        if (name === 'addEventListener') return (_: string, l: unknown) => listeners.add(l);
        if (name === 'removeEventListener') return (_: string, l: unknown) => listeners.delete(l);
        return Reflect.get(target, name, target);
      },
    });
    const waiting = fn.call(['k'], { signal: spied });
    expect(listeners.size).toBe(1);
    gates.at(0).open('v');
    await waiting;
    expect(listeners.size).toBe(0);
    const failing = fn.call(['bad'], { signal: spied });
    gates.at(1).fail(new Error('down'));
    await expect(failing).rejects.toThrow('down');
    expect(listeners.size).toBe(0);
  });

  test('during a revalidation does not abort the load, which the cache still wants', async () => {
    let now = 0;
    const { fn, gates, signals } = loader({
      ttl: 10,
      staleWhileRevalidate: 10,
      clock: { now: () => now },
    });
    gates.at(0).open('old');
    await fn('k');
    now = 15;
    const caller = new AbortController();
    expect(await fn.call(['k'], { signal: caller.signal })).toBe('old of k');
    now = 20;
    const joined = fn.call(['k'], { signal: caller.signal });
    caller.abort();
    await expect(joined).rejects.toThrow();
    expect(signals[1]?.aborted).toBe(false);
    fn.delete('k');
    expect(signals[1]?.aborted).toBe(true); // Neither the cache nor a caller wants it any more.
  });

  test('by `clear`: a loader that calls the cache then finds it cleared', async () => {
    let now = 0;
    const found: unknown[] = [];
    const errors: unknown[] = [];
    const fn = memoize((key: string): Promise<string> => Promise.resolve(key), {
      onError: (error) => errors.push(error),
      load: ({ args: [key], signal, stale }) => {
        if (stale === undefined) return Promise.resolve(key);
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            found.push(fn.has('other'), fn.peek('other'));
            reject(signal.reason);
          });
        });
      },
      ttl: 10,
      staleWhileRevalidate: 10,
      clock: { now: () => now },
    });
    await fn('k');
    now = 15;
    await fn('other');
    await fn('k'); // Stale: this begins a load in the background, for which no caller waits.
    expect(fn.cacheInfo().inFlight).toBe(1);
    fn.clear();
    expect(found).toEqual([false, undefined]);
    await settle();
    expect(errors).toEqual([]); // The cache aborted the load on purpose.
  });

  test('of a load in the background aborts it when a forced load takes its place: no caller waits', async () => {
    let now = 0;
    const [signals, gates] = [[] as AbortSignal[], new Gates<string>()];
    const fn = memoize((_: string) => Promise.resolve(''), {
      load: ({ signal }) => {
        signals.push(signal);
        return gates.next();
      },
      refreshAfter: 10,
      clock: { now: () => now },
    });
    gates.at(0).open('old');
    await fn('k');
    now = 15;
    await fn('k');
    const forced = fn.refresh('k');
    await settle();
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true, false]);
    gates.at(1).open('of the aborted load');
    await settle();
    expect(await fn('k')).toBe('old');
    gates.at(2).open('new');
    expect(await forced).toBe('new');
  });

  test('of an invalidated load aborts that load, and not the newer one', async () => {
    const { fn, gates, signals } = loader();
    const caller = new AbortController();
    const leaving = fn.call(['k'], { signal: caller.signal });
    fn.clear();
    const fresh = fn('k');
    expect(signals[0]?.aborted).toBe(false);
    caller.abort();
    await expect(leaving).rejects.toThrow();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    expect(fn('k')).toBe(fresh);
    gates.at(1).open('fresh');
    expect(await fresh).toBe('fresh of k');
    expect(fn.has('k')).toBe(true);
  });
});

describe('call', () => {
  test('a synchronous function returns its result, and an aborted signal throws its reason', () => {
    const fn = memoize((a: number, b: number) => a + b);
    const { signal } = new AbortController();
    expect([fn.call([1, 2]), fn.call([1, 2], { signal }), fn(1, 2)]).toEqual([3, 3, 3]);
    expect(() => fn.call([1, 2], { signal: AbortSignal.abort(new Error('gone')) })).toThrow('gone');
    expect(fn.cacheInfo()).toMatchObject({ misses: 1, hits: 2 });
  });

  test('refuses arguments that are not an array, and says how to pass a receiver', () => {
    const fn = memoize(function (this: { by: number } | undefined, x: number) {
      return x * (this?.by ?? 1);
    });
    for (const args of [{ by: 3 }, undefined, null, 'ab', 2, new Set([2])]) {
      expect(() => fn.call(args as never)).toThrow(/call: `args` must be an array.*Reflect\.apply/);
      expect(() => fn.set(args as never, 1)).toThrow('set: `args` must be an array');
    }
    expect(fn.cacheInfo()).toMatchObject({ misses: 0, size: 0 });
    expect(Reflect.apply(fn, { by: 3 }, [2])).toBe(6);
    expect(fn.apply({ by: 4 }, [2])).toBe(8);
    const owner = { by: 5, fn };
    expect(Reflect.apply(owner.fn.call, owner, [[2]])).toBe(10);
  });

  test('refuses unknown and malformed options', () => {
    const fn = memoize((x: number) => x);
    expect(() => fn.call([1], { sginal: 1 } as never)).toThrow('call: unknown option `sginal`');
    expect(() => fn.call([1], { signal: 'x' } as never)).toThrow('`signal` must be an AbortSignal');
  });

  test('on a disposed cache calls the function, and rejects a caller whose signal aborts', async () => {
    const { fn } = (() => {
      const gates = new Gates<string>();
      return { fn: memoize((_: string) => gates.next()) };
    })();
    fn[Symbol.dispose]();
    const caller = new AbortController();
    const leaving = fn.call(['k'], { signal: caller.signal });
    caller.abort(new Error('left'));
    await expect(leaving).rejects.toThrow('left');
  });
});

describe('refresh and forceRefresh', () => {
  test('begin a load, let others join it, and serve the old value in the meantime', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next());
    gates.at(0).open('old');
    await fn('k');
    const refreshed = [fn.refresh('k'), fn.call(['k'], { forceRefresh: true })];
    expect(await fn('k')).toBe('old');
    gates.at(1).open('new');
    expect(await Promise.all(refreshed)).toEqual(['new', 'new']);
    expect(await fn('k')).toBe('new');
    expect(gates.arrived).toBe(2);
    expect(fn.cacheInfo()).toMatchObject({ misses: 2, joins: 1, hits: 2 });
  });

  test('a refresh that fails keeps the stored result', async () => {
    const gates = new Gates<string>();
    const fn = memoize((_: string) => gates.next());
    gates.at(0).open('old');
    await fn('k');
    gates.at(1).fail(new Error('down'));
    await expect(fn.refresh('k')).rejects.toThrow('down');
    expect(await fn('k')).toBe('old');
  });

  test('work for a synchronous function too', () => {
    let runs = 0;
    const fn = memoize((_: string) => {
      if (++runs === 3) throw new Error('down');
      return runs;
    });
    expect([fn('k'), fn.refresh('k'), fn('k')]).toEqual([1, 2, 2]);
    expect(() => fn.refresh('k')).toThrow('down');
    expect(fn('k')).toBe(2);
  });
});

describe('the load option', () => {
  test('gets the arguments, `this` and the stale result, and may set ttl and tags', async () => {
    let now = 0;
    const seen: unknown[] = [];
    const fn = memoize(
      function (this: unknown, a: number, _b: string): Promise<number> {
        return Promise.resolve(a);
      },
      {
        clock: { now: () => now },
        async load(context) {
          seen.push([context.args, context.stale]);
          context.ttl = 10 * context.args[0];
          context.tags = ['all'];
          return (context.stale ?? 0) + 1;
        },
      },
    );
    expect(await fn(1, 'x')).toBe(1);
    now = 9;
    expect(await fn(1, 'x')).toBe(1);
    expect(await fn.refresh(1, 'x')).toBe(2);
    expect(seen).toEqual([
      [[1, 'x'], undefined],
      [[1, 'x'], 1],
    ]);
    now = 19;
    expect(fn.has(1, 'x')).toBe(false);
    await fn(1, 'x');
    expect(seen.at(-1), 'expired').toEqual([[1, 'x'], undefined]);
    now = 29;
    await fn(2, 'y');
    expect(fn.invalidateTags('all')).toBe(1);
  });

  test('makes its signal only when the loader reads it', async () => {
    let made = 0;
    const { AbortController } = globalThis;
    globalThis.AbortController = class extends AbortController {
      constructor() {
        super();
        made++;
      }
    };
    try {
      const fn = memoize(async (id: number) => id, {
        load: async (context) => (context.args[0] === 1 ? 1 : Number(context.signal.aborted)),
      });
      await fn(1);
      expect(made).toBe(0);
      await fn(2);
      expect(made).toBe(1);
    } finally {
      globalThis.AbortController = AbortController;
    }
  });
});

test('a load that has not taken its signal goes on for later callers when its caller leaves', async () => {
  const gates = new Gates<string>();
  const fn = memoize((_: string) => gates.next(), { load: () => gates.next() });
  const caller = new AbortController();
  const leaving = fn.call(['k'], { signal: caller.signal });
  caller.abort(new Error('left'));
  await expect(leaving).rejects.toThrow('left');
  const later = fn('k');
  gates.at(0).open('value');
  expect([await later, gates.arrived]).toEqual(['value', 1]);
});

test('a load has one signal, however often it asks', async () => {
  const fn = memoize(async (_: string): Promise<boolean> => false, {
    load: async (context) => {
      const first = context.signal;
      return first === context.signal;
    },
  });
  expect(await fn('k')).toBe(true);
});

test('a load that hangs keeps nothing of the callers that have left', async () => {
  const fn = memoize((_: string) => new Promise<string>(() => {}));
  const call = async (caller: number): Promise<WeakRef<Error>> => {
    const controller = new AbortController();
    const reason = new Error(`caller ${caller} has left`);
    const result = fn.call(['a'], { signal: controller.signal });
    controller.abort(reason);
    const outcome = await result.catch((error: unknown) => error === reason); // `expect` would keep the reason.
    expect(outcome).toBe(true);
    return new WeakRef(reason);
  };
  const reasons = await Promise.all(Array.from({ length: 20 }, (_, caller) => call(caller)));
  await untilCollected(...reasons);
  expect(fn.cacheInfo()).toMatchObject({ inFlight: 1, misses: 1 });
});

test('a load that was given up and never settles does not keep its key', async () => {
  const fn = memoize(async (_tenant: symbol, _id: number) => 1, {
    load: ({ signal }) => new Promise<number>(() => void signal.aborted),
  });
  const call = async (id: number): Promise<WeakRef<WeakKey>> => {
    const tenant = Symbol(`tenant ${id}`);
    const controller = new AbortController();
    const outcome = fn.call([tenant, id], { signal: controller.signal }).catch(() => 'left');
    controller.abort();
    expect(await outcome).toBe('left');
    return new WeakRef(tenant as unknown as WeakKey);
  };
  const tenants = await Promise.all(Array.from({ length: 20 }, (_, id) => call(id)));
  await untilCollected(...tenants);
  expect(fn.cacheInfo()).toMatchObject({ inFlight: 0, misses: 20 });
});

test('a load that was given up and settles later leaves the entry of its key alone', async () => {
  const gates = new Gates<string>();
  const fn = memoize(async (_tenant: string, _id: number) => '', {
    load: ({ signal }) => {
      void signal;
      return gates.next();
    },
  });
  const controller = new AbortController();
  const left = fn.call(['a', 1], { signal: controller.signal });
  fn.set(['a', 1], Promise.resolve('set'));
  await settle();
  controller.abort(new Error('left'));
  await expect(left).rejects.toThrow('left');
  gates.at(0).open('late');
  await settle();
  expect(await fn('a', 1)).toBe('set');
  expect(gates.arrived).toBe(1);
});
