import { AsyncLocalStorage } from 'node:async_hooks';
import { constants } from 'node:buffer';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { allowLeaks } from '../../src/testing/index.js';
import {
  type BufferLease,
  BufferPool,
  type BufferPoolOptions,
  InvalidArgumentError,
} from '../../src/view/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { FailingClock } from '../kit/failing-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { untilCollected } from '../kit/until-collected.js';

const KIB = 1_024;
const MIB = 2 ** 20;

/** Gives the bytes that leases of these lengths hold, from an empty pool. */
function heldFor(options: BufferPoolOptions, ...lengths: number[]): number[] {
  return lengths.map((length) => {
    const pool = new BufferPool({ maxBytes: 0, ...options });
    const lease = pool.lease(length);
    const { outBytes, waste } = pool.stats();
    lease.release();
    return outBytes + waste;
  });
}

test('a lease has as many bytes as were asked for, of memory that was lent before', () => {
  allowLeaks();
  const pool = new BufferPool();
  const first = pool.lease(1_000);
  expect(first.bytes).toHaveLength(1_000);
  first.bytes[999] = 7;
  const { buffer } = first.bytes;
  first.release();
  const second = pool.lease(1_001);
  expect(second.bytes.buffer).toBe(buffer);
  expect([second.bytes.length, second.bytes[999]]).toEqual([1_001, 7]);
  second.release();
  expect(pool.lease(0).bytes).toHaveLength(0);
  expect(pool.stats()).toMatchObject({ hits: 1, misses: 2, out: 1, outBytes: 0 });
  pool[Symbol.dispose]();
});

test('two leases never have a byte in common', () => {
  const pool = new BufferPool();
  const leases = Array.from({ length: 300 }, (_, i) => pool.lease(1 + ((i * 37) % 5_000)));
  for (const [i, { bytes }] of leases.entries()) bytes.fill(i % 256);
  for (const [i, { bytes }] of leases.entries()) {
    expect(bytes.every((byte) => byte === i % 256)).toBe(true);
  }
  for (const lease of leases) lease.release();
  expect(pool.stats()).toMatchObject({ out: 0, outBytes: 0, waste: 0 });
  pool.trim();
});

test('sizes are four, two or one for each doubling', () => {
  expect(heldFor({}, 0, 64, 65, 80, 81, 1_000, 1_025, 4_097, 65_536, 65_537)).toEqual([
    64, 64, 80, 80, 96, 1_024, 1_280, 5_120, 65_536, 81_920,
  ]);
  expect(heldFor({ classesPerDoubling: 2 }, 65, 97, 1_025)).toEqual([96, 128, 1_536]);
  expect(heldFor({ classesPerDoubling: 1 }, 65, 1_025)).toEqual([128, 2_048]);
});

test('a size is never too small, and never more than its share too large', () => {
  const length = fc.oneof(fc.nat(300), fc.nat(MIB), fc.integer({ min: 0, max: 2 ** 22 }));
  fc.assert(
    fc.property(length, fc.constantFrom(1 as const, 2 as const, 4 as const), (bytes, classes) => {
      const [held] = heldFor({ classesPerDoubling: classes }, bytes) as [number];
      expect(held).toBeGreaterThanOrEqual(bytes);
      expect(held).toBeLessThanOrEqual(Math.max(64, bytes * (1 + 1 / classes)));
    }),
    { numRuns: 300, seed: 4 },
  );
});

test('buffers below 4 KiB are parts of a slab, which is kept or dropped as a whole', () => {
  const pool = new BufferPool();
  const leases = Array.from({ length: 65 }, () => pool.lease(KIB));
  const buffers = new Set(leases.map(({ bytes }) => bytes.buffer));
  expect([...buffers].map(({ byteLength }) => byteLength)).toEqual([64 * KIB, 64 * KIB]);
  expect(pool.stats()).toMatchObject({ misses: 2, hits: 63, waste: 63 * KIB, idleBytes: 0 });
  for (const lease of leases.slice(1, 64)) lease.release();
  expect(pool.stats()).toMatchObject({ out: 2, idleBytes: 0, waste: 126 * KIB });
  pool.trim();
  expect(pool.stats().waste).toBe(126 * KIB); // One lent part keeps its slab.
  leases[0]?.release();
  leases[64]?.release();
  expect(pool.stats()).toMatchObject({ out: 0, idleBytes: 128 * KIB, waste: 0 });
  pool.trim();
  expect(pool.stats().idleBytes).toBe(0);
});

test('free parts of slabs that are in use are lent before an idle slab is broken', () => {
  allowLeaks();
  const pool = new BufferPool();
  const leases = Array.from({ length: 65 }, () => pool.lease(KIB));
  for (const lease of leases.slice(1)) lease.release();
  expect(pool.stats().idleBytes).toBe(64 * KIB);
  const again = Array.from({ length: 63 }, () => pool.lease(KIB));
  expect(new Set(again.map(({ bytes }) => bytes.buffer))).toEqual(
    new Set([leases[0]?.bytes.buffer]),
  );
  expect(pool.stats().idleBytes).toBe(64 * KIB);
  pool[Symbol.dispose]();
});

test('from 4 KiB on, each buffer is its own, and can be detached from the pool alone', () => {
  const pool = new BufferPool();
  const lease = pool.lease(4 * KIB);
  expect([lease.bytes.byteOffset, lease.bytes.buffer.byteLength]).toEqual([0, 4 * KIB]);
  lease.release();
  pool.trim();
});

test('no more than maxBytes are kept, and none of an oversize buffer', () => {
  const pool = new BufferPool({ maxBytes: 10 * KIB, maxBuffer: 8 * KIB });
  for (const lease of [pool.lease(4 * KIB), pool.lease(4 * KIB), pool.lease(4 * KIB)]) {
    lease.release();
    expect(pool.stats().idleBytes).toBeLessThanOrEqual(10 * KIB);
  }
  expect(pool.stats().idleBytes).toBe(8 * KIB);
  const large = pool.lease(8 * KIB + 1);
  expect(large.bytes).toHaveLength(8 * KIB + 1);
  expect(pool.stats()).toMatchObject({ oversize: 1, misses: 4, waste: 0, outBytes: 8 * KIB + 1 });
  large.release();
  expect(pool.stats()).toMatchObject({ idleBytes: 8 * KIB, waste: 0, out: 0 });
  pool.trim();
});

test('a size that is used takes the room of one that is not', () => {
  const pool = new BufferPool({ maxBytes: 2 * MIB });
  const old = Array.from({ length: 32 }, () => pool.lease(64 * KIB));
  for (const lease of old) lease.release();
  const recent = Array.from({ length: 64 }, () => pool.lease(32 * KIB));
  for (const lease of recent) lease.release();
  expect(pool.stats()).toMatchObject({ idleBytes: 2 * MIB, misses: 96 });
  const kept = Array.from({ length: 64 }, () => pool.lease(32 * KIB));
  expect(pool.stats()).toMatchObject({ hits: 64, misses: 96 });
  for (const lease of kept) lease.release();
  pool.trim();
});

test('of several sizes that are idle, the one that was lent least recently makes room', () => {
  const pool = new BufferPool({ maxBytes: 48 * KIB });
  const lend = (length: number) => pool.lease(length).release();
  for (const length of [16 * KIB, 24 * KIB, 16 * KIB, 32 * KIB]) lend(length);
  const { misses } = pool.stats();
  lend(16 * KIB);
  expect(pool.stats().misses).toBe(misses);
  lend(24 * KIB);
  expect(pool.stats().misses).toBe(misses + 1);
  pool.trim();
});

test('memory that no lease needs is dropped by the sweep, and the timer ends with it', async () => {
  const clock = new FakeClock();
  const pool = new BufferPool({ clock, idleTimeoutMillis: 1_000 });
  const leases = Array.from({ length: 4 }, () => pool.lease(8 * KIB));
  for (const lease of leases) lease.release();
  expect([clock.pendingTimers, clock.foregroundTimers]).toEqual([1, 0]);
  for (let tick = 0; tick < 5; tick++) {
    const used = [pool.lease(8 * KIB), pool.lease(8 * KIB)];
    for (const lease of used) lease.release();
    await clock.advance(1_000);
  }
  expect(pool.stats()).toMatchObject({ idleBytes: 16 * KIB, misses: 4, hits: 10 });
  await clock.advance(2_000);
  expect(pool.stats().idleBytes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
  pool.lease(8 * KIB).release();
  expect(clock.pendingTimers).toBe(1);
  pool[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
});

test('the sweep goes on after another size has needed the room of what it would drop', async () => {
  const clock = new FakeClock();
  using pool = new BufferPool({ clock, idleTimeoutMillis: 1_000, maxBytes: 32 * KIB });
  for (const lease of Array.from({ length: 4 }, () => pool.lease(8 * KIB))) lease.release();
  await clock.advance(1_000);
  pool.lease(24 * KIB).release();
  expect(pool.stats()).toMatchObject({ idleBytes: 32 * KIB, waste: 0 });
  await clock.advance(2_000);
  expect(pool.stats()).toMatchObject({ idleBytes: 0, waste: 0 });
  expect(clock.pendingTimers).toBe(0);
});

test('an endless idle timeout sets no timer', () => {
  const clock = new FakeClock();
  const pool = new BufferPool({ clock, idleTimeoutMillis: Number.POSITIVE_INFINITY });
  pool.lease(1).release();
  expect(clock.pendingTimers).toBe(0);
  expect(pool.stats().idleBytes).toBeGreaterThan(0);
});

test('zero overwrites all that a holder could write', () => {
  for (const length of [100, 5_000]) {
    const pool = new BufferPool({ zero: true });
    const lease = pool.lease(length);
    const { buffer, byteOffset } = lease.bytes;
    new Uint8Array(buffer, byteOffset, length + 8).fill(255);
    lease.release();
    const next = pool.lease(length + 8);
    expect(next.bytes.buffer).toBe(buffer);
    expect(next.bytes.every((byte) => byte === 0)).toBe(true);
    next.release();
    pool.trim();
  }
});

test('shared makes memory that other threads can read', () => {
  const pool = new BufferPool({ shared: true });
  for (const length of [100, 5_000, 8 * MIB]) {
    const lease = pool.lease(length);
    expect(lease.bytes.buffer).toBeInstanceOf(SharedArrayBuffer);
    lease.view.set(-1, 7);
    expect(lease.bytes.at(-1)).toBe(7);
    lease.release();
  }
  pool.trim();
});

test('a disposed pool lends nothing and keeps nothing, and its leases stay valid', () => {
  const pool = new BufferPool({ name: 'frames' });
  const lease = pool.lease(100);
  pool.lease(5_000).release();
  pool[Symbol.dispose]();
  pool[Symbol.dispose]();
  expect(pool.stats()).toMatchObject({ idleBytes: 0, out: 1 });
  lease.view.set(0, 1);
  lease.release();
  expect(pool.stats()).toMatchObject({ idleBytes: 0, out: 0, waste: 0 });
  for (const call of [() => pool.lease(1), () => pool.use(1, () => 1)]) {
    expect(call).toThrow(/^frames: no bytes are leased after the pool was disposed of/);
    expect(call).toThrow(expect.objectContaining({ code: 'TENURE_VIEW_RELEASED' }));
  }
});

test('a disposed pool keeps no memory of a lease that ends later', async () => {
  const pool = new BufferPool();
  const buffers = ((): WeakRef<ArrayBufferLike>[] => {
    const leases = [pool.lease(100), pool.lease(5_000)];
    pool[Symbol.dispose]();
    const refs = leases.map(({ bytes }) => new WeakRef(bytes.buffer));
    for (const lease of leases) lease.release();
    return refs;
  })();
  await collectGarbage();
  expect(buffers.map((buffer) => buffer.deref())).toEqual([undefined, undefined]);
  expect(pool.stats().out).toBe(0);
});

test('a wrong length or option throws at once, by name', () => {
  const pool = new BufferPool();
  for (const bytes of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null, undefined, 1n]) {
    expect(() => pool.lease(bytes as number)).toThrow(InvalidArgumentError);
    expect(() => pool.use(bytes as number, () => 1)).toThrow(InvalidArgumentError);
  }
  expect(() => pool.use(1, 'fn' as never)).toThrow(/`fn` must be a function/);
  const wrong: Record<string, unknown> = {
    maxBytes: -1,
    maxBuffer: 2 ** 31,
    classesPerDoubling: 3,
    zero: 1,
    idleTimeoutMillis: 0,
    shared: 'yes',
    name: '',
    clock: {},
    maxbytes: 1,
  };
  for (const [name, value] of Object.entries(wrong)) {
    expect(() => new BufferPool({ [name]: value })).toThrow(new RegExp(`\`${name}\``));
  }
  expect(pool.stats()).toMatchObject({ out: 0, misses: 0 });
});

test.each([
  ['memory', Number.MAX_SAFE_INTEGER],
  ['a typed array', Math.min(constants.MAX_LENGTH + 1, Number.MAX_SAFE_INTEGER)],
])('a length that the engine has no %s for lends nothing', (_, length) => {
  for (const shared of [false, true]) {
    const pool = new BufferPool({ shared });
    expect(() => pool.lease(length)).toThrow(RangeError);
    expect(pool.stats()).toMatchObject({ out: 0, outBytes: 0, waste: 0, misses: 0, oversize: 0 });
  }
});

test('the figures add up after any leases and releases, and no byte is lent twice', () => {
  const op = fc.oneof(
    fc.record({ op: fc.constant('lease' as const), bytes: fc.oneof(fc.nat(200), fc.nat(20_000)) }),
    fc.record({ op: fc.constant('release' as const), which: fc.nat() }),
    fc.constant({ op: 'trim' as const }),
  );
  const options = fc.record({
    maxBytes: fc.constantFrom(0, 20_000, 2 * MIB),
    maxBuffer: fc.constantFrom(1_000, 10_000),
    classesPerDoubling: fc.constantFrom(1 as const, 4 as const),
  });
  fc.assert(
    fc.property(options, fc.array(op, { maxLength: 60 }), (settings, ops) => {
      const pool = new BufferPool(settings);
      const leases: (readonly [BufferLease, number])[] = [];
      let stamp = 0;
      let asked = 0;
      for (const each of ops) {
        if (each.op === 'trim') pool.trim();
        else if (each.op === 'lease') {
          const lease = pool.lease(each.bytes);
          expect(lease.bytes).toHaveLength(each.bytes);
          lease.bytes.fill(++stamp % 256);
          leases.push([lease, stamp % 256]);
          asked++;
        } else if (leases.length > 0) {
          const [[lease, mark] = never()] = leases.splice(each.which % leases.length, 1);
          expect(lease.bytes.every((byte) => byte === mark)).toBe(true);
          lease.release();
        }
        const { out, outBytes, idleBytes, hits, misses, waste } = pool.stats();
        expect(out).toBe(leases.length);
        expect(outBytes).toBe(leases.reduce((sum, [lease]) => sum + lease.bytes.length, 0));
        expect(idleBytes).toBeLessThanOrEqual(settings.maxBytes);
        expect(hits + misses).toBe(asked);
        expect(waste).toBeGreaterThanOrEqual(0);
        if (out === 0) expect(waste).toBe(0);
      }
      for (const [lease] of leases) lease.release();
      pool.trim();
      expect(pool.stats()).toMatchObject({ out: 0, outBytes: 0, idleBytes: 0, waste: 0 });
    }),
    { numRuns: 200, seed: 6 },
  );
});

function never(): never {
  throw new Error('the list has no lease');
}

test('a clock that throws costs no release, and idle memory is dropped by a timer of the system', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  const pool = new BufferPool({ clock, idleTimeoutMillis: 1_000 });
  const lease = pool.lease(5_000);
  clock.fails = true;
  vi.useFakeTimers();
  lease.release();
  expect(pool.stats()).toMatchObject({ out: 0, idleBytes: 5_120 });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(pool.stats()).toMatchObject({ idleBytes: 0 });
  vi.useRealTimers();
  clock.fails = false;
  pool.lease(5_000).release();
  clock.failsToClear = true;
  pool.trim();
  pool[Symbol.dispose]();
  expect(pool.stats()).toMatchObject({ idleBytes: 0, waste: 0 });
  printed.mockRestore();
});

test('the sweep keeps the store of no request alive', async () => {
  const requests = new AsyncLocalStorage<object>();
  using pool = new BufferPool({ idleTimeoutMillis: 60_000 });
  const store = ((request: object) => {
    requests.run(request, () => pool.use(64, () => {}));
    return new WeakRef(request);
  })({ user: 'ada' });
  await untilCollected(store);
  expect(pool.stats().idleBytes).toBeGreaterThan(0);
});
