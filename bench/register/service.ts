/**
 * What `node --import tenure/register` costs a service: its start, and its throughput. The service is that of
 * `examples/legacy`, on a real Postgres, with and without the flag, one after another, under load of autocannon.
 *
 * Run with `npx tsx bench/register/service.ts [rounds]`, after `npm run build`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { CUSTOMERS, createTables } from '../../examples/service/database.js';
import { hasLocalPostgres, startLocalPostgres } from '../../examples/service/local-postgres.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Group, median } from '../compare.js';
import { asMultipleOf, atMostFigure, type Row, type Section } from '../row.js';
import { BenchSkipped } from '../skipped.js';

export const packages = ['express', 'pg', 'autocannon'] as const;

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const REGISTER = new URL('../../dist/node/register/index.js', import.meta.url);
const FLAGS = ['--import', REGISTER.href];

const BARE = 'bare';

/** The options of `TENURE` by the name of the contender. */
const LEVELS = { 'with the flag': '', 'at counters': 'level=counters' } as const;

type Watched = keyof typeof LEVELS;

const WATCHED = Object.keys(LEVELS) as Watched[];

const MAX_START_MILLIS = 30;
const MAX_LOSS_PER_CENT = 3;
const LOAD_SECONDS = 2;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections({ rounds, scale = 1 }: BenchOptions): AsyncGenerator<Section> {
  if (!existsSync(REGISTER)) throw new BenchSkipped('there is no build: run `npm run build`');
  if (!(await hasLocalPostgres())) throw new BenchSkipped('there is no Postgres');
  const start = startUp(rounds);
  yield { group: start, rows: [atMostFigure(MAX_START_MILLIS, start, 'register')] };
  await using postgres = await startLocalPostgres();
  await using _tables = await createTables(postgres.url);
  const { loss, processor } = await underLoad(postgres.url, rounds, scale);
  yield { group: loss, rows: WATCHED.map((name) => atMostFigure(MAX_LOSS_PER_CENT, loss, name)) };
  yield {
    group: processor,
    rows: WATCHED.flatMap((name) => asMultipleOf(processor, name, [BARE])),
  };
}

/** Milliseconds of processor time that the flag adds to the start of a program: the difference of the cheapest starts. */
function startUp(rounds: number): Group {
  const bare: number[] = [];
  const registered: number[] = [];
  for (let round = 0; round < 2 * rounds + 1; round++) {
    bare.push(startMillis([]));
    registered.push(startMillis(FLAGS));
  }
  const added = Math.min(...registered) - Math.min(...bare);
  return {
    title: 'Processor time added to the start of Node',
    unit: 'ms',
    figures: new Map([['register', added]]),
  };
}

const PRINT_USAGE =
  'const { user, system } = process.cpuUsage(); console.log((user + system) / 1000)';

function startMillis(flags: readonly string[]): number {
  const { stdout } = spawnSync(process.execPath, [...flags, '--eval', PRINT_USAGE], {
    encoding: 'utf8',
  });
  return Number(stdout);
}

/** How long one run lasts: a number of seconds, or of requests. */
type Extent = { readonly duration: number } | { readonly amount: number };

/** What one run of the service gave. */
interface Run {
  readonly requestsPerSecond: number;
  /** Processor time of the service for a request, in nanoseconds. */
  readonly nanosPerRequest: number;
}

/** Medians of pairs of runs, with and without the flag, which alternate in their order. */
async function underLoad(
  url: string,
  rounds: number,
  scale: number,
): Promise<{ readonly loss: Group; readonly processor: Group }> {
  const extent = scale < 1 ? { amount: 100 } : { duration: Math.round(LOAD_SECONDS * scale) };
  const losses = new Map<Watched, number[]>(WATCHED.map((name) => [name, []]));
  const nanos = new Map<string, number[]>([BARE, ...WATCHED].map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of WATCHED) {
      const order = round % 2 === 0 ? [undefined, name] : [name, undefined];
      const runs = new Map<Watched | undefined, Run>();
      for (const each of order) runs.set(each, await runService(url, each, extent));
      const [bare, watched] = [runs.get(undefined), runs.get(name)];
      if (bare === undefined || watched === undefined) continue;
      losses.get(name)?.push(100 * (1 - watched.requestsPerSecond / bare.requestsPerSecond));
      nanos.get(BARE)?.push(bare.nanosPerRequest);
      nanos.get(name)?.push(watched.nanosPerRequest);
    }
  }
  const medians = (all: ReadonlyMap<string, number[]>): Map<string, number> =>
    new Map([...all].map(([name, values]) => [name, median(values)]));
  return {
    loss: {
      title: 'Throughput that a service loses under the flag',
      unit: '%',
      rounds,
      figures: medians(losses),
    },
    processor: {
      title: 'Processor time of a request of the service',
      unit: 'ns',
      rounds,
      figures: medians(nanos),
    },
  };
}

async function runService(
  databaseUrl: string,
  watched: Watched | undefined,
  extent: Extent,
): Promise<Run> {
  const flags = watched === undefined ? [] : FLAGS;
  const child = spawn(process.execPath, [...flags, 'examples/legacy/server.mjs', 'fixed'], {
    cwd: PROJECT,
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      TENURE: watched === undefined ? '' : LEVELS[watched],
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const url = await addressOf(child);
    const requests = Array.from({ length: 100 }, (_, i) => ({
      path: i % 2 === 0 ? `/orders/${i}` : `/customers/${1 + (i % CUSTOMERS)}/orders`,
    }));
    const load = { url, connections: 10, requests };
    await autocannon({ ...load, ...extent }); // Warms up.
    const before = processorNanos(child);
    const served = (await autocannon({ ...load, ...extent })).requests;
    return {
      requestsPerSecond: served.average,
      nanosPerRequest: (processorNanos(child) - before) / served.total,
    };
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

/** The processor time of a process so far, as Linux counts it in hundredths of a second; `NaN` elsewhere. */
function processorNanos({ pid }: ChildProcess): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 1e7;
  } catch {
    return Number.NaN;
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the service has no output');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return line.replace('listening on ', '');
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 7) }));
