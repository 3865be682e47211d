/**
 * What `node --import tenure/register` costs a service: its start, and its throughput. The service is that of
 * `examples/legacy`, on a real Postgres, with and without the flag, one after another, under load of autocannon.
 *
 * In each round all services are started anew, since V8 optimizes each process a little differently. They are loaded one after
 * another, for a second each, in an order that turns. The first two are the same: what the second one loses beside the first is
 * chance. The load and the database take part of the same processors. So the processor time of the service itself, which its
 * process tells, is the steadier figure.
 *
 * Run with `npm run bench:one bench/register/service.ts [rounds]`, after `npm run build`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
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

/** Has a process tell its processor time. */
const TELLS_USAGE = `data:text/javascript,${encodeURIComponent(`
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send(user + system);
  });`)}`;

const BARE = 'bare';
const BARE_AGAIN = 'bare again';

/** The options of `TENURE` by the name of the contender. */
const LEVELS = {
  'with the flag': '',
  'with the flag, at counters': 'level=counters',
  'with the flag, each request watched': 'scope=all',
} as const;

type Watched = keyof typeof LEVELS;

const WATCHED = Object.keys(LEVELS) as Watched[];

/** The contender whose loss is promised. */
const DEFAULT: Watched = 'with the flag';

const MAX_START_MILLIS = 30;
const MAX_LOSS_PER_CENT = 3;
const LOAD_SECONDS = 1;
const TURNS = 7;

/** V8 compiles the code of Express and pg anew until about here, which hides what is measured. */
const WARM_UP_REQUESTS = 12_000;

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
  yield { group: loss, rows: [atMostFigure(MAX_LOSS_PER_CENT, loss, DEFAULT)] };
  yield {
    group: processor,
    rows: [BARE_AGAIN, ...WATCHED].flatMap((name) => asMultipleOf(processor, name, [BARE])),
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

/** Medians over pairs of runs: each is compared with the run of the first service in the same turn. */
async function underLoad(
  url: string,
  rounds: number,
  scale: number,
): Promise<{ readonly loss: Group; readonly processor: Group }> {
  const isScaled = scale < 1;
  const extent = isScaled ? { amount: 100 } : { duration: LOAD_SECONDS };
  const losses = new Map<string, number[]>([BARE_AGAIN, ...WATCHED].map((name) => [name, []]));
  const nanos = new Map<string, number[]>([BARE, ...losses.keys()].map((name) => [name, []]));
  const turns = isScaled ? 1 : TURNS;
  for (let round = 0; round < rounds; round++) {
    await using services = new Services();
    for (const name of nanos.keys()) await services.start(url, name);
    const all = services.list;
    for (const service of all) await service.load({ amount: isScaled ? 100 : WARM_UP_REQUESTS });
    for (let turn = 0; turn < turns; turn++) {
      const runs = new Map<string, Run>();
      for (let i = 0; i < all.length; i++) {
        const service = all[(i + turn) % all.length] as Service;
        runs.set(service.name, await service.load(extent));
      }
      const bare = runs.get(BARE) as Run;
      for (const [name, run] of runs) {
        losses.get(name)?.push(100 * (1 - run.requestsPerSecond / bare.requestsPerSecond));
        nanos.get(name)?.push(run.nanosPerRequest);
      }
    }
  }
  const medians = (each: ReadonlyMap<string, number[]>): Map<string, number> =>
    new Map([...each].map(([name, values]) => [name, median(values)]));
  return {
    loss: {
      title: 'Throughput that a service loses under the flag',
      unit: '%',
      rounds: rounds * turns,
      figures: medians(losses),
    },
    processor: {
      title: 'Processor time of a request of the service',
      unit: 'ns',
      rounds: rounds * turns,
      figures: medians(nanos),
    },
  };
}

/** The services, which run at once. */
class Services implements AsyncDisposable {
  readonly list: Service[] = [];

  async start(databaseUrl: string, name: string): Promise<void> {
    const options = LEVELS[name as Watched] as string | undefined;
    const flags = options === undefined ? [] : FLAGS;
    const args = ['--import', TELLS_USAGE, ...flags, 'examples/legacy/server.mjs', 'fixed'];
    const child = spawn(process.execPath, args, {
      cwd: PROJECT,
      env: {
        ...process.env,
        DATABASE_URL: databaseUrl,
        TENURE: options ?? '',
      },
      stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    });
    this.list.push(new Service(name, child, await addressOf(child)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.list.map((service) => service.stop()));
  }
}

/** A service in a process of its own. */
class Service {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #url: string;

  constructor(name: string, child: ChildProcess, url: string) {
    this.name = name;
    this.#child = child;
    this.#url = url;
  }

  async load(extent: Extent): Promise<Run> {
    const requests = Array.from({ length: 100 }, (_, i) => ({
      path: i % 2 === 0 ? `/orders/${i}` : `/customers/${1 + (i % CUSTOMERS)}/orders`,
    }));
    const before = await this.#processorMicros();
    const served = (await autocannon({ url: this.#url, connections: 10, requests, ...extent }))
      .requests;
    return {
      requestsPerSecond: served.average,
      nanosPerRequest: (1_000 * ((await this.#processorMicros()) - before)) / served.total,
    };
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** The processor time of the service so far, in microseconds, as its process gives it. */
  async #processorMicros(): Promise<number> {
    const answer = once(this.#child, 'message');
    this.#child.send('usage');
    const [micros] = (await answer) as [number];
    return micros;
  }
}

async function addressOf(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the service has no output');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return line.replace('listening on ', '');
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 5) }));
