/**
 * Hit ratios of both policies, in percent.
 *
 *     npx tsx bench/hit-ratio/main.ts                          the seeded workloads; exit code 1 if a margin is missed
 *     npx tsx bench/hit-ratio/main.ts OLTP.lis web.csv.gz --sizes 500,1000,2000 --column key --format csv --limit 1e6
 *
 * A size below 1 is that part of the different keys in the workload. Trace formats: see traces.ts.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';
import { hitRatio } from './hit-ratio.js';
import { formatOf, readTrace, TRACE_FORMATS, type TraceFormat } from './traces.js';
import { mixed, type Workload, zipf } from './workloads.js';

/** What is to be gained over LRU, in percentage points, at 1, 5 and 20 percent of the different keys. */
const CASES: readonly { workload: () => Workload; margins: readonly number[] }[] = [
  { workload: () => zipf(0.8), margins: [11.1, 9.7, 5.2] },
  { workload: () => zipf(0.99), margins: [9.7, 6.7, 3.0] },
  { workload: () => zipf(1.1), margins: [7.6, 4.7, 1.8] },
  { workload: () => mixed(), margins: [9.0, 6.0, 18.7] },
];
/** Another seed moves a ratio by about this much. */
const NOISE = 0.15;
const PARTS = [0.01, 0.05, 0.2];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sizes: { type: 'string' },
    format: { type: 'string' },
    column: { type: 'string' },
    limit: { type: 'string' },
  },
});

function row(name: string, keys: Iterable<unknown>, max: number): number {
  const lru = hitRatio(keys, max).ratio * 100;
  const { ratio } = hitRatio(keys, max, s3fifo());
  const gain = ratio * 100 - lru;
  const cells = [lru, ratio * 100, gain].map((cell) => cell.toFixed(2).padStart(8));
  console.log(`${name.padEnd(28)}${String(max).padStart(9)}${cells.join('')}`);
  return gain;
}

console.log(`${'workload'.padEnd(28)}     size     LRU S3-FIFO    gain`);
if (positionals.length === 0) {
  let missed = 0;
  for (const { workload, margins } of CASES) {
    const { name, keys, universe } = workload();
    const different = name.startsWith('zipf +') ? universe : new Set(keys).size;
    for (const [at, part] of PARTS.entries()) {
      const margin = margins[at] as number;
      if (row(name, keys, Math.floor(different * part)) >= margin - NOISE) continue;
      missed++;
      console.log(`  MISSED: at least ${margin} points were to be gained.`);
    }
  }
  console.log(missed === 0 ? 'Every margin is kept.' : `${missed} margins are missed.`);
  process.exitCode = missed === 0 ? 0 : 1;
}
for (const path of positionals) {
  const format = values.format ?? formatOf(path);
  if (!TRACE_FORMATS.includes(format as TraceFormat)) {
    throw new Error(`--format ${format}: one of ${TRACE_FORMATS.join(', ')}.`);
  }
  const column = values.column ?? '0';
  const keys = await readTrace(path, {
    format: format as TraceFormat,
    column: /^\d+$/.test(column) ? Number(column) : column,
    limit: Number(values.limit ?? Number.POSITIVE_INFINITY),
  });
  const different = new Set(keys).size;
  console.log(`${path}: ${keys.length} requests for ${different} different keys`);
  for (const size of (values.sizes ?? PARTS.join(',')).split(',').map(Number)) {
    if (!(size > 0)) throw new Error(`--sizes: numbers of entries, or parts below 1.`);
    row(basename(path), keys, size < 1 ? Math.max(1, Math.floor(different * size)) : size);
  }
}
