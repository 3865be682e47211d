/** The answers of CPython's memoryview, one by one, with the sentence that a user meets. Each was asked of CPython 3.12. */
import { describe, expect, expectTypeOf, test } from 'vitest';
import { Exporter, type Format, type MemoryView, memoryview } from '../../src/view/index.js';
import { codeOf } from '../kit/code-of.js';
import { thrownBy } from '../kit/thrown-by.js';

/** A view of 12 bytes: 0 to 11. */
function bytes(count = 12): MemoryView<'B'> {
  return memoryview(Uint8Array.from({ length: count }, (_, i) => i));
}

function codeThrownBy(call: () => unknown): unknown {
  return codeOf(thrownBy(call));
}

describe('what a new view tells', () => {
  test('of bytes', () => {
    const view = bytes();
    expect(view).toMatchObject({ format: 'B', itemsize: 1, ndim: 1, nbytes: 12, length: 12 });
    expect(view).toMatchObject({ shape: [12], strides: [1], readonly: false });
    expect([view.contiguous, view.cContiguous, view.fContiguous]).toEqual([true, true, true]);
    expect(Object.isFrozen(view.shape)).toBe(true);
    expect(String(view)).toBe('[object MemoryView]');
  });

  test('of several dimensions, and of one without items', () => {
    const view = bytes().cast('B', [3, 4]);
    expect(view).toMatchObject({ ndim: 2, length: 3, shape: [3, 4], strides: [4, 1] });
    expect([view.contiguous, view.cContiguous, view.fContiguous]).toEqual([true, true, false]);
    const item = bytes(1).cast('B', []);
    expect(item).toMatchObject({ ndim: 0, length: 1, nbytes: 1, shape: [], strides: [] });
    expect([item.at(), item.toList(), [...item.toBytes()]]).toEqual([0, 0, [0]]);
    item.set([], 7);
    expect(item.at()).toBe(7);
  });

  test('of every other item, and of the items backwards', () => {
    const odd = bytes().slice(1, undefined, 2);
    expect(odd).toMatchObject({ length: 6, strides: [2], contiguous: false, nbytes: 6 });
    const backwards = bytes(4).slice(undefined, undefined, -1);
    expect([backwards.toList(), backwards.strides]).toEqual([[3, 2, 1, 0], [-1]]);
  });
});

describe('cast', () => {
  const refused: readonly (readonly [string, () => unknown, string, RegExp])[] = [
    [
      'items that do not follow each other',
      () => bytes().slice(0, 12, 2).cast('h'),
      'STRUCTURE',
      /do not follow each other/,
    ],
    [
      'two formats of which neither is bytes',
      () => bytes().cast('I').cast('H'),
      'FORMAT',
      /Cast to 'B' first/,
    ],
    [
      'several dimensions to several',
      () => bytes().cast('B', [3, 4]).cast('B', [2, 6]),
      'STRUCTURE',
      /Cast twice/,
    ],
    [
      'a shape of another size',
      () => bytes().cast('B', [5]),
      'STRUCTURE',
      /takes 5 bytes, and the view has 12/,
    ],
    [
      'bytes that are no whole number of items',
      () => bytes(7).cast('i'),
      'STRUCTURE',
      /no multiple of the 4 bytes/,
    ],
    ['a format with a byte order', () => bytes().cast('<I' as 'I'), 'FORMAT', /'<I' is no format/],
    ['a length of 0', () => bytes().cast('B', [0, 12]), 'STRUCTURE', /above 0/],
    ['65 dimensions', () => bytes(1).cast('B', Array(65).fill(1)), 'STRUCTURE', /more than 64/],
  ];
  test.each(refused)('refuses %s', (_what, call, code, message) => {
    expect(codeThrownBy(call)).toBe(`TENURE_VIEW_${code}`);
    expect(call).toThrow(message);
  });

  test('goes through bytes, keeps the prefix @, and has 64 dimensions', () => {
    expect(bytes().cast('I').cast('B').cast('H').length).toBe(6);
    expect(bytes().cast('@I').format).toBe('@I');
    expect(bytes(1).cast('B', Array(64).fill(1)).ndim).toBe(64);
    expect(bytes(0).cast('d').length).toBe(0);
  });
});

describe('items', () => {
  test('of several dimensions are found by one index each; parts of them are not', () => {
    const view = bytes().cast('B', [3, 4]);
    expect([view.at(1, 2), view.at(-1, -1)]).toEqual([6, 11]);
    expect(codeThrownBy(() => view.at(1))).toBe('TENURE_VIEW_STRUCTURE');
    expect(codeThrownBy(() => [...view])).toBe('TENURE_VIEW_STRUCTURE');
    expect(view.slice(1, 2).toList()).toEqual([[4, 5, 6, 7]]);
    expect(codeThrownBy(() => view.assign(view.slice(0, 1), 1, 2))).toBe('TENURE_VIEW_STRUCTURE');
  });

  const values: readonly (readonly [Format, unknown, string])[] = [
    ['B', 256, 'RANGE'],
    ['B', -1, 'RANGE'],
    ['B', 'a', 'FORMAT'],
    ['B', 1.5, 'FORMAT'],
    ['B', Number.NaN, 'FORMAT'],
    ...(['b', 'B', 'h', 'H', 'i', 'I', 'f', 'd'] as const).map(
      (format) => [format, 1n, 'FORMAT'] as const,
    ),
    ['b', 128, 'RANGE'],
    ['h', -32_769, 'RANGE'],
    ['I', 2 ** 32, 'RANGE'],
    ['q', 1, 'FORMAT'],
    ['q', 2n ** 63n, 'RANGE'],
    ['Q', -1n, 'RANGE'],
    ['c', 65, 'FORMAT'],
    ['c', new Uint8Array(2), 'RANGE'],
    ['d', '1', 'FORMAT'],
    ['e', 65_520, 'RANGE'],
    ['f', null, 'FORMAT'],
    ['i', Symbol('x'), 'FORMAT'],
  ];
  test.each(values)('format %s refuses %s, and stores nothing', (format, value, code) => {
    for (const view of [bytes(8).cast(format), bytes(16).slice(0, 8).cast(format)]) {
      const before = view.hex();
      expect(codeThrownBy(() => view.set(0, value as never))).toBe(`TENURE_VIEW_${code}`);
      expect(view.hex()).toBe(before);
    }
  });

  const formats = ['B', 'b', 'c', '?', 'H', 'h', 'I', 'i', 'Q', 'q', 'e', 'f', 'd'] as const;
  test.each(formats)('format %s refuses an index that is no number', (format) => {
    const view: MemoryView<Format> = bytes(16).cast(format);
    const [first, before] = [view.at(0), view.hex()];
    for (const index of ['0', 1n, [0, 0]]) {
      expect(codeThrownBy(() => view.at(index as never))).toBe('TENURE_INVALID_ARGUMENT');
      expect(codeThrownBy(() => view.set(index as never, first as never))).toMatch(/^TENURE_/);
    }
    expect(view.hex()).toBe(before);
  });

  test('? stores the truth of any value, and f rounds to infinity', () => {
    const flags = bytes(3).cast('?');
    flags.set(0, 'x' as never);
    flags.set(1, '' as never);
    expect(flags.toList()).toEqual([true, false, true]);
    const floats = bytes(4).cast('f');
    floats.set(0, 1e300);
    expect(floats.at(0)).toBe(Number.POSITIVE_INFINITY);
  });

  test('an index out of bounds, or no integer, is told with the shape', () => {
    const view = bytes();
    for (const index of [12, -13, 2 ** 40, Number.POSITIVE_INFINITY]) {
      expect(codeThrownBy(() => view.at(index))).toBe('TENURE_VIEW_RANGE');
      expect(codeThrownBy(() => view.set(index, 0))).toBe('TENURE_VIEW_RANGE');
    }
    expect(() => view.at(12)).toThrow(/index 12 .* shape \(12,\)/);
    for (const index of [0.5, '0', Number.NaN, null, 1n]) {
      expect(codeThrownBy(() => view.at(index as number))).toBe('TENURE_INVALID_ARGUMENT');
      expect(codeThrownBy(() => view.set(index as number, 0))).toBe('TENURE_INVALID_ARGUMENT');
    }
    expect(codeThrownBy(() => view.slice(0.5))).toBe('TENURE_INVALID_ARGUMENT');
    expect(codeThrownBy(() => view.slice(0, 1, 0))).toBe('TENURE_VIEW_RANGE');
  });
});

describe('assign', () => {
  test('refuses another length and another format alike', () => {
    const view = bytes();
    const message = /format 'B' and shape \(4,\), and the source has format .* They must be equal/;
    expect(() => view.assign(new Uint8Array(3), 0, 4)).toThrow(message);
    expect(() => view.assign(bytes(4).cast('b'), 0, 4)).toThrow(message);
    expect(() => view.assign(new Uint16Array(1), 0, 4)).toThrow(message);
  });

  test('copies overlapping items as memmove does, also with strides', () => {
    const view = bytes();
    view.assign(view.slice(0, 8), 4);
    expect(view.toList()).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7]);
    const backwards = bytes(4);
    backwards.assign(backwards.slice(undefined, undefined, -1));
    expect(backwards.toList()).toEqual([3, 2, 1, 0]);
    const strided = bytes(6);
    strided.assign(strided.slice(0, 3), 0, 6, 2);
    expect(strided.toList()).toEqual([0, 1, 1, 3, 2, 5]);
  });
});

describe('copies and comparisons', () => {
  test('toBytes takes C, F and A', () => {
    const view = bytes().cast('B', [3, 4]);
    expect([...view.toBytes('F')]).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    expect(view.toBytes('A')).toEqual(view.toBytes('C'));
    expect(codeThrownBy(() => view.toBytes('X' as 'C'))).toBe('TENURE_INVALID_ARGUMENT');
  });

  test('hex groups from the right, or from the left', () => {
    const view = bytes(5);
    expect(view.hex()).toBe('0001020304');
    expect(view.hex(':', 2)).toBe('00:0102:0304');
    expect(view.hex(':', -2)).toBe('0001:0203:04');
    for (const wrong of ['::', '', 'é', [':'] as never]) {
      expect(codeThrownBy(() => view.hex(wrong))).toBe('TENURE_INVALID_ARGUMENT');
    }
  });

  test('values are compared, not bytes', () => {
    const shorts = memoryview(new Int16Array([1, 2]), 'h');
    expect(shorts.equals(memoryview(new Int32Array([1, 2]), 'i'))).toBe(true);
    expect(shorts.equals(memoryview(new Float64Array([1, 2]), 'd'))).toBe(true);
    expect(shorts.equals(memoryview(new BigInt64Array([1n, 3n]), 'q'))).toBe(false);
    expect(
      memoryview(new Float64Array([Number.NaN]), 'd').equals(new Float64Array([Number.NaN])),
    ).toBe(false);
    const nan = memoryview(new Float64Array([Number.NaN]), 'd');
    expect(nan.equals(nan)).toBe(false);
    expect(bytes(2).cast('c').equals(bytes(2))).toBe(false);
    expect(bytes(2).equals(bytes(2).cast('B', [1, 2]))).toBe(false);
    for (const other of [undefined, null, 'ab', 1, [0, 1], {}])
      expect(bytes(2).equals(other)).toBe(false);
    expect(bytes(2).equals(new Uint8Array([0, 1]))).toBe(true);
  });
});

describe('release', () => {
  test.each([[[8]], [[2, 4]]])('by a getter of an index ends the use too: shape %j', (shape) => {
    const view = bytes(8).cast('B', shape);
    const index = new Proxy(
      shape.map(() => 0),
      {
        get: (target, name) => {
          view.release();
          return Reflect.get(target, name);
        },
      },
    );
    expect(() => view.set(index, 9)).toThrow(
      expect.objectContaining({ code: 'TENURE_VIEW_RELEASED' }),
    );
  });

  test('ends every use but equals and release', () => {
    const view = bytes();
    const [slice, iterator] = [view.slice(2), view[Symbol.iterator]()];
    iterator.next();
    view.release();
    view.release();
    const uses: readonly (() => unknown)[] = [
      () => view.at(0),
      () => view.set(0, 1),
      () => view.slice(),
      () => view.cast('b'),
      () => view.toReadonly(),
      () => view.assign(bytes()),
      () => view.toBytes(),
      () => view.toList(),
      () => view.hex(),
      () => view.bytes(),
      () => [...view],
      () => iterator.next(),
      () => memoryview(view),
      () => bytes().assign(view),
      () => view.length,
      () => view.shape,
      () => view.strides,
      () => view.format,
      () => view.itemsize,
      () => view.ndim,
      () => view.nbytes,
      () => view.readonly,
      () => view.contiguous,
      () => view.cContiguous,
      () => view.fContiguous,
    ];
    for (const use of uses)
      expect([codeThrownBy(use), String(use)]).toEqual(['TENURE_VIEW_RELEASED', String(use)]);
    expect([view.equals(view), view.equals(bytes()), bytes().equals(view)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(slice.at(0)).toBe(2);
  });

  test('is what using calls, and lets an exporter be resized', () => {
    const exporter = new Exporter(2);
    {
      using view = memoryview(exporter);
      using slice = view.slice(1);
      expect([slice.length, exporter.exports]).toEqual([1, 2]);
      expect(codeThrownBy(() => exporter.resize(3))).toBe('TENURE_VIEW_EXPORTED');
    }
    exporter.resize(3);
    expect(exporter.length).toBe(3);
  });
});

describe('a read-only view', () => {
  test('refuses changes, in its slices and casts too, and never gives its memory', () => {
    const source = new Uint8Array(8);
    const view = memoryview(source).toReadonly();
    const views = [
      view,
      view.slice(1),
      view.slice(0, 8, 2),
      view.cast('i'),
      view.cast('B', [2, 4]),
      memoryview(view),
    ];
    for (const each of views) {
      const indexes = Array(each.ndim).fill(0) as number[];
      expect(codeThrownBy(() => each.set(indexes, 1 as never))).toBe('TENURE_VIEW_READONLY');
      expect(codeThrownBy(() => each.set(0, 1 as never))).toBe('TENURE_VIEW_READONLY');
      expect(codeThrownBy(() => each.assign(each))).toBe('TENURE_VIEW_READONLY');
      expect(codeThrownBy(() => each.bytes())).toBe('TENURE_VIEW_READONLY');
      expect(each.readonly).toBe(true);
    }
    expect('buffer' in view).toBe(false);
    source[0] = 9;
    expect(view.at(0)).toBe(9);
  });
});

test('bytes gives the memory itself, if the items follow each other', () => {
  const source = new Uint8Array(8);
  const view = memoryview(source).slice(2, 6);
  view.bytes().set([1, 2, 3, 4]);
  expect([...source]).toEqual([0, 0, 1, 2, 3, 4, 0, 0]);
  expect(codeThrownBy(() => view.slice(0, 4, 2).bytes())).toBe('TENURE_VIEW_STRUCTURE');
  expect(view.slice(2, 2).bytes().length).toBe(0);
});

test('a source without bytes is refused with what to do', () => {
  for (const source of [undefined, null, 'text', 1, [1, 2], {}, () => 0, { byteLength: 3 }]) {
    expect(codeThrownBy(() => memoryview(source as never))).toBe('TENURE_INVALID_ARGUMENT');
  }
  expect(() => memoryview('text' as never)).toThrow(/Encode text with TextEncoder/);
  expect(codeThrownBy(() => memoryview(new Uint8Array(3), 'h'))).toBe('TENURE_VIEW_STRUCTURE');
  expect(codeThrownBy(() => memoryview(new Uint8Array(3), 7 as never))).toBe(
    'TENURE_INVALID_ARGUMENT',
  );
});

test('items have the type of their format', () => {
  const view = bytes(8);
  expectTypeOf(view.at(0)).toEqualTypeOf<number>();
  expectTypeOf(view.cast('q').at(0)).toEqualTypeOf<bigint>();
  expectTypeOf(view.cast('@Q').slice(0).at(0)).toEqualTypeOf<bigint>();
  expectTypeOf(view.cast('?').at(0)).toEqualTypeOf<boolean>();
  expectTypeOf(view.cast('c').at(0)).toEqualTypeOf<Uint8Array>();
  expectTypeOf(memoryview(new Float32Array(1), 'f').at(0)).toEqualTypeOf<number>();
});
