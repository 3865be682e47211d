/**
 * What watching costs a whole service: the orders service of the demo on a real Postgres, watched at `simple` and at `off`. Each runs in a
 * process of its own, and the load comes from this one. The rounds are interleaved. A third service has no watchdog, and runs each
 * handler in an AsyncLocalStorage as a scope does: on Node 20 and 22, that alone makes each promise slower.
 *
 * Run with `npm run bench:one bench/watchdog/service.ts [rounds]`.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { CUSTOMERS, createTables, ORDERS, PRODUCTS } from '../../examples/service/database.js';
import { hasLocalPostgres, startLocalPostgres } from '../../examples/service/local-postgres.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import { type BenchOptions, type Group, median } from '../compare.js';
import { asMultipleOf, atMost, type Row, type Section } from '../row.js';
import { BenchSkipped } from '../skipped.js';
import type { ServiceMessage } from './service-process.js';

const SERVICES = ['off', 'AsyncLocalStorage', 'simple'] as const;
/** How long a round takes, in seconds. */
const SECONDS = 2;

const CONNECTIONS = 20;

/** What a level may cost, as a multiple of `off`. */
const LIMIT = 1.03;

export const packages = ['fastify', 'pg'] as const;

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections({ rounds, scale = 1 }: BenchOptions): AsyncGenerator<Section> {
  if (!(await hasLocalPostgres())) throw new BenchSkipped('there is no Postgres');
  await using server = await startLocalPostgres();
  await using _tables = await createTables(server.url);
  const seconds = Math.max(1, Math.round(SECONDS * scale)); // autocannon measures whole seconds.
  const services = await Promise.all(SERVICES.map((name) => startService(name, server.url)));
  const runs = services.map((): Run[] => []);
  try {
    for (const service of services) await load(service, seconds); // Compiles the code.
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? [0, 1, 2] : [2, 1, 0];
      for (const i of order) runs[i]?.push(await load(services[i] as Service, seconds));
    }
  } finally {
    for (const { child } of services) child.kill();
  }
  const groupOf = (title: string, figure: keyof Run): Group => ({
    title,
    unit: 'ns',
    rounds,
    figures: new Map(
      SERVICES.map((name, i) => [name, median((runs[i] as Run[]).map((run) => run[figure]))]),
    ),
  });
  for (const group of [
    groupOf('Processor time of a request', 'processorNanos'),
    groupOf(`Seconds over requests, ${CONNECTIONS} at once`, 'nanos'),
  ]) {
    yield {
      group,
      rows: [
        atMost(LIMIT, group, 'simple', 'off'),
        ...asMultipleOf(group, 'simple', ['AsyncLocalStorage']),
      ],
    };
  }
}

interface Service {
  readonly child: ChildProcess;
  readonly url: string;
}

/** Figures of one request. */
interface Run {
  readonly processorNanos: number;
  readonly nanos: number;
}

async function startService(
  name: (typeof SERVICES)[number],
  databaseUrl: string,
): Promise<Service> {
  const module = fileURLToPath(new URL('service-process.ts', import.meta.url));
  const child = fork(module, [name, databaseUrl]);
  const { url } = await messageOf(child);
  return { child, url };
}

async function load({ child, url }: Service, seconds: number): Promise<Run> {
  let asked = 0;
  const before = await processorMicros(child);
  const { requests, duration } = await autocannon({
    url,
    connections: CONNECTIONS,
    duration: seconds,
    requests: [{ setupRequest: (request) => ({ ...request, path: pathOf(asked++) }) }],
  });
  const micros = (await processorMicros(child)) - before;
  return {
    processorNanos: (micros * 1e3) / requests.total,
    nanos: (duration * 1e9) / requests.total,
  };
}

async function processorMicros(child: ChildProcess): Promise<number> {
  const answer = messageOf(child);
  child.send('processor time');
  return (await answer).processorMicros;
}

async function messageOf(child: ChildProcess): Promise<ServiceMessage> {
  const answered = new AbortController();
  const { signal } = answered;
  const exit = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`the service has exited with ${code}`);
  });
  const [message] = await Promise.race([once(child, 'message', { signal }), exit]);
  exit.catch(() => {});
  answered.abort();
  return message as ServiceMessage;
}

function pathOf(request: number): string {
  const paths = [
    `/orders/${1 + (request % ORDERS)}`,
    `/products/${1 + (request % PRODUCTS)}`,
    `/customers/${1 + (request % CUSTOMERS)}/orders`,
  ];
  return paths[request % paths.length] as string;
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 9) }));
