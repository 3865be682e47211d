/**
 * Random programs over adopted pools. Callers come, leave, time out, release, destroy and detach, while other users
 * take from the peer directly, or holders give back directly and end their leases later. In every case no resource has
 * two holders, none is lost, and no caller waits beside a free one.
 */
import fc from 'fast-check';
import genericPool from 'generic-pool';
import { Pool } from 'tarn';
import { describe, expect, test, vi } from 'vitest';
import type { AdoptOptions } from '../../../src/integrations/adoption/adopt-options.js';
import type { AdoptedPool } from '../../../src/integrations/adoption/adopted-pool.js';
import { adoptPool as adoptGenericPool } from '../../../src/integrations/generic-pool.js';
import { adoptPool as adoptTarnPool } from '../../../src/integrations/tarn.js';
import type { Lease } from '../../../src/pool/index.js';
import { FakeClock } from '../../kit/fake-clock.js';
import { settle } from '../../kit/settle.js';
import { until } from '../../kit/until.js';

interface Thing {
  isAlive: boolean;
}

interface Peer {
  readonly pool: AdoptedPool<Thing>;
  take(): PromiseLike<Thing>;
  give(thing: Thing): unknown;
}

/** The resources that were created and not destroyed. */
type Living = Set<Thing>;

function factoryOf(living: Living) {
  return {
    create: async (): Promise<Thing> => {
      await settle();
      const thing = { isAlive: true };
      living.add(thing);
      return thing;
    },
    destroy: async (thing: Thing): Promise<void> => {
      if (!living.delete(thing)) throw new Error('destroyed twice');
      thing.isAlive = false;
    },
  };
}

const PEERS = {
  'generic-pool': (max: number, living: Living, options: AdoptOptions): Peer => {
    const peer = genericPool.createPool(factoryOf(living), { max });
    return {
      pool: adoptGenericPool(peer, options),
      take: () => peer.acquire(),
      give: (thing) => peer.release(thing),
    };
  },
  tarn: (max: number, living: Living, options: AdoptOptions): Peer => {
    const peer = new Pool({ ...factoryOf(living), min: 0, max });
    return {
      pool: adoptTarnPool(peer, options),
      take: () => peer.acquire().promise,
      give: (thing) => peer.release(thing),
    };
  },
};

const place = fc.nat({ max: 7 });

const step = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ does: 'come' as const }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('come' as const), for: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('leave' as const), which: place }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('release' as const), which: place }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('destroy' as const), which: place }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('detach' as const), which: place }) },
  { weight: 2, arbitrary: fc.constant({ does: 'pass it' as const }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('end late' as const), which: place }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('pass' as const), millis: fc.nat(15) }) },
  { weight: 2, arbitrary: fc.constant({ does: 'settle' as const }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Takes some turns, in which the resource may be lent again. */
async function reset(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await settle();
}

class Program {
  readonly clock = new FakeClock();
  readonly living: Living = new Set();
  readonly peer: Peer;
  readonly max: number;
  readonly waiting: AbortController[] = [];
  readonly leases: Lease<Thing>[] = [];
  /** The resources that are held without a lease. */
  readonly bare: Thing[] = [];
  /** Leases whose resource was given back directly. */
  readonly stale: Lease<Thing>[] = [];
  /** Whether holders give back directly. Otherwise other users take directly: the adoption could not tell a stale lease on their loans. */
  readonly givesBack: boolean;
  readonly ended: Promise<unknown>[] = [];
  come = 0;
  served = 0;
  left = 0;

  constructor(which: keyof typeof PEERS, max: number, givesBack: boolean) {
    this.max = max;
    this.givesBack = givesBack;
    const options = { clock: this.clock, acquireTimeoutMillis: 1e9 };
    this.peer = PEERS[which](max, this.living, givesBack ? { ...options, reset } : options);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#take(step);
      this.#expectSingleHolders();
    }
    await this.#wait();
    await this.#end();
  }

  async #take(step: Step): Promise<void> {
    switch (step.does) {
      case 'come':
        return this.#come('for' in step ? step.for : undefined);
      case 'leave':
        return pick(this.waiting, step.which)?.abort(new Error('left'));
      case 'release':
        return void pick(this.leases, step.which)?.release();
      case 'destroy':
        return void this.ended.push(Promise.resolve(pick(this.leases, step.which)?.destroy()));
      case 'detach': {
        const lease = pick(this.leases, step.which);
        if (lease !== undefined) this.bare.push(lease.detach());
        return;
      }
      case 'pass it':
        if (this.givesBack) this.#giveBackDirectly();
        else this.ended.push(Promise.resolve(this.peer.take()).then((it) => this.peer.give(it)));
        return;
      case 'end late':
        return this.#endLate(pick(this.stale, step.which));
      case 'pass':
        return this.clock.advance(step.millis);
      case 'settle':
        return settle();
    }
  }

  #giveBackDirectly(): void {
    const lease = this.leases.pop();
    if (lease === undefined) return;
    this.ended.push(Promise.resolve(this.peer.give(lease.resource)));
    this.stale.push(lease);
  }

  /** The end of a stale lease fails if the adoption or the peer knows that its resource came back. */
  #endLate(lease: Lease<Thing> | undefined): void {
    const end = async (): Promise<void> => lease?.release();
    const refused = (error: unknown): void =>
      expect(error).toMatchObject({ code: 'TENURE_POOL_DOUBLE_RELEASE' });
    this.ended.push(end().catch(refused));
  }

  #come(timeoutMillis: number | undefined): void {
    const leaving = new AbortController();
    const options = { signal: leaving.signal };
    this.come++;
    this.waiting.push(leaving);
    const outcome = this.peer.pool
      .lease(timeoutMillis === undefined ? options : { ...options, timeoutMillis })
      .then(
        (lease) => {
          this.served++;
          this.leases.push(lease);
        },
        () => {
          this.left++;
        },
      )
      .finally(() => remove(this.waiting, leaving));
    this.ended.push(outcome);
  }

  #expectSingleHolders(): void {
    const held = [...this.leases.map(({ resource }) => resource), ...this.bare];
    expect(new Set(held).size, 'each resource has one holder').toBe(held.length);
    expect(
      held.every(({ isAlive }) => isAlive),
      'every held resource is alive',
    ).toBe(true);
    expect(held.length).toBeLessThanOrEqual(this.max);
  }

  /** Gives all resources back until no caller waits: each waiter must get a free resource. */
  async #wait(): Promise<void> {
    await until(async () => {
      for (const lease of this.leases.splice(0)) await lease.release();
      for (const thing of this.bare.splice(0)) this.peer.give(thing);
      this.#expectSingleHolders();
      return this.waiting.length === 0;
    });
    for (const lease of this.leases.splice(0)) await lease.release();
    for (const lease of this.stale.splice(0)) this.#endLate(lease);
    await Promise.all(this.ended);
  }

  async #end(): Promise<void> {
    const { pool } = this.peer;
    await until(() => {
      const { borrowed, pending, creating } = pool.stats(); // Requests of callers that left may still run.
      return borrowed + pending + creating === 0;
    });
    expect(this.served + this.left, 'every caller got an answer').toBe(this.come);
    expect(pool.stats()).toMatchObject({ loans: this.served, size: this.living.size });
    expect(pool.loans()).toEqual([]);
    expect(this.clock.pendingTimers).toBe(0);
    await pool.close({ endPeer: true });
    await until(() => this.living.size === 0);
  }
}

describe.each([
  { what: 'while other users take from the peer directly', givesBack: false },
  { what: 'while holders give back to the peer directly', givesBack: true },
])('$what', ({ givesBack }) => {
  test.each(['generic-pool', 'tarn'] as const)('%s', async (which) => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {});
    const programs = fc.tuple(
      fc.integer({ min: 1, max: givesBack ? 2 : 3 }),
      fc.array(step, { minLength: givesBack ? 20 : 0, maxLength: 40 }),
    );
    await fc.assert(
      fc.asyncProperty(programs, ([max, steps]) => new Program(which, max, givesBack).run(steps)),
      { numRuns: givesBack ? 50 : 100 },
    );
    for (const [report] of reported.mock.calls) expect(report).toMatch(/giving a resource back/);
    reported.mockRestore();
  });
});

function pick<E>(from: E[], which: number): E | undefined {
  return from.length === 0 ? undefined : from.splice(which % from.length, 1)[0];
}

function remove<E>(from: E[], what: E): void {
  const index = from.indexOf(what);
  if (index >= 0) from.splice(index, 1);
}
