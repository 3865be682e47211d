/**
 * The main example: an orders service on a real Postgres, under load, once with a leak and once without. Run it by `npm
 * run demo`. `-- --seconds N` sets the length of each load. `-- --serve` keeps the leaking service running for your own
 * requests. `-- --legacy` runs a service that knows nothing of tenure, under `--import tenure/register`.
 */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { formatReport, type LeakReport, Watchdog } from 'tenure/watchdog';
import { demonstrateLegacy } from '../legacy/demo.js';
import { createApp, type FindOrder } from './app.js';
import { CUSTOMERS, createTables, ORDERS, openDatabase, PRODUCTS } from './database.js';
import { describeAnswers, runLoad } from './load.js';
import { startLocalPostgres } from './local-postgres.js';
import { findOrder as findOrderFixed } from './orders-fixed.js';
import { findOrder as findOrderLeaky } from './orders-leaky.js';

/** The exit code of a program that Ctrl-C has ended. */
const INTERRUPTED = 130;

/** How often the demo looks whether npm still runs. */
const PARENT_LOOK_MILLIS = 500;

const colour = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;

/** Aborts on Ctrl-C, and when nobody reads the output. All open resources are then closed in order. */
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => interruption.abort());
}
process.stdout.on('error', () => interruption.abort());
if (process.env['npm_lifecycle_event'] !== undefined) abortWithShellOfNpm();

/** On SIGTERM npm ends its shell, and the shell does not pass the signal on: this process gets another parent. */
function abortWithShellOfNpm(): void {
  const shell = process.ppid;
  setInterval(() => {
    if (process.ppid !== shell) interruption.abort();
  }, PARENT_LOOK_MILLIS).unref();
}

process.exitCode = await main().catch(explainFailure);

async function main(): Promise<number> {
  const flags = readFlags();
  if (flags === undefined) return 2;
  await using postgres = await startPostgres();
  await using _tables = await createTables(postgres.url);
  console.log(`tables     ${CUSTOMERS} customers, ${PRODUCTS} products, ${ORDERS} orders\n`);
  if (flags.legacy) {
    return await demonstrateLegacy(postgres.url, flags.seconds, interruption.signal);
  }
  if (flags.serve) return await serve(postgres.url);
  const leaky = await demonstrate('with the leak', postgres.url, findOrderLeaky, flags.seconds);
  if (interruption.signal.aborted) return INTERRUPTED;
  const fixed = await demonstrate('fixed', postgres.url, findOrderFixed, flags.seconds);
  if (interruption.signal.aborted) return INTERRUPTED;
  return verdict(leaky, fixed);
}

/** A failure in one line; of several causes, the first one. */
function explainFailure(error: unknown): number {
  const [cause] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
  console.error(`The demo could not go on: ${cause instanceof Error ? cause.message : cause}`);
  return 1;
}

/** The database of `DATABASE_URL`, or a local one. */
async function startPostgres(): Promise<{ readonly url: string } & AsyncDisposable> {
  const url = process.env['DATABASE_URL'];
  if (url !== undefined) {
    console.log('postgres   the one at DATABASE_URL');
    return { url, async [Symbol.asyncDispose]() {} };
  }
  const postgres = await startLocalPostgres();
  console.log(`postgres   started for this run: ${postgres.url}`);
  return postgres;
}

/** Runs the service under load, and returns the leaks that the watchdog found. */
async function demonstrate(
  title: string,
  databaseUrl: string,
  findOrder: FindOrder,
  seconds: number,
): Promise<LeakReport[]> {
  console.log(`── the orders service, ${title} ──`);
  await using service = await startService(databaseUrl, findOrder);
  const { db, watchdog, findProduct, customers } = service;
  let told = false;
  watchdog.on('leak', (leak) => {
    if (told || leak.site === undefined) return;
    told = true;
    console.log(
      `  LEAK  ${leak.scope} lost a connection taken at ${leak.site.file}:${leak.site.line}  (${leak.count} so far)`,
    );
  });
  const load = await runLoad(service.url, seconds, interruption.signal);
  const sharedCustomers = customers.size; // V8 may collect them when no request has them any more.
  while (watchdog.stats().scopes > 0) await setTimeout(5); // The last requests have no client any more, but still run.
  const leaks = await watchdog.check({ forceGc: true });
  const pool = db.stats();
  const cache = findProduct.cacheInfo();
  console.log(
    `load       ${Math.round(load.requestsPerSecond).toLocaleString('en')} req/s, p50 ${load.p50Millis} ms, p99 ${load.p99Millis} ms`,
  );
  console.log(`answers    ${describeAnswers(load.answers)}`);
  console.log(
    `pool       ${pool.borrowed}/${pool.max} out, ${pool.loans.toLocaleString('en')} loans, ${pool.acquireTimeouts} acquire timeouts`,
  );
  console.log(
    `cache      ${cache.hits.toLocaleString('en')} hits, ${cache.misses.toLocaleString('en')} misses, ${cache.size} products; ${sharedCustomers} customers shared`,
  );
  console.log(`\n${formatReport(leaks, { colour })}\n`);
  return leaks;
}

async function startService(databaseUrl: string, findOrder: FindOrder) {
  const watchdog = new Watchdog({ level: 'advanced', graceMillis: 50 });
  const db = openDatabase(databaseUrl);
  const { app, findProduct, customers } = createApp(db, watchdog, findOrder);
  await db.warmUp(db.max); // The first customers do not wait for connections.
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    db,
    watchdog,
    findProduct,
    customers,
    async [Symbol.asyncDispose]() {
      await app.close();
      await db.close({ graceMillis: 0, force: true });
      watchdog[Symbol.dispose]();
    },
  };
}

async function serve(databaseUrl: string): Promise<number> {
  await using service = await startService(databaseUrl, findOrderLeaky);
  service.watchdog.on('leak', (leak) => console.log(`\n${formatReport([leak], { colour })}`));
  console.log(`The leaking service is up until Ctrl-C:
  curl ${service.url}/orders/1
  curl ${service.url}/products/1
  curl ${service.url}/customers/1/orders
  curl ${service.url}/healthz
  curl ${service.url}/orders/${ORDERS + 1}    # leaks: ten of these, and the pool is exhausted`);
  if (!interruption.signal.aborted) await once(interruption.signal, 'abort');
  return 0;
}

function verdict(leaky: readonly LeakReport[], fixed: readonly LeakReport[]): number {
  const found = leaky.find((leak) => leak.site?.file.endsWith('orders-leaky.ts'));
  if (found?.site === undefined) {
    console.error('The watchdog did not name the line of the leak.');
    return 1;
  }
  if (fixed.length > 0) {
    console.error('The fixed service leaks.');
    return 1;
  }
  const { file, line } = found.site;
  console.log(`${file}:${line} leaked ${found.count} connections on ${found.scope}.`);
  console.log('With `await using` on that line, nothing leaks.');
  return 0;
}

interface Flags {
  readonly seconds: number;
  readonly serve: boolean;
  readonly legacy: boolean;
}

function readFlags(): Flags | undefined {
  try {
    const { values } = parseArgs({
      options: {
        seconds: { type: 'string', default: '4' },
        serve: { type: 'boolean', default: false },
        legacy: { type: 'boolean', default: false },
      },
    });
    const seconds = Number(values.seconds);
    if (Number.isInteger(seconds) && seconds >= 1) {
      const { serve, legacy } = values;
      return { seconds, serve, legacy };
    }
    console.error(`--seconds takes a whole number from 1, not "${values.seconds}".`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  console.error('usage: npm run demo -- [--seconds N] [--serve | --legacy]');
  return undefined;
}
