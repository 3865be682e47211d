/** The chaos of a soak: what servers, networks and operators do to a pool, drawn by lot. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { LocalPostgres } from '../../examples/service/local-postgres.js';
import type { TcpProxy } from '../../test/kit/tcp-proxy.js';
import { APPLICATION, type SoakPool, WIDTH } from './load.js';
import type { Random } from './random.js';

export interface Battlefield {
  readonly server: LocalPostgres;
  readonly proxy: TcpProxy;
  readonly pool: SoakPool;
  readonly random: Random;
  readonly seconds: number;
}

/** The last part of a soak is quiet, so that what it ends with is the pool's own doing. */
const QUIET_SECONDS = 4;

/** Makes trouble about once a second, and tells what it made. */
export async function runChaos(
  field: Battlefield,
  onSecond: (second: number) => void,
): Promise<string> {
  const { random, seconds } = field;
  const made = new Map<string, number>();
  const began = performance.now();
  let second = 0;
  const tick = setInterval(() => onSecond(++second), 1_000);
  try {
    while (performance.now() - began < (seconds - QUIET_SECONDS) * 1_000) {
      const trouble = random.weighted(TROUBLES);
      await trouble(field);
      made.set(trouble.name, (made.get(trouble.name) ?? 0) + 1);
      await pause(300 + random.below(1_000));
    }
    const { pool, proxy } = field;
    proxy.heal();
    pool.resize({ min: 2, max: WIDTH });
    await pause(Math.max(0, seconds * 1_000 - (performance.now() - began)));
  } finally {
    clearInterval(tick);
  }
  return [...made].map(([name, count]) => `${name} ×${count}`).join(', ');
}

/** Kills some of the connections, whatever they are doing. */
async function kill({ server, random }: Battlefield): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => {});
  await client.connect();
  await client.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where application_name = $1 and random() < $2`,
    [APPLICATION, random.next()],
  );
  await client.end();
}

/** Cancels what some of them are doing. */
async function cancel({ server }: Battlefield): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => {});
  await client.connect();
  await client.query(
    'select pg_cancel_backend(pid) from pg_stat_activity where application_name = $1',
    [APPLICATION],
  );
  await client.end();
}

/** Nothing gets through for a while: sometimes shorter than the timeouts, sometimes longer. */
async function stall({ proxy, random }: Battlefield): Promise<void> {
  proxy.stall();
  await pause(200 + random.below(3_000));
  if (random.next() < 0.5) proxy.cut();
  proxy.heal();
}

async function cut({ proxy }: Battlefield): Promise<void> {
  proxy.cut();
}

async function restart({ server, random }: Battlefield): Promise<void> {
  await server.stop(random.next() < 0.5 ? 'fast' : 'immediate');
  await pause(random.below(500));
  await server.start();
}

async function invalidate({ pool }: Battlefield): Promise<void> {
  await pool.invalidate();
}

async function resize({ pool, random }: Battlefield): Promise<void> {
  pool.resize({ min: random.below(3), max: 3 + random.below(WIDTH - 2) });
}

async function clear({ pool }: Battlefield): Promise<void> {
  await pool.clear();
}

/** Others take all the connections that the server has. */
async function crowdOut({ server, random }: Battlefield): Promise<void> {
  const clients = Array.from({ length: 20 }, () => new pg.Client({ connectionString: server.url }));
  for (const client of clients) client.on('error', () => {});
  const connected = await Promise.allSettled(clients.map((client) => client.connect()));
  await pause(random.below(1_000));
  await Promise.all(
    clients.filter((_, i) => connected[i]?.status === 'fulfilled').map((client) => client.end()),
  );
}

const TROUBLES: readonly (readonly [number, (field: Battlefield) => Promise<void>])[] = [
  [6, kill],
  [2, cancel],
  [3, stall],
  [4, cut],
  [1, restart],
  [2, invalidate],
  [3, resize],
  [1, clear],
  [2, crowdOut],
];
