import { expect, test, vi } from 'vitest';
import {
  InvalidArgumentError,
  RefCountedClosedError,
  RefCountedMap,
  RefCountedMapFullError,
} from '../../src/scope/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate, Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

/** A map that logs what is opened and closed. */
function logged(options: object = {}) {
  const log: string[] = [];
  const map = new RefCountedMap<string, { key: string; number: number }>(
    (key) => {
      log.push(`open ${key}`);
      return { key, number: log.length };
    },
    { dispose: ({ key }) => void log.push(`close ${key}`), ...options },
  );
  const useAll = async (...keys: string[]) => {
    for (const key of keys) void (await map.acquire(key)).release();
  };
  return { map, log, useAll };
}

test('callers of one key share one creation, and keys do not', async () => {
  allowLeaks();
  const gates = new Gates<string>();
  const map = new RefCountedMap<string, string>(() => gates.next());
  const [a1, a2, b] = [map.acquire('a'), map.acquire('a'), map.acquire('b')];
  expect([gates.arrived, map.size, map.has('a'), map.refs('a')]).toEqual([2, 2, true, 0]);
  gates.at(1).open('B');
  expect((await b).value).toBe('B');
  gates.at(0).open('A');
  const leases = await Promise.all([a1, a2]);
  expect([leases.map(({ value }) => value), map.refs('a'), [...map.keys()]]).toEqual([
    ['A', 'A'],
    2,
    ['a', 'b'],
  ]);
});

test('each key has an idle time of its own', async () => {
  const clock = new FakeClock();
  const { map, log, useAll } = logged({
    clock,
    idleMillis: (key: string) => (key === 'brief' ? 10 : 100),
  });
  await useAll('brief', 'long');
  await clock.advance(10);
  expect([log.at(-1), [...map.keys()]]).toEqual(['close brief', ['long']]);
  map.touch('long');
  await clock.advance(99);
  expect(map.has('long')).toBe(true);
  await clock.advance(1);
  expect([map.size, clock.pendingTimers]).toEqual([0, 0]);
});

test('an `idleMillis` that acquires the key shares its value: Effect-TS/effect#7515', async () => {
  let asked = 0;
  let early: ReturnType<typeof map.acquire> | undefined;
  const { map, log } = logged({
    idleMillis: (key: string) => {
      if (++asked === 1) early = map.acquire(key);
      return 0;
    },
  });
  {
    using lease = await map.acquire('a');
    using inner = await (early ?? map.acquire('a'));
    expect([inner.value === lease.value, map.refs('a'), log]).toEqual([true, 2, ['open a']]);
  }
  await map.idle();
  expect([map.size, log]).toEqual([0, ['open a', 'close a']]);
});

test('at capacity the value that has been idle for longest is evicted', async () => {
  const { map, log, useAll } = logged({ capacity: 2, idleMillis: Infinity });
  await useAll('a', 'b', 'a', 'c');
  expect(log).toEqual(['open a', 'open b', 'close b', 'open c']);
  map.touch('a');
  await useAll('d');
  expect(log.slice(4)).toEqual(['close c', 'open d']);
  await useAll('e');
  expect(log.slice(6)).toEqual(['close a', 'open e']);
});

test('a value in use is not evicted, and a new key beyond the capacity is refused', async () => {
  const { map, log } = logged({ capacity: 2, idleMillis: Infinity, name: 'tenants' });
  using a = await map.acquire('a');
  using _b = await map.acquire('b');
  await expect(map.acquire('c')).rejects.toThrow(RefCountedMapFullError);
  await expect(map.acquire('c')).rejects.toMatchObject({
    code: 'TENURE_REF_COUNTED_MAP_FULL',
    message: expect.stringMatching(/'tenants' is full: its `capacity` is 2/),
  });
  using again = await map.acquire('a');
  expect([again.value === a.value, map.has('c'), log]).toEqual([true, false, ['open a', 'open b']]);
});

test('a signal of a ponyfill, which has no `throwIfAborted`, and may give no reason, ends an acquire too', async () => {
  const { map, log } = logged();
  const ponyfill = (aborted: boolean): AbortSignal =>
    ({ aborted, addEventListener() {}, removeEventListener() {} }) as unknown as AbortSignal;
  using lease = await map.acquire('a', { signal: ponyfill(false) });
  expect([lease.value.key, map.refs('a')]).toEqual(['a', 1]);
  await expect(map.acquire('b', { signal: ponyfill(true) })).rejects.toThrow(
    expect.objectContaining({ name: 'AbortError' }),
  );
  expect(log).toEqual(['open a']);
});

test('callers that are refused, or leave before they come, evict nothing and leave no key behind', async () => {
  const { map, useAll } = logged({ capacity: 2, idleMillis: Infinity });
  const leases = [await map.acquire('a'), await map.acquire('b')];
  await expect(map.acquire('c')).rejects.toThrow(RefCountedMapFullError);
  for (const lease of leases) void lease.release();
  const signal = AbortSignal.abort(new Error('gone'));
  await expect(map.acquire('c', { signal })).rejects.toThrow('gone');
  expect([...map.keys()]).toEqual(['a', 'b']);
  await useAll('d', 'c');
  expect([...map.keys()]).toEqual(['d', 'c']); // In the order of the first `acquire` that was not refused.
  const used = [await map.acquire('c'), await map.acquire('d')];
  const closed = map.close();
  await expect(map.acquire('e')).rejects.toThrow(RefCountedClosedError);
  await expect(map.acquire('c')).rejects.toThrow(RefCountedClosedError);
  for (const lease of used) void lease.release();
  await closed;
});

test('the creation that evicts waits for the disposal, so no more values exist than may', async () => {
  allowLeaks();
  const disposals = new Gates();
  const opened: string[] = [];
  const map = new RefCountedMap<string, string>(
    (key) => {
      opened.push(key);
      return key;
    },
    { capacity: 1, idleMillis: Infinity, dispose: () => disposals.next() },
  );
  void (await map.acquire('a')).release();
  const b = map.acquire('b');
  await settle();
  expect([opened, [...map.keys()]]).toEqual([['a'], ['b']]);
  disposals.at(0).open();
  void (await b).release();
  const [again, refused] = [map.acquire('a'), map.acquire('c')];
  await expect(refused).rejects.toThrow(RefCountedMapFullError);
  disposals.at(1).open();
  expect((await again).value).toBe('a');
  expect(opened).toEqual(['a', 'b', 'a']);
});

test('a value that was invalidated while in use counts until it is disposed of', async () => {
  allowLeaks();
  const { map, log } = logged({ capacity: 1 });
  const old = await map.acquire('a');
  const invalidated = map.invalidate('a');
  const b = map.acquire('b');
  await settle();
  expect(log).toEqual(['open a']);
  void old.release();
  await invalidated;
  expect((await b).value.key).toBe('b');
});

test.each([0, 15, Infinity])(
  'a late release of an old value leaves its successor alone (Effect #7515), idleMillis %d',
  async (idleMillis) => {
    allowLeaks();
    const clock = new FakeClock();
    const { map, log } = logged({ idleMillis, clock, overlap: true });
    const old = await map.acquire('a');
    const invalidated = map.invalidate('a');
    const fresh = await map.acquire('a');
    void old.release();
    await invalidated;
    await clock.advance(1_000);
    expect([map.has('a'), map.refs('a'), log]).toEqual([true, 1, ['open a', 'open a', 'close a']]);
    using again = await map.acquire('a');
    expect(again.value).toBe(fresh.value);
  },
);

test('invalidate waits for the disposal of the value of its key, and rejects with its error', async () => {
  const gate = new Gate();
  const map = new RefCountedMap((key: string) => key, {
    dispose: (key) => (key === 'a' ? gate.passed : undefined),
  });
  const leases = await Promise.all([map.acquire('a'), map.acquire('b')]);
  let isDone = false;
  const invalidated = map.invalidate('a').finally(() => {
    isDone = true;
  });
  void leases[0].release();
  await settle();
  expect(isDone).toBe(false);
  gate.fail(new Error('would not close'));
  await expect(invalidated).rejects.toThrow('would not close');
  void leases[1].release();
  await map.close();
});

test('a timer of an old value leaves its successor alone', async () => {
  const clock = new FakeClock();
  const { map, log } = logged({ idleMillis: 15, clock });
  void (await map.acquire('a')).release();
  await clock.advance(10);
  await map.invalidate('a');
  using _fresh = await map.acquire('a');
  await clock.advance(1_000);
  expect(log).toEqual(['open a', 'close a', 'open a']);
});

test('an abort between the count and the creation leaves nothing behind (Effect #8390)', async () => {
  allowLeaks();
  const gates = new Gates<string>();
  const disposed: string[] = [];
  const map = new RefCountedMap<string, string>(() => gates.next(), {
    capacity: 1,
    dispose: (value) => void disposed.push(value),
  });
  const leaving = new AbortController();
  const left = map.acquire('a', { signal: leaving.signal });
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  expect([map.has('a'), map.size]).toEqual([false, 0]);
  const next = map.acquire('b');
  gates.at(0).open('late');
  gates.at(1).open('B');
  expect([(await next).value, disposed]).toEqual(['B', ['late']]);
});

test('a failed creation leaves nothing behind, and the next caller tries again', async () => {
  allowLeaks();
  const create = vi.fn((key: string) => {
    if (create.mock.calls.length < 3) throw new Error('down');
    return key;
  });
  const map = new RefCountedMap(create, { capacity: 1 });
  for (const key of ['a', 'b']) await expect(map.acquire(key)).rejects.toThrow('down');
  expect([map.size, [...map.keys()]]).toEqual([0, []]);
  expect((await map.acquire('a')).value).toBe('a');
});

test('a creation may acquire another key, and what it holds can be released in its disposal', async () => {
  const log: string[] = [];
  const map: RefCountedMap<string, { release(): unknown }> = new RefCountedMap(async (key) => {
    log.push(`open ${key}`);
    const parent = key === 'child' ? await map.acquire('parent') : undefined;
    return {
      release: () => parent?.release(),
      async [Symbol.asyncDispose]() {
        log.push(`close ${key}`);
        await parent?.release();
      },
    };
  });
  await using child = await map.acquire('child');
  expect(map.refs('parent')).toBe(1);
  await child[Symbol.asyncDispose]();
  expect(log).toEqual(['open child', 'open parent', 'close child', 'close parent']);
});

test('a creation may acquire another key that waits for the end of its former value', async () => {
  const map: RefCountedMap<string, string> = new RefCountedMap<string, string>(async (key) => {
    if (key === 'a') return key;
    await using a = await map.acquire('a');
    return `${key} of ${a.value}`;
  });
  const former = await map.acquire('a');
  const ended = map.invalidate('a');
  const waiting = map.acquire('b');
  await settle();
  void former.release();
  await using b = await waiting;
  expect(b.value).toBe('b of a');
  await ended;
});

test('close disposes of all values, refuses callers, and gathers the errors', async () => {
  const map = new RefCountedMap<string, string>((key) => key, {
    idleMillis: Infinity,
    dispose: (key) => Promise.reject(new Error(`close ${key} failed`)),
  });
  for (const key of ['a', 'b']) void (await map.acquire(key)).release();
  const error = await map[Symbol.asyncDispose]().catch((thrown: unknown) => thrown);
  expect((error as AggregateError).errors.map(String)).toEqual([
    'Error: close a failed',
    'Error: close b failed',
  ]);
  await expect(map.acquire('a')).rejects.toThrow(RefCountedClosedError);
  await expect(map.acquire('new')).rejects.toThrow(RefCountedClosedError);
  expect(map.size).toBe(0);
});

test('a `dispose` that `close` calls gets no lease on a key that was not closed yet', async () => {
  const refusals: unknown[] = [];
  const map: RefCountedMap<string, string> = new RefCountedMap((key) => key, {
    idleMillis: Infinity,
    dispose: async (key) => {
      if (key === 'a') refusals.push(await map.acquire('b').catch((error: unknown) => error));
    },
  });
  for (const key of ['a', 'b']) void (await map.acquire(key)).release();
  await map.close();
  expect(refusals).toEqual([expect.any(RefCountedClosedError)]);
});

test('a caller that leaves as the value comes leaves an idle value, which `idle` does not wait for and a new key evicts', async () => {
  const gate = new Gate<string>();
  const disposed: string[] = [];
  const map = new RefCountedMap<string, string>((key) => (key === 'a' ? gate.passed : key), {
    capacity: 1,
    idleMillis: Infinity,
    dispose: (value) => void disposed.push(value),
  });
  const leaving = new AbortController();
  const wait = map.acquire('a', { signal: leaving.signal });
  const idle = map.idle();
  await settle();
  void gate.passed.then(() => leaving.abort());
  gate.open('A');
  await expect(wait).rejects.toThrow('aborted');
  await idle;
  using lease = await map.acquire('b');
  expect([lease.value, disposed]).toEqual(['b', ['A']]);
});

test('idle resolves when no lease of any key is out', async () => {
  const { map } = logged({ idleMillis: Infinity });
  const [a, b] = [await map.acquire('a'), await map.acquire('b')];
  let isIdle = false;
  const idle = map.idle().then(() => {
    isIdle = true;
  });
  void a.release();
  await settle();
  expect(isIdle).toBe(false);
  void b.release();
  await idle;
});

test('functions of the user get a key of -0 as 0, as keys() gives it: WebKit/WebKit#47885', async () => {
  const keys: number[] = [];
  const note = (key: number): number => keys.push(key);
  await using map = new RefCountedMap(note, { idleMillis: note });
  using _lease = await map.acquire(-0);
  keys.push(...map.keys());
  expect(keys.map((key) => Object.is(key, 0))).toEqual([true, true, true]);
});

test('keys compare as in a Map, and an unknown key is no error', async () => {
  const { map } = logged({ idleMillis: Infinity });
  const numbers = new RefCountedMap((key: number) => ({ key }));
  using zero = await numbers.acquire(-0);
  using same = await numbers.acquire(0);
  expect(same.value).toBe(zero.value);
  map.touch('x');
  await map.invalidate('x');
  expect([map.has('x'), map.refs('x'), map.size]).toEqual([false, 0, 0]);
});

test('malformed options are refused, and a malformed idle time rejects', async () => {
  expect(() => new RefCountedMap(7 as never)).toThrow(InvalidArgumentError);
  expect(() => new RefCountedMap(() => 1, { capacity: 0 })).toThrow('`capacity`');
  expect(() => new RefCountedMap(() => 1, { idleMillis: 'x' as never })).toThrow('`idleMillis`');
  expect(() => new RefCountedMap(() => 1, { max: 1 } as never)).toThrow('unknown option `max`');
  const map = new RefCountedMap(() => 1, { idleMillis: () => -1 });
  await expect(map.acquire('a')).rejects.toThrow('`idleMillis(key)` must be');
  expect(map.size).toBe(0);
});

test('a `dispose` that awaits `close` of its map does not wait for itself, and waits for the values of other keys', async () => {
  const other = new Gates();
  const log: string[] = [];
  const map: RefCountedMap<string, string> = new RefCountedMap((key) => key, {
    async dispose(value) {
      await (value === 'a' ? map.close() : other.next());
      log.push(value);
    },
  });
  void (await map.acquire('b')).release();
  void (await map.acquire('a')).release();
  await settle();
  expect(log).toEqual([]);
  other.at(0).open();
  await map.close();
  expect(log).toEqual(['b', 'a']);
});

test('a caller whose value was invalidated before there was room gets it when the key that took its place is idle', async () => {
  const { map, log } = logged({ capacity: 1, idleMillis: Number.POSITIVE_INFINITY });
  const former = await map.acquire('b');
  const ends = [map.invalidate('b')];
  const waiting = map.acquire('a');
  ends.push(map.invalidate('a'));
  const next = map.acquire('b');
  void former.release();
  void (await next).release();
  void (await waiting).release();
  await Promise.all(ends);
  expect(log.toSorted()).toEqual(['close a', 'close b', 'close b', 'open a', 'open b', 'open b']);
  await map.idle();
  await map.close();
});

test('a creation that was invalidated before its turn came has an idle value evicted', async () => {
  const { map, log } = logged({ capacity: 2, idleMillis: Number.POSITIVE_INFINITY });
  const former = await map.acquire('a');
  const ends = [map.invalidate('a')];
  const waiting = map.acquire('a');
  ends.push(map.invalidate('a'));
  void (await map.acquire('idle')).release();
  // C takes the place of the former A at once.
  const c = await Promise.resolve(former.release()).then(() => map.acquire('c'));
  void (await waiting).release();
  expect(log).toContain('close idle');
  void c.release();
  await Promise.all(ends);
  await map.close();
});

test('creations that wait for room take it one by one', async () => {
  const { map, log } = logged({ capacity: 2, idleMillis: Number.POSITIVE_INFINITY });
  const former = await Promise.all([map.acquire('a'), map.acquire('b')]);
  const ends = [map.invalidate('a'), map.invalidate('b')];
  const [c, d] = [map.acquire('c'), map.acquire('d')];
  await former[0].release();
  await settle();
  expect(log).toEqual(['open a', 'open b', 'close a', 'open c']);
  await former[1].release();
  for (const lease of await Promise.all([c, d])) void lease.release();
  await Promise.all(ends);
  await map.close();
});

test('an idle value stays while values that leave make room for the creations that wait', async () => {
  const { map, log } = logged({ capacity: 2, idleMillis: Number.POSITIVE_INFINITY });
  // The creation of A is invalidated while it waits for the end of the former A.
  const former = await map.acquire('a');
  const ends = [map.invalidate('a')];
  const waiting = map.acquire('a');
  ends.push(map.invalidate('a'));
  void former.release();
  void (await waiting).release();
  await Promise.all(ends);

  void (await map.acquire('idle')).release();
  const leaving = await map.acquire('b');
  ends.push(map.invalidate('b'));
  const next = map.acquire('c');
  await settle();
  expect(map.has('idle')).toBe(true);
  void leaving.release();
  void (await next).release();
  expect([...map.keys()]).toEqual(['idle', 'c']);
  await Promise.all(ends);
  expect(log).not.toContain('close idle');
  await map.close();
});
