/** What a program of the zoo is, and what it runs with. */
import genericPool from 'generic-pool';
import { nextTurn } from '../../src/core/host-timers.js';
import { createPool, type Factory, type Pool, type PoolOptions } from '../../src/pool/index.js';
import type {
  CheckOptions,
  LeakReport,
  LeakRule,
  OpenScope,
  Watchdog,
} from '../../src/watchdog/index.js';
import type { FakeClock } from '../kit/fake-clock.js';

/** One program, with one mistake or with none. */
export interface Program {
  /** What it does. The line of its mistake ends in `// LEAK: ` and this name. */
  readonly name: string;
  /** The rules that may find the mistake, and how many loans or objects are lost; absent for a healthy program. */
  readonly finds?: {
    readonly rules: readonly LeakRule[];
    readonly count?: number;
    /** Set if the level `sampled` finds all of them, and has the line of those only that it tracks. */
    readonly isFoundWithoutLine?: true;
    /**
     * How many leaks are told at most, if not one for each line: some levels do not know that losses of several scopes are of one line.
     */
    readonly mostLeaks?: number;
  };
  /** Set if it needs a Postgres. */
  readonly needsPostgres?: true;
  run(zoo: Zoo): unknown;
}

/** What a program runs with. */
export class Zoo {
  readonly watchdog: Watchdog;
  readonly clock: FakeClock;
  /** The address of a Postgres, for a program that needs one. */
  readonly postgresUrl: string;
  /** What was reported at a moment at which nothing may be. */
  readonly tooEarly: LeakReport[] = [];
  readonly #kept: unknown[] = [];

  constructor(watchdog: Watchdog, clock: FakeClock, postgresUrl: string) {
    this.watchdog = watchdog;
    this.clock = clock;
    this.postgresUrl = postgresUrl;
  }

  scope<T>(name: string, body: (scope: OpenScope) => T): T {
    return this.watchdog.scope(name, body);
  }

  /** Lets time pass. */
  age(millis: number): Promise<void> {
    return this.clock.advance(millis);
  }

  /** Waits until {@link age} has let the time pass. */
  wait(millis: number): Promise<void> {
    return new Promise((resolve) => void this.clock.setTimer(resolve, millis));
  }

  /** At this moment nothing may be reported. */
  async mustBeQuiet(options?: CheckOptions): Promise<void> {
    this.tooEarly.push(...(await this.watchdog.check(options)));
  }

  /** Makes a watched pool of plain objects. */
  pool(options: Partial<PoolOptions> = {}): Pool<Conn> {
    return this.watched(createPool(connections, { name: 'db', max: 50, ...options }));
  }

  /** Has a component watched, and keeps it, as a module of a service does. */
  watched<T extends Parameters<Watchdog['watch']>[0]>(component: T): T {
    this.#kept.push(component);
    this.watchdog.watch(component);
    return component;
  }

  /** Healthy neighbours: short requests, each in a scope of its own. */
  async traffic(pool: Pool<Conn>, requests: number): Promise<void> {
    for (let i = 0; i < requests; i++) {
      await this.scope('GET /health', () => pool.use(({ id }) => id));
    }
  }
}

/** A connection that does nothing. */
export class Conn {
  static #made = 0;
  readonly id: number = ++Conn.#made;

  async query(sql: string): Promise<string> {
    await null;
    if (sql.includes('boom')) throw new Error(`bad sql: ${sql}`);
    return sql;
  }
}

export const connections: Factory<Conn> = { create: () => new Conn(), destroy: () => {} };

/** Calls a function so that nothing on the stack holds what it drops. */
export async function isolated(fn: () => Promise<unknown>): Promise<void> {
  await (async () => {
    await fn();
  })();
  await nextTurn();
}

/** Makes a pool of generic-pool, which a program adopts. */
export function genericPeer(max: number) {
  return genericPool.createPool(
    { create: async () => new Conn(), destroy: async () => {} },
    { max },
  );
}
