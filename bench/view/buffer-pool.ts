/**
 * A lease of a buffer pool beside `Buffer.allocUnsafe` and `new Uint8Array`, interleaved in one process. Each buffer has one byte
 * of each page of 4 KiB written, as a user of the buffer does.
 *
 * Run with `npm run bench:one bench/view/buffer-pool.ts [rounds]`.
 */
import { BufferPool } from '../../src/view/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Contender, measure } from '../compare.js';
import { asMultipleOf, atLeast, beside, type Row, type Section } from '../row.js';

const POOL = 'BufferPool';
const ZEROING = 'BufferPool, zero';
const UNSAFE = 'Buffer.allocUnsafe';
const ZEROED = 'new Uint8Array';
const PAGE = 4_096;

/** Sizes in KiB, with how many times as fast as `allocUnsafe` the pool is promised to be. */
const SIZES: readonly (readonly [kib: number, times: number, operations: number])[] = [
  [1, 3, 20_000],
  [4, 3, 20_000],
  [64, 10, 10_000],
  [256, 3, 2_000],
  [1_024, 10, 1_000],
];

/** No package is measured besides tenure. */
export const packages = [] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  for (const [kib, times, operations] of SIZES) {
    const contenders = contendersOf(() => kib * 1_024);
    const group = await measure(`A buffer of ${kib} KiB`, contenders, options, operations);
    yield {
      group,
      rows: [
        atLeast(times, group, POOL, UNSAFE),
        ...beside(group, POOL, [ZEROED]),
        ...asMultipleOf(group, ZEROING, [POOL]),
      ],
    };
  }
  const group = await measure(
    'A buffer of 1 to 16,384 bytes',
    contendersOf(sizes()),
    options,
    50_000,
  );
  yield { group, rows: beside(group, POOL, [UNSAFE, ZEROED]) };
}

function contendersOf(nextSize: () => number): Contender[] {
  const pool = new BufferPool();
  const zeroing = new BufferPool({ zero: true });
  return [
    {
      name: UNSAFE,
      run(buffers) {
        for (let i = 0; i < buffers; i++) touch(Buffer.allocUnsafe(nextSize()));
      },
    },
    {
      name: ZEROED,
      run(buffers) {
        for (let i = 0; i < buffers; i++) touch(new Uint8Array(nextSize()));
      },
    },
    { name: POOL, run: leasing(pool, nextSize) },
    { name: ZEROING, run: leasing(zeroing, nextSize) },
  ];
}

function leasing(pool: BufferPool, nextSize: () => number): (buffers: number) => void {
  return (buffers) => {
    for (let i = 0; i < buffers; i++) {
      const lease = pool.lease(nextSize());
      touch(lease.bytes);
      lease.release();
    }
  };
}

function touch(bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; at += PAGE) bytes[at] = 1;
}

/** Sizes that change with each call, the same for all contenders. */
function sizes(): () => number {
  let at = 0;
  const list = Array.from({ length: 1_021 }, (_, i) => 1 + ((i * 7_919) % 16_384));
  return () => list[at++ % list.length] as number;
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 15) }));
