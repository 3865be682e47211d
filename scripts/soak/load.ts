/** The load of a soak: workers that use every method of the pool, and check that each connection has one holder. */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { type Lease, type Pool, PoolError } from 'tenure/pool';
import { createClientPool } from '../../src/integrations/pg.js';
import type { Random } from './random.js';

export type SoakPool = Pool<pg.Client>;

/** Application name of the pool's connections on the server. */
export const APPLICATION = 'tenure-soak';

export const WIDTH = 8;
const WORKERS = 24;

/** Every timeout of the pool and the client, in milliseconds: so short that a network stall exceeds each of them. */
const TIMEOUT = 1_500;

/** Longest time of an operation, in milliseconds: a loan, two statements, a reset, and a margin for a busy machine. */
const HANG_MILLIS = 30_000;

/** Codes of errors that only a mistake of the pool, or of the soak, can cause. */
const MISTAKES: ReadonlySet<unknown> = new Set([
  'TENURE_POOL_DOUBLE_RELEASE',
  'TENURE_POOL_RELEASE_AFTER_DESTROY',
  'TENURE_POOL_RELEASE_AFTER_DETACH',
  'TENURE_POOL_FOREIGN_RESOURCE',
  'TENURE_POOL_LEASE_ENDED',
  'TENURE_POOL_DUPLICATE_RESOURCE',
  'TENURE_INVALID_ARGUMENT',
]);

export function openSoakPool(port: number): SoakPool {
  return createClientPool(
    {
      connectionString: `postgres://postgres@127.0.0.1:${port}/postgres`,
      application_name: APPLICATION,
      query_timeout: TIMEOUT,
      connectionTimeoutMillis: TIMEOUT,
    },
    {
      name: 'soak',
      max: WIDTH,
      min: 2,
      acquireTimeoutMillis: TIMEOUT,
      createTimeoutMillis: TIMEOUT,
      validateTimeoutMillis: TIMEOUT,
      destroyTimeoutMillis: 2 * TIMEOUT,
      idleTimeoutMillis: 3_000,
      maxLifetimeMillis: 20_000,
      maxUses: 2_000,
      keepaliveMillis: 1_000,
      maxWaitingClients: 2 * WORKERS,
    },
  );
}

type Operation = (n: number) => Promise<void>;

export class Load {
  readonly #pool: SoakPool;
  readonly #random: Random;
  readonly #held = new Set<pg.Client>();
  readonly #outcomes = new Map<string, number>();
  readonly #began = new Map<number, number>();
  /** Faults that were seen: events that must never happen. */
  readonly mistakes: string[] = [];
  longestMillis = 0;
  #operations = 0;
  #isOver = false;
  #workers: Promise<void>[] = [];

  constructor(pool: SoakPool, random: Random) {
    this.#pool = pool;
    this.#random = random;
  }

  get operations(): number {
    return this.#operations;
  }

  start(): void {
    this.#workers = Array.from({ length: WORKERS }, (_, worker) => this.#work(worker));
  }

  /** Waits for the operations in progress. An operation that does not end is a fault. */
  async stop(): Promise<void> {
    this.#isOver = true;
    const timer = new AbortController();
    const hung = pause(HANG_MILLIS, 'hung', { signal: timer.signal }).catch(() => 'over');
    const ended = Promise.all(this.#workers);
    if ((await Promise.race([ended, hung])) === 'hung') {
      this.mistakes.push(`${this.#began.size} operations hang`);
    }
    timer.abort();
  }

  describe(): string {
    const outcomes = [...this.#outcomes].sort(([, a], [, b]) => b - a);
    const parts = outcomes.map(([outcome, count]) => `${outcome} ×${count.toLocaleString('en')}`);
    return `${this.#operations.toLocaleString('en')} in all: ${parts.join(', ')}`;
  }

  async #work(worker: number): Promise<void> {
    const operations: readonly (readonly [number, Operation])[] = [
      [40, (n) => this.#use(n)],
      [30, (n) => this.#lease(n)],
      [5, (n) => this.#fail(n)],
      [5, () => this.#leaveAtOnce()],
      [5, () => this.#leaveLater()],
      [3, () => this.#useAndLeave()],
      [3, (n) => this.#discard(n)],
      [2, (n) => this.#destroy(n)],
      [1, (n) => this.#detach(n)],
      [3, (n) => this.#tryLease(n)],
      [2, (n) => this.#acquire(n)],
      [1, () => this.#transaction()],
    ];
    for (let n = worker; !this.#isOver; n += WORKERS) {
      const began = performance.now();
      this.#began.set(worker, began);
      try {
        await this.#random.weighted(operations)(n);
        this.#count('answered');
      } catch (error) {
        this.#judge(error);
        await pause(5); // A server that is down refuses at once.
      } finally {
        this.#began.delete(worker);
      }
      const millis = performance.now() - began;
      this.longestMillis = Math.max(this.longestMillis, millis);
      if (millis > HANG_MILLIS) this.mistakes.push(`an operation took ${Math.round(millis)} ms`);
    }
  }

  async #use(n: number): Promise<void> {
    await this.#pool.use((client) => this.#holding(client, () => this.#ask(client, n)));
  }

  async #lease(n: number): Promise<void> {
    await using lease = await this.#pool.lease();
    await this.#holding(lease.resource, () => this.#ask(lease.resource, n));
  }

  /** Runs a statement that fails. Its connection stays usable. */
  async #fail(n: number): Promise<void> {
    await this.#pool.use((client) =>
      this.#holding(client, async () => {
        await client.query('select 1/0').catch((error: { code?: string }) => {
          if (error.code !== '22012') throw error;
        });
        await this.#ask(client, n);
      }),
    );
  }

  async #leaveAtOnce(): Promise<void> {
    const leaving = new AbortController();
    const asked = this.#pool.lease({ signal: leaving.signal });
    leaving.abort(new Left());
    await this.#giveBack(asked);
  }

  async #leaveLater(): Promise<void> {
    const leaving = new AbortController();
    const asked = this.#pool.lease({ signal: leaving.signal, timeoutMillis: 50 });
    const timer = setTimeout(() => leaving.abort(new Left()), this.#random.below(20));
    try {
      await this.#giveBack(asked);
    } finally {
      clearTimeout(timer);
    }
  }

  async #giveBack(asked: Promise<Lease<pg.Client>>): Promise<void> {
    const lease = await asked;
    await this.#holding(lease.resource, () => Promise.resolve());
    void lease.release();
  }

  /** Releases a connection before its statement has ended. */
  async #useAndLeave(): Promise<void> {
    await this.#pool.use((client) =>
      this.#holding(client, async () => {
        void client.query('select pg_sleep(0.05)').catch(() => {});
      }),
    );
  }

  async #discard(n: number): Promise<void> {
    await this.#pool.use((client, context) =>
      this.#holding(client, async () => {
        context.discard();
        await this.#ask(client, n);
      }),
    );
  }

  async #destroy(n: number): Promise<void> {
    const lease = await this.#pool.lease();
    try {
      await this.#holding(lease.resource, () => this.#ask(lease.resource, n));
    } finally {
      await lease.destroy();
    }
  }

  async #detach(n: number): Promise<void> {
    const lease = await this.#pool.lease();
    const client = lease.detach();
    try {
      await this.#ask(client, n);
    } finally {
      await endWithin(client, TIMEOUT);
    }
  }

  async #tryLease(n: number): Promise<void> {
    const lease = this.#pool.tryLease();
    if (lease === undefined) return;
    try {
      await this.#holding(lease.resource, () => this.#ask(lease.resource, n));
    } finally {
      await lease.release();
    }
  }

  async #acquire(n: number): Promise<void> {
    const client = await this.#pool.acquire();
    try {
      await this.#holding(client, () => this.#ask(client, n));
    } finally {
      await this.#pool.release(client);
    }
  }

  /** Leaves a transaction open: the pool's `reset` has to end it. */
  async #transaction(): Promise<void> {
    await this.#pool.use((client) =>
      this.#holding(client, async () => {
        await client.query('begin');
        await client.query('create temp table t (id int)');
      }),
    );
  }

  async #ask(client: pg.Client, n: number): Promise<void> {
    const { rows } = await client.query<{ n: number }>('select $1::int as n', [n]);
    if (rows[0]?.n !== n) this.mistakes.push(`asked for ${n}, got ${rows[0]?.n}`);
  }

  async #holding(client: pg.Client, body: () => Promise<void>): Promise<void> {
    if (this.#held.has(client)) this.mistakes.push('a connection has two holders');
    this.#held.add(client);
    try {
      await body();
    } finally {
      this.#held.delete(client);
    }
  }

  /** Counts an error. Only errors that the pool itself causes are faults: servers and networks may fail in any way. */
  #judge(error: unknown): void {
    const { code } = error as { code?: unknown };
    if (MISTAKES.has(code) || error instanceof TypeError || error instanceof ReferenceError) {
      this.mistakes.push(String((error as Error).stack ?? error));
    }
    if (error instanceof Left) this.#count('left');
    else if (error instanceof PoolError) this.#count(error.code);
    else this.#count(typeof code === 'string' ? code : 'broken off');
  }

  #count(outcome: string): void {
    this.#operations++;
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }
}

/** Reason with which callers abort. */
class Left extends Error {}

/** Ends a client, and cuts its connection if the server does not answer in time. */
async function endWithin(client: pg.Client, limitMillis: number): Promise<void> {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  const timer = setTimeout(() => connection.stream.destroy(), limitMillis);
  await client.end();
  clearTimeout(timer);
}
