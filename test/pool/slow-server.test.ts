/** A server that needs longer for a connection than any caller waits, as one that wakes up. Callers that come later get the connection. */
import { describe, expect, test } from 'vitest';
import { createKeyedPool, createPool, type Factory, type Pool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { type Outcome, outcomeOf } from './outcome.js';

interface Connection {
  readonly id: number;
}

/** Makes connections that take `connectMillis`. */
class SlowServer implements Factory<Connection> {
  readonly #clock: FakeClock;
  readonly #heedsSignal: boolean;
  attempts = 0;
  connectMillis: number;
  /** Attempts that run and were not aborted, the most at one time. */
  mostWanted = 0;
  /** Attempts that run and were not aborted. */
  wanted = 0;
  open = 0;

  constructor(clock: FakeClock, connectMillis: number, heedsSignal = true) {
    this.#clock = clock;
    this.connectMillis = connectMillis;
    this.#heedsSignal = heedsSignal;
  }

  create({ signal }: { signal: AbortSignal }): Promise<Connection> {
    const id = ++this.attempts;
    this.mostWanted = Math.max(this.mostWanted, ++this.wanted);
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.wanted--;
        if (this.#heedsSignal) reject(signal.reason);
      });
      this.#clock.setTimer(() => {
        if (!signal.aborted) this.wanted--;
        else if (this.#heedsSignal) return;
        this.open++;
        resolve({ id });
      }, this.connectMillis);
    });
  }

  async destroy(): Promise<void> {
    this.open--;
  }
}

interface Lending {
  use(fn: () => void, options: object): Promise<void>;
}

/** Callers that come one after another, `everyMillis` apart. Each waits for `waitMillis`. Returns how many of the later half were served. */
async function servedLater(
  pool: Lending,
  clock: FakeClock,
  { count = 40, everyMillis = 500, waitMillis = 1_000, by = 'timeout' },
): Promise<number> {
  const outcomes: (() => Outcome<void>)[] = [];
  for (let caller = 0; caller < count; caller++) {
    const leaving = new AbortController();
    const options = by === 'timeout' ? { timeoutMillis: waitMillis } : { signal: leaving.signal };
    outcomes.push(outcomeOf(pool.use(() => {}, options)));
    clock.setTimer(() => leaving.abort(new Error('left')), waitMillis);
    await clock.advance(everyMillis);
  }
  await clock.advance(waitMillis);
  return outcomes.slice(count / 2).filter((outcome) => outcome().is === 'resolved').length;
}

describe.each([
  { max: 1, createAttempts: 8, by: 'timeout' },
  { max: 1, createAttempts: 1, by: 'signal' },
  { max: 10, createAttempts: 8, by: 'signal' },
  { max: 10, createAttempts: 1, by: 'timeout' },
])('callers that leave by their $by, max $max, createAttempts $createAttempts', (setup) => {
  const { max, createAttempts, by } = setup;

  test.each([
    ['overlap', 500, 1_000, 2_000],
    ['come one at a time', 1_500, 1_000, 2_000],
    ['come now and then', 20_000, 1_000, 2_000],
    ['leave before a call counts as slow', 70, 50, 80],
    ['come rarely, and leave before a call counts as slow', 20_000, 50, 80],
  ])(
    'callers that %s get a connection that takes longer than they wait',
    async (_, everyMillis, waitMillis, connectMillis) => {
      const clock = new FakeClock();
      const server = new SlowServer(clock, connectMillis);
      await using pool = createPool(server, {
        max,
        createAttempts,
        clock,
        idleTimeoutMillis: 60_000,
      });
      expect(await servedLater(pool, clock, { everyMillis, waitMillis, by })).toBe(20);
      expect(server.mostWanted).toBeLessThanOrEqual(max + 1);
      expect(pool.stats()).toMatchObject({ size: server.open, creating: 0 });
    },
  );

  test('a key of a keyed pool gets its connection', async () => {
    const clock = new FakeClock();
    const server = new SlowServer(clock, 2_000);
    await using pools = createKeyedPool(() => server, { max, createAttempts, clock });
    expect(await servedLater(pools.pool('a'), clock, { by })).toBe(20);
  });
});

test('a connection that comes after createTimeoutMillis is lent, although another creation has its place', async () => {
  const clock = new FakeClock();
  const server = new SlowServer(clock, 1_500, false);
  await using pool = createPool(server, { max: 1, createTimeoutMillis: 1_000, clock });
  expect(await servedLater(pool, clock, { waitMillis: 5_000 })).toBe(20);
  expect(pool.stats()).toMatchObject({ size: 1, creating: 0 });
});

/** A pool whose second caller has left in vain, too: its creation continues. */
async function leftInVain(clock: FakeClock, server: SlowServer): Promise<Pool<Connection>> {
  const pool = createPool(server, { clock });
  for (let caller = 0; caller < 2; caller++) {
    const left = outcomeOf(pool.lease({ timeoutMillis: 1_000 }));
    await clock.advance(1_000);
    expect(left().is).toBe('rejected');
  }
  return pool;
}

test('a caller whose creation made room for a late resource that the pool has already gets another', async () => {
  const clock = new FakeClock();
  const [lent, other] = [{ id: 1 }, { id: 2 }];
  const calls: ((connection: Connection) => void)[] = [];
  const create = (): Promise<Connection> => new Promise((resolve) => calls.push(resolve));
  await using pool = createPool(
    { create, destroy: () => {} },
    { max: 2, createTimeoutMillis: 1_000, createAttempts: 1, clock },
  );
  const held = pool.lease();
  calls[0]?.(lent);
  await using _ = await held;
  const expired = outcomeOf(pool.lease());
  await clock.advance(1_000);
  expect(expired().is).toBe('rejected');
  const waiting = outcomeOf(pool.use(({ id }) => id));
  await settle();
  calls[1]?.(lent);
  await settle();
  calls[3]?.(other);
  await settle();
  expect(waiting()).toEqual({ is: 'resolved', value: 2 });
});

test('the creation of the first caller that leaves is aborted, that of the second continues', async () => {
  const clock = new FakeClock();
  const server = new SlowServer(clock, 2_000);
  await using pool = await leftInVain(clock, server);
  expect([server.attempts, server.wanted]).toEqual([2, 1]);
  await clock.advance(1_000);
  expect(pool.stats()).toMatchObject({ size: 1, available: 1 });
});

test('close aborts the creation that continues', async () => {
  const clock = new FakeClock();
  const server = new SlowServer(clock, 2_000);
  const pool = await leftInVain(clock, server);
  await pool.close();
  expect(server.wanted).toBe(0);
  await clock.advance(10_000);
  expect([server.attempts, server.open]).toEqual([2, 0]);
});

test('invalidate has the connection of a creation that continues destroyed', async () => {
  const clock = new FakeClock();
  const server = new SlowServer(clock, 2_000);
  await using pool = await leftInVain(clock, server);
  await pool.invalidate();
  await clock.advance(1_000);
  expect([server.open, pool.stats().size]).toEqual([0, 0]);
});

test('a creation that continues and fails is replaced by another that continues', async () => {
  const clock = new FakeClock();
  const server = new SlowServer(clock, 2_000);
  await using pool = createPool(server, { clock, createTimeoutMillis: 1_500 });
  expect(await servedLater(pool, clock, { everyMillis: 1_500 })).toBe(0);
  expect(server.wanted).toBeLessThanOrEqual(1);
  server.connectMillis = 1_200;
  expect(await servedLater(pool, clock, { everyMillis: 1_500 })).toBe(20);
});
