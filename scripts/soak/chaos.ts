/** The chaos of a soak: failures of servers and networks, and acts of operators, chosen at random. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { LocalPostgres } from '../../examples/service/local-postgres.js';
import type { TcpProxy } from '../../test/kit/tcp-proxy.js';
import { APPLICATION, type SoakPool, WIDTH } from './load.js';
import type { Random } from './random.js';

export interface ChaosTarget {
  readonly server: LocalPostgres;
  readonly proxy: TcpProxy;
  readonly pool: SoakPool;
  readonly random: Random;
  readonly seconds: number;
}

/** Length of the quiet last part of a soak, in which no incident begins: what it ends with, and its last heaps, are those of a calm service. */
export const QUIET_SECONDS = 6;

/** Causes an incident about once a second, and counts the incidents by kind. */
export async function runChaos(
  target: ChaosTarget,
  onSecond: (second: number) => void,
): Promise<string> {
  const { random, seconds } = target;
  const made = new Map<string, number>();
  const began = performance.now();
  let second = 0;
  const tick = setInterval(() => onSecond(++second), 1_000);
  try {
    while (performance.now() - began < (seconds - QUIET_SECONDS) * 1_000) {
      const incident = random.weighted(INCIDENTS);
      await incident(target);
      made.set(incident.name, (made.get(incident.name) ?? 0) + 1);
      await pause(300 + random.below(1_000));
    }
    const { pool, proxy } = target;
    proxy.heal();
    pool.resize({ min: 2, max: WIDTH });
    await pause(Math.max(0, seconds * 1_000 - (performance.now() - began)));
  } finally {
    clearInterval(tick);
  }
  return [...made].map(([name, count]) => `${name} ×${count}`).join(', ');
}

/** Kills some of the connections, idle and busy ones. */
async function kill({ server, random }: ChaosTarget): Promise<void> {
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

/** Cancels the running statements of all connections. */
async function cancel({ server }: ChaosTarget): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => {});
  await client.connect();
  await client.query(
    'select pg_cancel_backend(pid) from pg_stat_activity where application_name = $1',
    [APPLICATION],
  );
  await client.end();
}

/** Stalls the network, sometimes for less than the timeouts, sometimes for more. */
async function stall({ proxy, random }: ChaosTarget): Promise<void> {
  proxy.stall();
  await pause(200 + random.below(3_000));
  if (random.next() < 0.5) proxy.cut();
  proxy.heal();
}

async function cut({ proxy }: ChaosTarget): Promise<void> {
  proxy.cut();
}

async function restart({ server, random }: ChaosTarget): Promise<void> {
  await server.stop(random.next() < 0.5 ? 'fast' : 'immediate');
  await pause(random.below(500));
  await server.start();
}

async function invalidate({ pool }: ChaosTarget): Promise<void> {
  await pool.invalidate();
}

async function resize({ pool, random }: ChaosTarget): Promise<void> {
  pool.resize({ min: random.below(3), max: 3 + random.below(WIDTH - 2) });
}

async function clear({ pool }: ChaosTarget): Promise<void> {
  await pool.clear();
}

/** Opens all the connections that the server allows. */
async function exhaustServer({ server, random }: ChaosTarget): Promise<void> {
  const clients = Array.from({ length: 20 }, () => new pg.Client({ connectionString: server.url }));
  for (const client of clients) client.on('error', () => {});
  const connected = await Promise.allSettled(clients.map((client) => client.connect()));
  await pause(random.below(1_000));
  await Promise.all(
    clients.filter((_, i) => connected[i]?.status === 'fulfilled').map((client) => client.end()),
  );
}

const INCIDENTS: readonly (readonly [number, (target: ChaosTarget) => Promise<void>])[] = [
  [6, kill],
  [2, cancel],
  [3, stall],
  [4, cut],
  [1, restart],
  [2, invalidate],
  [3, resize],
  [1, clear],
  [2, exhaustServer],
];
