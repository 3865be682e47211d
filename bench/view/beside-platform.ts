/**
 * Views beside what the platform has: an item read and stored beside `DataView`, and a slice beside `subarray`, interleaved in
 * one process.
 *
 * Run with `npm run bench:one bench/view/beside-platform.ts [rounds]`.
 */
import { type Format, memoryview } from '../../src/view/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Contender, measure } from '../compare.js';
import { asMultipleOf, atLeast, atMost, type Row, type Section } from '../row.js';

const BYTES = 8_192;
/** So few that a round ends before the system gives the processor to another process. */
const READS = 100_000;
const SLICES = 20_000;
const VIEW = 'view';
const SLICE = 'slice of a view';
const DATA_VIEW = 'DataView';

/** Formats with the methods of `DataView` that read and store them. */
const FORMATS: readonly (readonly [format: Format, type: string, value: number | bigint])[] = [
  ['B', 'Uint8', 7],
  ['h', 'Int16', -7],
  ['i', 'Int32', -70_000],
  ['d', 'Float64', 0.1],
  ['q', 'BigInt64', -7n],
];

/** The class of a resizable buffer is not in the library of ES2023. */
type ResizableBuffer = new (length: number, options: { maxByteLength: number }) => ArrayBuffer;

/** No package is measured besides tenure. */
export const packages = [] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  for (const [format, type] of FORMATS) {
    const group = await measure(
      `Read an item of format ${format}`,
      reads(format, type),
      options,
      READS,
    );
    yield {
      group,
      rows: [atMost(1.3, group, VIEW, DATA_VIEW), ...asMultipleOf(group, SLICE, [DATA_VIEW])],
    };
  }
  for (const [format, type, value] of FORMATS) {
    const contenders = stores(format, type, value);
    const group = await measure(`Store an item of format ${format}`, contenders, options, READS);
    yield {
      group,
      rows: [atMost(2, group, VIEW, DATA_VIEW), ...asMultipleOf(group, SLICE, [DATA_VIEW])],
    };
  }
  const group = await measure('Slice, and release the slice', slices(), options, SLICES);
  const subarrays = ['Uint8Array.subarray', 'Buffer.subarray'];
  yield { group, rows: subarrays.map((peer) => atLeast(1.5, group, VIEW, peer)) };
  const loops = await measure('Sum 2,048 items of format i', sums(), options, 1_000);
  yield { group: loops, rows: asMultipleOf(loops, 'iterator', ['at', DATA_VIEW]) };
  const resizable = await measure(
    'Read an item of a resizable buffer',
    resizableReads(),
    options,
    READS,
  );
  yield { group: resizable, rows: [atMost(2, resizable, VIEW, DATA_VIEW)] };
}

let loopsMade = 0;

/**
 * A loop of its own for each contender: V8 would see every kind of call in a shared one, and optimise none. Its text is its own
 * too, because V8 gives functions of equal text one record of what they have met.
 */
function looping(name: string, target: unknown, items: number, once: string): Contender {
  const make = new Function(
    'target',
    `/* ${loopsMade++} */ const kept = Array(64).fill(undefined); return (n) => { let sum = kept; for (let k = 0; k < n; k++) { const i = k & ${items - 1}; ${once}; } return sum; }`,
  ) as (target: unknown) => (n: number) => unknown;
  return { name, run: make(target) };
}

function reads(format: Format, type: string): Contender[] {
  const view = memoryview(new ArrayBuffer(BYTES), format);
  const items = view.length;
  return [
    looping(DATA_VIEW, dataView(), items, `sum = target.get${type}(i * ${view.itemsize}, true)`),
    looping(VIEW, view, items, 'sum = target.at(i)'),
    looping(SLICE, view.slice(0, items), items, 'sum = target.at(i)'),
  ];
}

function stores(format: Format, type: string, value: number | bigint): Contender[] {
  const view = memoryview(new ArrayBuffer(BYTES), format);
  const stored = typeof value === 'bigint' ? `${value}n` : String(value);
  const at = `i * ${view.itemsize}`;
  return [
    looping(DATA_VIEW, dataView(), view.length, `target.set${type}(${at}, ${stored}, true)`),
    looping(VIEW, view, view.length, `target.set(i, ${stored})`),
    looping(SLICE, view.slice(0, view.length), view.length, `target.set(i, ${stored})`),
  ];
}

function slices(): Contender[] {
  const bytes = new Uint8Array(BYTES);
  const once = 'kept[i & 63] = target.subarray(i, i + 64)';
  return [
    looping('Uint8Array.subarray', bytes, 4_096, once),
    looping('Buffer.subarray', Buffer.from(bytes.buffer), 4_096, once),
    looping(
      VIEW,
      memoryview(bytes),
      4_096,
      'const s = (kept[i & 63] = target.slice(i, i + 64)); s.release()',
    ),
  ];
}

function sums(): Contender[] {
  const view = memoryview(new ArrayBuffer(BYTES), 'i');
  return [
    looping(
      DATA_VIEW,
      dataView(),
      1,
      'sum = 0; for (let j = 0; j < 2048; j++) sum += target.getInt32(j * 4, true)',
    ),
    looping('at', view, 1, 'sum = 0; for (let j = 0; j < 2048; j++) sum += target.at(j)'),
    looping('iterator', view, 1, 'sum = 0; for (const item of target) sum += item'),
  ];
}

function resizableReads(): Contender[] {
  const Resizable = ArrayBuffer as unknown as ResizableBuffer;
  const buffer = new Resizable(BYTES, { maxByteLength: 2 * BYTES });
  return [
    looping(DATA_VIEW, new DataView(buffer), 2_048, 'sum = target.getInt32(i * 4, true)'),
    looping(VIEW, memoryview(buffer, 'i'), 2_048, 'sum = target.at(i)'),
  ];
}

function dataView(): DataView {
  return new DataView(new ArrayBuffer(BYTES));
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 15) }));
