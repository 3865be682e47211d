/**
 * What `tenure/register` adds: to a loan of a pool that is watched, and to an HTTP request that is a scope. The pools and the
 * requests that are compared run in one process, interleaved.
 *
 * Run with `npm run bench:one bench/register/cost.ts [rounds]`.
 */
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { httpScopes, watchForeignPools } from '../../src/node/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { isEntry, numberArgument, printAndExit, rowsOf } from '../command-line.js';
import {
  type BenchOptions,
  type Contender,
  figureOf,
  type Group,
  measureProcessorTime,
} from '../compare.js';
import { asMultipleOf, atMostFigure, type Row, type Section } from '../row.js';

export const packages = ['generic-pool', 'tarn'] as const;

const LOANS = 100_000;
const REQUESTS = 20_000;
const CONNECTIONS = 8;
const BARE = 'bare';
/** The levels that are compared: the cheapest ones, and the default one of the flag with its bound on stacks. */
const WATCHED = {
  'watched at counters': { level: 'counters' },
  'watched at sampled': { level: 'sampled' },
  'watched as by the flag': { level: 'advanced', stacksPerSecond: 100 },
} as const;

type Watched = keyof typeof WATCHED;
const MAX_LOAN_NANOS = 1_500;
const MAX_REQUEST_NANOS = 3_000;

const require = createRequire(import.meta.url);

export function rows(options: BenchOptions): Promise<Row[]> {
  return rowsOf(sections(options));
}

async function* sections(options: BenchOptions): AsyncGenerator<Section> {
  for (const name of packages) {
    for (const watched of Object.keys(WATCHED) as Watched[]) {
      const group = await loansOf(name, watched, options);
      const added = difference(`Added to a loan of ${name}`, group, watched, BARE);
      yield { group, rows: [...asMultipleOf(group, watched, [BARE])] };
      yield { group: added, rows: [atMostFigure(MAX_LOAN_NANOS, added, watched)] };
    }
  }
  const group = await requests(options);
  const added = difference('Added to an HTTP request (processor time)', group, 'scoped', BARE);
  yield { group, rows: [...asMultipleOf(group, 'scoped', [BARE])] };
  yield { group: added, rows: [atMostFigure(MAX_REQUEST_NANOS, added, 'scoped')] };
}

function difference(title: string, group: Group, ours: string, bare: string): Group {
  const added = figureOf(group, ours) - figureOf(group, bare);
  return { title, unit: 'ns', figures: new Map([[ours, added]]) };
}

interface Pool {
  acquire(): PromiseLike<object> | { readonly promise: PromiseLike<object> };
  release(resource: object): unknown;
}

type MakePool = (exports: never) => Pool;

const FACTORY = { create: async () => ({}), destroy: async () => {} };

const MAKERS: Readonly<Record<(typeof packages)[number], MakePool>> = {
  'generic-pool': ({ createPool }: { createPool(factory: object, options: object): Pool }) =>
    createPool(FACTORY, { max: 10 }),
  tarn: ({ Pool: Tarn }: { readonly Pool: new (options: object) => Pool }) =>
    new Tarn({ ...FACTORY, min: 0, max: 10 }),
};

/** A copy of the package that is not watched stands beside the watched one: both are warm, and no patch comes and goes. */
async function loansOf(
  name: (typeof packages)[number],
  level: Watched,
  options: BenchOptions,
): Promise<Group> {
  const home = mkdtempSync(join(tmpdir(), 'tenure-bench-'));
  try {
    const copy = join(home, 'bare-copy');
    cpSync(dirname(require.resolve(`${name}/package.json`)), copy, { recursive: true });
    const bare = MAKERS[name](require(copy) as never);
    using watchdog = new Watchdog(WATCHED[level]);
    using _foreign = watchForeignPools(watchdog, { packages: [name] });
    const watched = MAKERS[name](require(name) as never);
    const contenders = [lending(BARE, bare), lending(level, watched)];
    return await measureProcessorTime(`One loan of ${name}`, contenders, options, LOANS);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function lending(name: string, pool: Pool): Contender {
  return {
    name,
    async run(loans) {
      for (let i = 0; i < loans; i++) {
        const acquired = pool.acquire();
        pool.release(await ('promise' in acquired ? acquired.promise : acquired));
      }
    },
  };
}

async function requests(options: BenchOptions): Promise<Group> {
  const server = createServer((_request, response) => response.end('done'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  using watchdog = new Watchdog({ level: 'counters' });
  const contenders: Contender[] = [
    { name: BARE, run: (count) => ask(sockets, count) },
    {
      name: 'scoped',
      async run(count) {
        using _scopes = httpScopes(watchdog);
        await ask(sockets, count);
      },
    },
  ];
  const title = 'Processor time of an HTTP request, client included';
  const group = await measureProcessorTime(title, contenders, options, REQUESTS);
  for (const socket of sockets) socket.destroy();
  server.close();
  return group;
}

/** Sends this many requests, one after another on each connection. */
async function ask(sockets: readonly Socket[], count: number): Promise<void> {
  const each = Math.ceil(count / sockets.length);
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          let left = each;
          const send = (): void => {
            if (left-- > 0) socket.write('GET /orders/17 HTTP/1.1\r\nhost: x\r\n\r\n');
            else {
              socket.off('data', send);
              resolve();
            }
          };
          socket.on('data', send);
          send();
        }),
    ),
  );
}

if (isEntry(import.meta.url)) await printAndExit(sections({ rounds: numberArgument(0, 15) }));
