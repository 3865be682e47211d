import { expect, test } from 'vitest';
import { allowLeaks } from '../../src/testing/index.js';
import {
  type BufferLease,
  BufferPool,
  type MemoryView,
  memoryview,
  observe,
  ViewExportedError,
  ViewReleasedError,
} from '../../src/view/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { Gate } from '../kit/gate.js';
import { lineOf } from '../kit/line-of.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { thrownBy } from '../kit/thrown-by.js';

const HERE = 'test/view/buffer-lease.test.ts';

/** A source of one byte that calls `read` when a property of it is read. */
function byteWith(property: PropertyKey, value: unknown, read: () => void): Uint8Array {
  const get = (): unknown => {
    read();
    return value;
  };
  return Object.defineProperty(new Uint8Array([9]), property, { get });
}

function setByte(property: PropertyKey, value: unknown): Change {
  return ({ view }, end) => {
    const bytes = view.cast('c');
    const byte = byteWith(property, value, () => end(bytes));
    bytes.set(0, byte);
  };
}

type Change = (lease: BufferLease, end: (view: MemoryView) => void) => void;

test.each<[what: string, change: Change]>([
  ['the items of a byte', setByte(Symbol.iterator, () => [9].values())],
  ['the length of a byte', setByte('length', 1)],
  ['the type of a byte', setByte(Symbol.toStringTag, 'Uint8Array')],
  [
    'an index',
    ({ view }, end) => {
      const grid = view.cast('B', [2, 2]);
      const get = (index: number[], name: PropertyKey): unknown => {
        end(grid);
        return Reflect.get(index, name);
      };
      grid.set(new Proxy([0, 0], { get }), 9);
    },
  ],
  [
    'the place of a source',
    ({ view }, end) => {
      const bytes = view.slice(0, 1);
      const source = byteWith('byteLength', 1, () => end(bytes));
      bytes.assign(source);
    },
  ],
])(
  'a getter of %s that ends the lease changes no byte of the next holder: python/cpython#92888',
  (_, change) => {
    allowLeaks();
    const pool = new BufferPool();
    const lease = pool.lease(4);
    lease.bytes.fill(0);
    const next: BufferLease[] = [];
    const end = (view: MemoryView): void => {
      if (next.length > 0) return;
      view.release();
      lease.release();
      next.push(pool.lease(4));
    };
    try {
      change(lease, end);
    } catch {
      // It may throw: the view is released.
    }
    for (const { bytes } of next) expect([...bytes]).toEqual([0, 0, 0, 0]);
  },
);

test('use after release throws, and names where the lease was taken and released', () => {
  const pool = new BufferPool({ name: 'frames' });
  const lease = pool.lease(100); // taken here
  const view = lease.view;
  lease.release(); // released here
  const next = pool.lease(100);
  for (const use of [() => lease.bytes, () => lease.view]) {
    const { message, code } = thrownBy<ViewReleasedError>(use);
    expect(code).toBe('TENURE_VIEW_RELEASED');
    expect(message).toContain(`taken at ${HERE}:${lineOf(import.meta.url, '// taken here')}:`);
    expect(message).toContain(`release at ${HERE}:${lineOf(import.meta.url, '// released here')}:`);
  }
  expect(() => view.set(0, 1)).toThrow(ViewReleasedError);
  expect(() => memoryview(view)).toThrow(ViewReleasedError);
  expect(next.bytes[0]).toBe(0);
  next.release();
  pool.trim();
});

test.each(['release', Symbol.dispose] as const)(
  'the method %s that is called without its lease says how to pass it',
  (method) => {
    using pool = new BufferPool();
    using lease = pool.lease(8);
    const detached = lease[method];
    expect(() => detached.call(undefined as never)).toThrow(
      'Pass a function that calls it: `() => lease.release()`',
    );
    expect(lease.bytes).toHaveLength(8);
  },
);

test('a second release throws, and names all three lines', () => {
  const pool = new BufferPool({ name: 'frames' });
  const lease = pool.lease(5_000); // leased once
  lease.release(); // ended once
  const { message, code } = thrownBy<ViewReleasedError>(() => lease.release()); // ended twice
  expect(code).toBe('TENURE_VIEW_RELEASED');
  const lines = [
    lineOf(import.meta.url, '// leased once'),
    lineOf(import.meta.url, '// ended once'),
    lineOf(import.meta.url, '// ended twice'),
  ];
  for (const line of lines) expect(message).toContain(`at ${HERE}:${line}:`);
  lease[Symbol.dispose]();
  expect(pool.stats().out).toBe(0);
  pool.trim();
});

/** Each way to make a view that outlives the view of the lease. */
const VIEWS: readonly (readonly [string, (lease: BufferLease) => MemoryView])[] = [
  ['memoryview(lease.bytes)', (lease) => memoryview(lease.bytes)],
  ['memoryview of a part', (lease) => memoryview(lease.bytes.subarray(10, 20))],
  ['a slice', (lease) => lease.view.slice(10, 20)],
  ['a cast', (lease) => lease.view.cast('i')],
  ['memoryview(lease.view)', (lease) => memoryview(lease.view)],
];

test.each(VIEWS)('%s keeps the lease out until it is released', (_name, make) => {
  for (const length of [100, 5_000, 2 ** 23]) {
    const pool = new BufferPool({ name: 'frames' });
    pool.lease(100).release();
    const lease = pool.lease(length); // views keep it out
    const view = make(lease);
    const error = thrownBy<ViewExportedError>(() => lease.release());
    expect(error).toBeInstanceOf(ViewExportedError);
    expect(error).toMatchObject({ code: 'TENURE_VIEW_EXPORTED', exports: 1 });
    expect(error.message).toMatch(/^frames: the lease taken at .* while 1 of its views is alive/);
    expect(thrownBy(() => lease[Symbol.dispose]())).toBeInstanceOf(ViewExportedError);
    expect([pool.stats().out, lease.bytes.length]).toEqual([1, length]);
    view.release();
    lease.release();
    expect(pool.stats().out).toBe(0);
    pool.trim();
  }
});

test('the view of a lease is one view, made anew after its release, and ends with the lease', () => {
  const pool = new BufferPool();
  const lease = pool.lease(10);
  expect(lease.view).toBe(lease.view);
  {
    using view = lease.view;
    view.set(0, 1);
  }
  expect(lease.view.at(0)).toBe(1);
  expect(lease.view.length).toBe(10);
  const { view } = lease;
  lease.release();
  expect(() => view.at(0)).toThrow(ViewReleasedError);
  pool.trim();
});

test('using releases the views before the lease', () => {
  const pool = new BufferPool();
  {
    using lease = pool.lease(16);
    using numbers = lease.view.cast('i');
    numbers.set(3, -1);
    using tail = numbers.slice(-1);
    expect(tail.toList()).toEqual([-1]);
  }
  expect(pool.stats().out).toBe(0);
  pool.trim();
});

test('bytes of an ended lease cannot be viewed, and those of another holder cannot be reached', () => {
  const pool = new BufferPool();
  const lease = pool.lease(100);
  const { bytes } = lease;
  const wholeSlab = bytes.buffer;
  lease.release();
  expect(() => memoryview(bytes)).toThrow(/the bytes are those of a lease that has ended/);
  const next = pool.lease(100);
  using view = memoryview(next.bytes);
  expect(view.length).toBe(100);
  // The whole slab is no part of one lease: it is viewed as any other buffer, and counts for no lease.
  expect(memoryview(wholeSlab).length).toBe(wholeSlab.byteLength);
  view.release();
  next.release();
  pool.trim();
});

test('use gives what the function gives, and releases on every path', async () => {
  const pool = new BufferPool();
  expect(pool.use(100, (bytes) => bytes.length)).toBe(100);
  expect(() =>
    pool.use(100, () => {
      throw new RangeError('broken');
    }),
  ).toThrow(RangeError);
  expect(pool.stats().out).toBe(0);
  const gate = new Gate();
  const used = pool.use(100, async (bytes) => {
    await gate.passed;
    return bytes.length;
  });
  expect(pool.stats().out).toBe(1);
  gate.open();
  expect(await used).toBe(100);
  await expect(pool.use(100, () => Promise.reject(new Error('late')))).rejects.toThrow('late');
  const liar = Object.defineProperty({}, 'then', {
    get() {
      throw new Error('no then');
    },
  });
  expect(() => pool.use(100, () => liar)).toThrow('no then');
  expect(pool.stats().out).toBe(0);
  pool.trim();
});

test('use with views left alive throws, leaves the bytes to the views, and lends them to no other', async () => {
  for (const length of [100, 5_000]) {
    const pool = new BufferPool();
    const neighbour = pool.lease(length);
    neighbour.bytes.fill(5);
    const kept: MemoryView[] = [];
    const keep = (bytes: Uint8Array) => kept.push(memoryview(bytes));
    expect(() => pool.use(length, keep)).toThrow(ViewExportedError);
    await expect(pool.use(length, async (bytes) => keep(bytes))).rejects.toThrow(ViewExportedError);
    const both = thrownBy(() =>
      pool.use(length, (bytes) => {
        keep(bytes);
        throw new Error('first');
      }),
    );
    expect(both).toMatchObject({ name: 'SuppressedError', suppressed: { message: 'first' } });
    for (const view of kept) view.set(0, 9);
    const later = Array.from({ length: 100 }, () => pool.lease(length));
    for (const lease of later) lease.bytes.fill(1);
    expect(kept.map((view) => view.at(0))).toEqual([9, 9, 9]);
    expect(neighbour.bytes.every((byte) => byte === 5)).toBe(true);
    for (const lease of [neighbour, ...later]) lease.release();
    for (const view of kept) view.release();
    pool.trim();
    expect(pool.stats()).toMatchObject({ out: 0, outBytes: 0, idleBytes: 0, waste: 0 });
  }
});

test('a free part beside bytes that are left to views is not lent again', () => {
  allowLeaks();
  const pool = new BufferPool();
  const [first, second] = [pool.lease(100), pool.lease(100)];
  const { buffer } = first.bytes;
  first.release();
  const kept: MemoryView[] = [];
  expect(() => pool.use(100, (bytes) => kept.push(memoryview(bytes)))).toThrow(ViewExportedError);
  expect(pool.stats()).toMatchObject({ out: 1, outBytes: 100, waste: 0, idleBytes: 0 });
  const third = pool.lease(100);
  third.release();
  const fourth = pool.lease(100);
  expect(second.bytes.buffer).toBe(buffer);
  expect(fourth.bytes.buffer).not.toBe(buffer);
  for (const lease of [second, fourth]) lease.release();
  pool.trim();
  expect(pool.stats()).toMatchObject({ out: 0, outBytes: 0, waste: 0, idleBytes: 0 });
});

test('a part that came back last is not lent again once its slab is left to views', () => {
  const pool = new BufferPool();
  const [first, second] = [pool.lease(100), pool.lease(100)];
  const view = memoryview(first.bytes);
  const watch = pool[observe](Object.assign(new RecordingObserver(), { countsMisuse: true }));
  second.release();
  first.release();
  const third = pool.lease(100);
  expect(third.bytes.buffer).not.toBe((view.bytes() as Uint8Array).buffer);
  third.release();
  expect(pool.stats()).toMatchObject({ out: 0, outBytes: 0, waste: 0, misuse: 1 });
  watch[Symbol.dispose]();
  pool.trim();
});

test('a buffer that its holder transferred is not lent again', () => {
  for (const length of [100, 5_000]) {
    const pool = new BufferPool();
    const lease = pool.lease(length);
    const neighbour = pool.lease(length);
    const buffer = lease.bytes.buffer as ArrayBuffer;
    structuredClone(buffer, { transfer: [buffer] });
    const other = pool.lease(length);
    expect([other.bytes.length, other.view.at(0)]).toEqual([length, 0]);
    for (const each of [lease, neighbour]) each.release();
    const kept = length === 100 ? 0 : 5_120; // The neighbour in the slab was transferred too.
    expect(pool.stats()).toMatchObject({ out: 1, outBytes: length, idleBytes: kept });
    other.release();
    const again = [pool.lease(length), pool.lease(length), pool.lease(length)];
    expect(again.map(({ bytes }) => bytes.length)).toEqual([length, length, length]);
    for (const each of again) each.release();
    pool.trim();
    expect(pool.stats()).toMatchObject({ out: 0, outBytes: 0, idleBytes: 0, waste: 0 });
  }
});

test('a buffer that was transferred by the holder of 0 bytes is not lent again: nodejs/node#61362', () => {
  const pool = new BufferPool({ zero: true });
  const [first, second] = [pool.lease(0), pool.lease(0)];
  const buffer = first.bytes.buffer as ArrayBuffer;
  structuredClone(buffer, { transfer: [buffer] });
  for (const each of [first, second]) each.release();
  expect(pool.stats()).toMatchObject({ out: 0, idleBytes: 0, waste: 0 });

  const idle = pool.lease(0);
  const kept = idle.bytes.buffer as ArrayBuffer;
  idle.release();
  structuredClone(kept, { transfer: [kept] });
  const other = pool.lease(0);
  expect(other.bytes.buffer.byteLength).toBeGreaterThan(0);
  other.release();
});

test('an observer is told of each lease and of the views that are made of it', () => {
  const pool = new BufferPool({ name: 'frames' });
  const early = pool.lease(10);
  const observer = new RecordingObserver();
  const watch = pool[observe](observer);
  expect([watch.kind, watch.name]).toEqual(['buffer-pool', 'frames']);
  expect(() => pool[observe](new RecordingObserver())).toThrow(/buffer-pool 'frames' is watched/);
  early.release();
  const lease = pool.lease(10);
  expect(observer.liveOf('lease')).toHaveLength(1);
  const slice = lease.view.slice(1);
  expect(observer.liveOf('lease')).toHaveLength(2);
  slice.release();
  lease.release();
  expect(observer.live.size).toBe(0);
  expect(pool.use(10, () => observer.liveOf('lease').length)).toBe(1);
  expect(observer.entries).toEqual([
    BufferPool.prototype.lease,
    expect.any(Function),
    BufferPool.prototype.use,
  ]);
  expect(watch.stats()).toEqual(pool.stats());
  const last = pool.lease(10);
  watch[Symbol.dispose]();
  last.release();
  expect(observer.liveOf('lease')).toHaveLength(1);
  pool.trim();
});

test('an observer that throws costs no lease', () => {
  const pool = new BufferPool();
  const failing = new Proxy(new RecordingObserver(), {
    get(target, key) {
      if (key === 'root' || key === 'countsMisuse') return Reflect.get(target, key);
      throw new Error('the observer is broken');
    },
  });
  const printed: unknown[] = [];
  const { error } = console;
  console.error = (...words: unknown[]) => printed.push(words);
  try {
    pool[observe](failing);
    pool.lease(10).release();
    pool.use(10, () => 1);
  } finally {
    console.error = error;
  }
  expect(printed).toHaveLength(1);
  expect(pool.stats().out).toBe(0);
  pool.trim();
});

test('where misuse is counted, no release throws, and bytes with views are lent to no other', () => {
  for (const length of [100, 5_000]) {
    const pool = new BufferPool();
    const observer = Object.assign(new RecordingObserver(), { countsMisuse: true });
    const watch = pool[observe](observer);
    const lease = pool.lease(length);
    const view = memoryview(lease.bytes);
    lease.release();
    lease.release();
    expect(pool.stats()).toMatchObject({ out: 0, misuse: 2, waste: 0, outBytes: 0 });
    view.set(0, 9);
    const others = Array.from({ length: 70 }, () => pool.lease(length));
    for (const other of others) other.bytes.fill(1);
    expect(view.at(0)).toBe(9);
    expect(() => lease.bytes).toThrow(ViewReleasedError);
    for (const other of others) other.release();
    view.release();
    watch[Symbol.dispose]();
    expect(() => lease.release()).toThrow(ViewReleasedError);
    pool.trim();
  }
});

test('the pool keeps no dropped lease alive, so that V8 can prove the loss', async () => {
  const pool = new BufferPool();
  const observer = new RecordingObserver();
  pool[observe](observer);
  (() => pool.lease(100).view.at(0))();
  const [{ capability } = { capability: undefined }] = observer.live.values();
  expect(capability?.deref()).toBeDefined();
  await collectGarbage();
  expect(capability?.deref()).toBeUndefined();
});
