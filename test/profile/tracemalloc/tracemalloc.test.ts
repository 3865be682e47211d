/** Compares statistics, differences and filters of traces with those of CPython's tracemalloc. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type TraceFilter, TraceSnapshot } from '../../../src/profile/index.js';
import { runOnPython } from '../../kit/python-oracle.js';
import { sayMissing } from '../../kit/say-missing.js';

type RawTrace = [kind: number, size: number, frames: [file: string, line: number][]];

interface RawFilter {
  readonly inclusive: boolean;
  readonly file?: string;
  readonly line?: number;
  readonly kind?: number;
  readonly allFrames?: boolean;
}

interface Program {
  readonly traces: RawTrace[];
  readonly old: RawTrace[];
  readonly filters: RawFilter[];
  readonly by: 'line' | 'file' | 'traceback';
  readonly cumulative: boolean;
}

interface Observation {
  readonly statistics: unknown[];
  readonly differences: unknown[];
}

const hasPython = spawnSync('python3', ['-c', 'import tracemalloc']).status === 0;
if (!hasPython) sayMissing('python3 is not here: traces are not compared with tracemalloc.');

const files = fc.constantFrom('a.py', 'lib/a.py', 'lib/b.py', 'b[1].py', 'a.txt', 'x+y.py');
const frame = fc.tuple(files, fc.integer({ min: 1, max: 4 }));
const sizes = fc.oneof(
  fc.nat(300),
  fc.nat(20_000),
  fc.nat(5_000_000),
  fc.constantFrom(1_023, 1_024, 10_240, 102_400, 12_544, 10_752),
);
const traces = fc.array(
  fc.tuple(fc.nat(2), sizes, fc.array(frame, { minLength: 1, maxLength: 3 })),
  { maxLength: 12 },
) as fc.Arbitrary<RawTrace[]>;
const patterns = fc.constantFrom(
  '*',
  'a.*',
  'lib/*',
  '*.py',
  '?.py',
  '*/[ab].py',
  '[!a].*',
  'b[[]1].py',
  'b[1].py',
  'x+y.py',
  '*[',
  '[]a].py',
  '[a-b]*',
  '[a&~|b].py',
  '[b-a].py',
  '[!b-a].py',
  '[b-a-x]*',
  '[+--]*',
  '[^a-]*',
);
const fileFilter = fc.record(
  {
    inclusive: fc.boolean(),
    file: patterns,
    line: fc.integer({ min: 1, max: 4 }),
    kind: fc.nat(2),
    allFrames: fc.boolean(),
  },
  { requiredKeys: ['inclusive', 'file'] },
);
const kindFilter = fc.record({ inclusive: fc.boolean(), kind: fc.nat(2) });
const programs: fc.Arbitrary<Program> = fc
  .record({
    traces,
    old: traces,
    filters: fc.array(fc.oneof(fileFilter, kindFilter), { maxLength: 3 }) as fc.Arbitrary<
      RawFilter[]
    >,
    by: fc.constantFrom('line', 'file', 'traceback'),
    cumulative: fc.boolean(),
  })
  .map((program) =>
    program.by === 'traceback' ? { ...program, cumulative: false } : program,
  ) as fc.Arbitrary<Program>;

function snapshotOf(raw: readonly RawTrace[]): TraceSnapshot {
  return TraceSnapshot.load(
    JSON.stringify({
      format: 1,
      tracebackLimit: 9,
      traces: raw.map(([kind, size, frames]) => ({
        kind: `kind ${kind}`,
        size,
        traceback: frames.map(([file, line]) => ({ file, line })),
      })),
    }),
  );
}

function filterOf({ kind, ...filter }: RawFilter): TraceFilter {
  return kind === undefined ? filter : { ...filter, kind: `kind ${kind}` };
}

function observe({ traces: raw, old, filters, by, cumulative }: Program): Observation {
  const snapshot = snapshotOf(raw).filter(...filters.map(filterOf));
  const frames = (traceback: readonly { file: string; line: number }[]) =>
    traceback.map(({ file, line }) => [file, line]);
  return {
    statistics: snapshot
      .statistics(by, cumulative)
      .map((it) => [frames(it.traceback), it.size, it.count, String(it)]),
    differences: snapshot
      .compareTo(snapshotOf(old), by, cumulative)
      .map((it) => [
        frames(it.traceback),
        it.size,
        it.sizeDiff,
        it.count,
        it.countDiff,
        String(it),
      ]),
  };
}

test.skipIf(!hasPython)('sums, compares, filters, sorts and prints as CPython does', () => {
  const chosen = fc.sample(programs, { numRuns: 2_000, seed: 1 });
  const expected = runOnPython<Program, Observation>(
    'python3',
    new URL('oracle.py', import.meta.url),
    chosen,
  );
  expect(expected).toHaveLength(chosen.length);
  for (const [i, program] of chosen.entries()) {
    expect(observe(program), JSON.stringify(program)).toEqual(
      withLineOfFiles(expected[i] as Observation),
    );
  }
});

/** CPython names the line of a whole file 0, in its text too. A reader of ours sees the file alone. */
function withLineOfFiles(observation: Observation): Observation {
  return JSON.parse(JSON.stringify(observation).replaceAll(/("[^"]*):0: size=/g, '$1: size='));
}
