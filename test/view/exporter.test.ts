import { expect, test } from 'vitest';
import { allowLeaks } from '../../src/testing/index.js';
import {
  AlreadyWatchedError,
  Exporter,
  memoryview,
  observe,
  ViewDetachedError,
  ViewExportedError,
} from '../../src/view/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { RecordingObserver } from '../kit/recording-observer.js';

test('it cannot be resized while a view is alive, and says how many there are', () => {
  allowLeaks();
  const exporter = new Exporter(4, { name: 'frames' });
  const view = memoryview(exporter);
  const slice = view.slice(1);
  const cast = slice.slice(0, 2).cast('H');
  expect(exporter.exports).toBe(4);
  let error: unknown;
  try {
    exporter.resize(8);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(ViewExportedError);
  expect(error).toMatchObject({ code: 'TENURE_VIEW_EXPORTED', exports: 4 });
  expect((error as Error).message).toMatch(
    /^frames: .*4 to 8 bytes while 4 of its views are alive/,
  );
  view.release();
  view.release();
  expect(exporter.exports).toBe(3);
  cast.set(0, 0x4142);
  slice.release();
  expect(cast.at(0)).toBe(0x4142);
  cast.release();
  expect(() => exporter.resize(8)).toThrow(/1 of its views is alive/);
});

test('it keeps its bytes when it grows, and adds bytes of 0 where others were cut off', () => {
  const exporter = new Exporter(0);
  for (let length = 1; length <= 1_000; length++) {
    exporter.resize(length);
    using view = memoryview(exporter);
    view.set(-1, length % 256);
  }
  {
    using view = memoryview(exporter);
    expect(view.toList()).toEqual(Array.from({ length: 1_000 }, (_, i) => (i + 1) % 256));
  }
  exporter.resize(999);
  exporter.resize(1_001);
  exporter.resize(10);
  exporter.resize(12);
  using view = memoryview(exporter);
  expect(view.toList()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 0]);
  exporter.resize(12); // The present length is no change.
});

test('a wrong length or option throws', () => {
  expect(() => new Exporter(-1)).toThrow(/`bytes` must be an integer ≥ 0/);
  expect(() => new Exporter(1, { nam: 'x' } as never)).toThrow(/unknown option `nam`/);
  expect(() => new Exporter(1).resize(1.5)).toThrow(/`bytes` must be/);
});

test('an observer is told of each view from its making to its release', () => {
  const exporter = new Exporter(4, { name: 'frames' });
  const before = memoryview(exporter);
  const observer = new RecordingObserver();
  const watch = exporter[observe](observer);
  expect([watch.kind, watch.name]).toEqual(['exporter', 'frames']);
  expect(() => exporter[observe](new RecordingObserver())).toThrow(AlreadyWatchedError);
  const views = [
    memoryview(exporter),
    before.slice(0, 2),
    before.slice(0, 3, 2),
    before.cast('b'),
    before.toReadonly(),
    memoryview(before),
  ];
  expect(observer.liveOf('lease')).toHaveLength(6);
  expect(watch.stats()).toEqual({ exports: 7, bytes: 4 });
  for (const view of views) view.release();
  before.release();
  expect(observer.live.size).toBe(0);
  expect(observer.entries).toHaveLength(6);
});

test('the end of a view is told to the observer that was told of its making', () => {
  const exporter = new Exporter(4);
  const [first, second] = [new RecordingObserver(), new RecordingObserver()];
  const watch = exporter[observe](first);
  const view = memoryview(exporter);
  watch[Symbol.dispose]();
  watch[Symbol.dispose]();
  exporter[observe](second);
  const other = memoryview(exporter);
  view.release();
  expect(second.liveOf('lease')).toHaveLength(1);
  other.release();
  expect(second.live.size).toBe(0);
  expect(first.log).toEqual(['allocated lease 2']);
});

test('an exporter keeps no dropped view alive, so that V8 can prove the loss', async () => {
  const exporter = new Exporter(4);
  const observer = new RecordingObserver();
  exporter[observe](observer);
  (() => memoryview(exporter).slice(0, 2))();
  const capabilities = [...observer.live.values()].map(({ capability }) => capability);
  expect(capabilities).toHaveLength(2);
  await collectGarbage();
  expect(capabilities.map((capability) => capability?.deref())).toEqual([undefined, undefined]);
});

test('an exporter whose buffer was transferred says so, and changes nothing', () => {
  const bytes = new Exporter(4);
  const view = memoryview(bytes);
  const { buffer } = view.bytes();
  view.release();
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] });
  for (const length of [8, 2, 0]) expect(() => bytes.resize(length)).toThrow(ViewDetachedError);
  expect(() => memoryview(bytes)).toThrow(ViewDetachedError);
  expect([bytes.length, bytes.exports]).toEqual([4, 0]);
});

test.each([
  ['of one dimension', () => memoryview(new Uint8Array(8))],
  ['of items', () => memoryview(new Uint8Array(8), 'h')],
  ['with a stride', () => memoryview(new Uint8Array(8)).slice(0, 8, 2)],
  ['of two dimensions', () => memoryview(new Uint8Array(8)).cast('B', [2, 4])],
  [
    'of a resizable buffer',
    () => memoryview(Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }]) as ArrayBuffer),
  ],
])('the end of a view %s that is called without its view says how to pass it', (_, make) => {
  const view = make();
  for (const method of ['release', Symbol.dispose] as const) {
    const detached = view[method];
    expect(() => detached.call(undefined as never)).toThrow(
      expect.objectContaining({
        code: 'TENURE_INVALID_ARGUMENT',
        message: expect.stringContaining('Pass a function that calls it: `() => view.release()`'),
      }),
    );
  }
  view.release();
});
