/** What JavaScript lets happen to memory under a view: transfer, shrinking, sharing, growth of a WebAssembly memory. */
import { constants } from 'node:buffer';
import { expect, test } from 'vitest';
import {
  type MemoryView,
  memoryview,
  ViewDetachedError,
  ViewReleasedError,
} from '../../src/view/index.js';

/** Buffers with methods that are not in the library of ES2023. */
interface ResizableBuffer extends ArrayBuffer {
  resize(length: number): void;
}
interface GrowableBuffer extends SharedArrayBuffer {
  grow(length: number): void;
}
const Resizable = ArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => ResizableBuffer;
const Growable = SharedArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => GrowableBuffer;

function transfer(buffer: ArrayBuffer): ArrayBuffer {
  return structuredClone(buffer, { transfer: [buffer] });
}

/** Each way to use the memory of a view. */
const USES: readonly (readonly [string, (view: MemoryView<'B'>) => unknown])[] = [
  ['at', (view) => view.at(0)],
  ['set', (view) => view.set(0, 1)],
  ['iterate', (view) => [...view]],
  ['toBytes', (view) => view.toBytes()],
  ['toList', (view) => view.toList()],
  ['hex', (view) => view.hex()],
  ['equals', (view) => view.equals(new Uint8Array(8))],
  ['assign', (view) => view.assign(new Uint8Array(8))],
  ['bytes', (view) => view.bytes()],
];

test.each(USES)('%s of a view whose buffer was transferred throws', (name, use) => {
  for (const derive of DERIVED) {
    const buffer = new ArrayBuffer(8);
    const view = derive(memoryview(buffer));
    use(view);
    transfer(buffer);
    expect(() => use(view)).toThrow(ViewDetachedError);
    expect(() => use(view)).toThrow(/transferred/);
    view.release();
    view.release();
    if (name === 'equals') expect(view.equals(view)).toBe(true);
    else expect(() => use(view)).toThrow(ViewReleasedError);
  }
});

test('a transfer is found in optimized code that has met resizable buffers, and in a view without bytes', () => {
  const gone = (buffer: ArrayBuffer, use: (view: MemoryView<'B'>) => unknown): void => {
    const view = memoryview(buffer);
    use(view);
    transfer(buffer);
    expect(() => use(view)).toThrow(ViewDetachedError);
  };
  for (let i = 0; i < 20_000; i++) {
    const buffer = i % 2 === 0 ? new Resizable(8, { maxByteLength: 16 }) : new ArrayBuffer(8);
    memoryview(buffer).slice(0, 8, 2).toBytes();
    if (i % 101 === 0) gone(new ArrayBuffer(8), (view) => view.slice(0, 8, 2).toBytes());
  }
  for (const empty of [new ArrayBuffer(0), new Resizable(0, { maxByteLength: 8 })]) {
    gone(empty, (view) => view.bytes());
  }
});

/** Views of each class: typed, of a slice, with a stride, of several dimensions and back. */
const DERIVED: readonly ((view: MemoryView<'B'>) => MemoryView<'B'>)[] = [
  (view) => view,
  (view) => view.slice(0, 8),
  (view) => view.cast('h').cast('B'),
  (view) => view.cast('B', [2, 4]).cast('B'),
];

test('a view of several dimensions throws after a transfer', () => {
  const buffer = new ArrayBuffer(8);
  const view = memoryview(buffer).cast('B', [2, 4]);
  const backwards = view.slice(undefined, undefined, -1);
  transfer(buffer);
  expect(() => view.at(1, 1)).toThrow(ViewDetachedError);
  expect(() => view.set([1, 1], 1)).toThrow(ViewDetachedError);
  expect(() => backwards.toBytes()).toThrow(ViewDetachedError);
});

test('a source that was transferred before is refused', () => {
  const buffer = new ArrayBuffer(8);
  const bytes = new Uint8Array(buffer, 4);
  transfer(buffer);
  expect(() => memoryview(bytes)).toThrow(ViewDetachedError);
  expect(() => memoryview(buffer)).toThrow(ViewDetachedError);
  const target = memoryview(new Uint8Array(4));
  expect(() => target.assign(bytes)).toThrow(ViewDetachedError);
  expect(() => target.equals(buffer)).toThrow(ViewDetachedError);
});

test.each([
  [
    'a DataView of a buffer that was transferred: tc39/ecma262#678',
    () => goneBytes(DataView, transfer),
  ],
  ['a DataView of a buffer that has shrunk: tc39/test262#5137', () => goneBytes(DataView, shrink)],
  ['a typed array of a buffer that has shrunk', () => goneBytes(Uint8Array, shrink)],
])('%s is no source', (_, make) => {
  const target = memoryview(new Uint8Array(0));
  expect(() => memoryview(make())).toThrow(ViewDetachedError);
  expect(() => target.assign(make())).toThrow(ViewDetachedError);
  expect(() => target.equals(make())).toThrow(ViewDetachedError);
});

function shrink(buffer: ResizableBuffer): void {
  buffer.resize(2);
}

/** Bytes 4 to 8 of a buffer, which `lose` takes from them. */
function goneBytes(
  type: new (buffer: ArrayBuffer, byteOffset: number, length: number) => ArrayBufferView,
  lose: (buffer: ResizableBuffer) => unknown,
): ArrayBufferView {
  const buffer = new Resizable(8, { maxByteLength: 16 });
  const bytes = new type(buffer, 4, 4);
  lose(buffer);
  return bytes;
}

test('a buffer that is longer than a typed array can be is no detached one', () => {
  expect(() => memoryview(new ArrayBuffer(constants.MAX_LENGTH + 1))).toThrow(RangeError);
});

test('a source without bytes, within its buffer, is a view without items', () => {
  const buffer = new Resizable(8, { maxByteLength: 16 });
  for (const source of [new Float64Array(buffer, 8, 0), new DataView(buffer, 8, 0)]) {
    expect(memoryview(source).length).toBe(0);
  }
});

test.each(USES)(
  '%s of a resizable buffer works, throws after shrinking, works again',
  (name, use) => {
    const buffer = new Resizable(16, { maxByteLength: 32 });
    const view = memoryview(new Uint8Array(buffer, 8, 8));
    use(view);
    buffer.resize(12);
    expect(() => use(view)).toThrow(ViewDetachedError);
    expect(() => use(view)).toThrow(/shrunk to 12 bytes/);
    buffer.resize(16);
    use(view);
    buffer.resize(32);
    use(view);
    expect(view.length).toBe(8);
    view.release();
    if (name !== 'equals') expect(() => use(view)).toThrow(ViewReleasedError);
  },
);

test('items of a resizable buffer are read and stored in every format, and in slices', () => {
  const buffer = new Resizable(16, { maxByteLength: 32 });
  const view = memoryview(buffer);
  for (const [format, value] of [
    ['h', -2],
    ['I', 4_294_967_295],
    ['d', 0.1],
    ['e', 0.5],
    ['f', 1.5],
  ] as const) {
    const items = view.cast(format);
    items.set(1, value);
    expect(items.at(1)).toBe(value);
    expect(items.slice(1).at(0)).toBe(value);
    expect(items.slice(undefined, undefined, -1).at(-2)).toBe(value);
  }
  const big = view.cast('q');
  big.set(-1, -(2n ** 63n));
  expect(big.at(1)).toBe(-(2n ** 63n));
  expect(() => view.at(16)).toThrow(/out of bounds/);
  expect(() => view.set(0, 256)).toThrow(/256/);
});

test('shared memory is seen from both sides, also after it has grown', () => {
  const shared = new Growable(4, { maxByteLength: 8 });
  const [left, right] = [memoryview(shared), memoryview(shared)];
  left.set(3, 7);
  expect(right.at(3)).toBe(7);
  shared.grow(8);
  right.set(0, 9);
  expect(left.toList()).toEqual([9, 0, 0, 7]);
  const fixed = memoryview(new SharedArrayBuffer(8), 'q');
  fixed.set(0, 5n);
  expect(fixed.hex()).toBe('0500000000000000');
});

test('a WebAssembly memory that grows detaches its views', () => {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = memoryview(memory.buffer);
  view.set(1, 42);
  memory.grow(1);
  expect(() => view.at(1)).toThrow(ViewDetachedError);
  expect(memoryview(memory.buffer).at(1)).toBe(42);
});

test('a view of bytes at any offset reads every format', () => {
  for (let at = 0; at < 8; at++) {
    const buffer = new ArrayBuffer(32);
    const view = memoryview(new Uint8Array(buffer, at, 16));
    const doubles = view.cast('d');
    doubles.set(1, Math.PI);
    expect(doubles.at(1)).toBe(Math.PI);
    expect(new DataView(buffer).getFloat64(at + 8, true)).toBe(Math.PI);
  }
});

test('sources of other realms and kinds: a Buffer of the shared pool, a DataView, a typed array of wide items', () => {
  const text = Buffer.from('tenure');
  using view = memoryview(text);
  view.set(0, 84);
  expect(text.toString()).toBe('Tenure');
  expect(memoryview(new DataView(new ArrayBuffer(8), 2, 3)).length).toBe(3);
  const wide = new Float64Array([1, 2]);
  expect(memoryview(wide).length).toBe(16);
  expect(memoryview(wide, 'd').toList()).toEqual([1, 2]);
});
