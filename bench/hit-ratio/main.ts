/**
 * Hit ratios of both policies, in per cent.
 *
 *     npx tsx bench/hit-ratio/main.ts                          the seeded workloads; exit code 1 if a margin is missed
 *     npx tsx bench/hit-ratio/main.ts OLTP.lis web.csv.gz --sizes 500,1000,2000 --column key --format csv --limit 1e6
 *
 * A size below 1 is that part of the different keys in the workload. Trace formats: see traces.ts.
 */
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { s3fifo } from '../../src/memoize/s3-fifo/index.js';
import { isEntry } from '../command-line.js';
import { type BenchOptions, figureOf, type Group } from '../compare.js';
import { gains, type Row } from '../row.js';
import { hitRatio } from './hit-ratio.js';
import { formatOf, readTrace, TRACE_FORMATS, type TraceFormat } from './traces.js';
import { mixed, type Workload, zipf } from './workloads.js';

/** What S3-FIFO gains over LRU at least, in percentage points, at 1, 5 and 20 per cent of the different keys. */
const CASES: readonly {
  workload: (requests: number) => Workload;
  margins: readonly number[];
}[] = [
  { workload: (requests) => zipf(0.8, 1, requests / 10, requests), margins: [11.1, 9.7, 5.2] },
  { workload: (requests) => zipf(0.99, 1, requests / 10, requests), margins: [9.7, 6.7, 3.0] },
  { workload: (requests) => zipf(1.1, 1, requests / 10, requests), margins: [7.6, 4.7, 1.8] },
  { workload: (requests) => mixed(1, requests / 10, requests), margins: [9.0, 6.0, 18.7] },
];
const REQUESTS = 1_000_000;
/** Another seed moves a ratio by about this much. */
const NOISE = 0.15;
const PARTS = [0.01, 0.05, 0.2];
const OURS = 'S3-FIFO';
const PEER = 'LRU';

/** No package is measured besides tenure. */
export const packages = [] as const;

export function rows({ scale = 1 }: Pick<BenchOptions, 'scale'>): Row[] {
  return [...seededRows(scale)];
}

function* seededRows(scale: number): Generator<Row> {
  for (const { workload, margins } of CASES) {
    const { name, keys, universe } = workload(Math.max(10_000, Math.round(REQUESTS * scale)));
    const different = name.startsWith('zipf +') ? universe : new Set(keys).size;
    for (const [at, part] of PARTS.entries()) {
      const group = ratios(name, keys, Math.floor(different * part));
      yield gains(margins[at] as number, NOISE, group, OURS, PEER);
    }
  }
}

/** Per cent of the requests that each policy answers, with room for `max` entries. */
function ratios(name: string, keys: Iterable<unknown>, max: number): Group {
  return {
    title: `${name}, ${max.toLocaleString('en')} entries`,
    unit: '%',
    figures: new Map([
      [OURS, hitRatio(keys, max, s3fifo()).ratio * 100],
      [PEER, hitRatio(keys, max).ratio * 100],
    ]),
  };
}

function print(name: string, lru: number, s3Fifo: number): void {
  const cells = [lru, s3Fifo, s3Fifo - lru].map((cell) => cell.toFixed(2).padStart(8));
  console.log(`${name.padEnd(36)}${cells.join('')}`);
}

function printSeeded(): void {
  let missed = 0;
  for (const { measured, ours, peer, promise, kept } of seededRows(1)) {
    print(measured, peer?.value ?? Number.NaN, ours.value);
    if (kept !== false) continue;
    missed++;
    console.log(`  MISSED: at least ${promise?.value} points were to be gained.`);
  }
  console.log(missed === 0 ? 'Every margin is kept.' : `${missed} margins are missed.`);
  process.exitCode = missed === 0 ? 0 : 1;
}

interface TraceArguments {
  readonly sizes?: string | undefined;
  readonly format?: string | undefined;
  readonly column?: string | undefined;
  readonly limit?: string | undefined;
}

async function printTrace(path: string, { sizes, ...options }: TraceArguments): Promise<void> {
  const format = options.format ?? formatOf(path);
  if (!TRACE_FORMATS.includes(format as TraceFormat)) {
    throw new Error(`--format ${format}: one of ${TRACE_FORMATS.join(', ')}.`);
  }
  const column = options.column ?? '0';
  const keys = await readTrace(path, {
    format: format as TraceFormat,
    column: /^\d+$/.test(column) ? Number(column) : column,
    limit: Number(options.limit ?? Number.POSITIVE_INFINITY),
  });
  const different = new Set(keys).size;
  console.log(`${path}: ${keys.length} requests for ${different} different keys`);
  for (const size of (sizes ?? PARTS.join(',')).split(',').map(Number)) {
    if (!(size > 0)) throw new Error(`--sizes: numbers of entries, or parts below 1.`);
    const max = size < 1 ? Math.max(1, Math.floor(different * size)) : size;
    const group = ratios(basename(path), keys, max);
    print(group.title, figureOf(group, PEER), figureOf(group, OURS));
  }
}

if (isEntry(import.meta.url)) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      sizes: { type: 'string' },
      format: { type: 'string' },
      column: { type: 'string' },
      limit: { type: 'string' },
    },
  });
  console.log(`${'workload'.padEnd(36)}     LRU S3-FIFO    gain`);
  if (positionals.length === 0) printSeeded();
  for (const path of positionals) await printTrace(path, values);
}
