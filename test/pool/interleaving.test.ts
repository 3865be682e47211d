/**
 * Every way in which a caller can give up or a step can fail, at every step of a loan. Behind the caller stand others,
 * which must be served or rejected with a reason. After each case the pool must be consistent.
 */
import { expect, test } from 'vitest';
import { createPool, type Factory, type Pool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { type Outcome, outcomeOf } from './outcome.js';
import { hold, letGo, StrictFactory, type Thing } from './strict-factory.js';
import { warm } from './warm.js';

const ENDINGS = ['ok', 'reject', 'throw', 'slow', 'hang', 'late', 'late reject'] as const;
const STEPS = ['create', 'validate', 'reset', 'destroy'] as const;
const INTERRUPTIONS = [
  'none',
  'abort',
  'timeout',
  'release',
  'destroy',
  'detach',
  'resize',
  'invalidate',
  'close',
  'force',
] as const;
const MOMENTS = [0, 25, 150] as const;

type Ending = (typeof ENDINGS)[number];

type Step = (typeof STEPS)[number];

interface Case extends Readonly<Partial<Record<Step, Ending>>> {
  readonly interruption: (typeof INTERRUPTIONS)[number];
  readonly moment: number;
}

/** The factory's timeouts are 100 ms, so a step that hangs ends before the callers' 1,000 ms. */
const CALL_TIMEOUT_MILLIS = 100;
const SLOW_MILLIS = 20;
const LATE_MILLIS = 150;

/** The times between two checks of the pool, in milliseconds. */
const PACE = [10, 40, 49, 2, 50, 100, 250, 500, 1_000] as const;

function step(clock: FakeClock, ending: Ending = 'ok'): Promise<void> | undefined {
  const after = (millis: number): Promise<void> =>
    new Promise((resolve) => clock.setTimer(() => resolve(), millis, { background: true }));
  const failed = (): never => {
    throw new Error(ending);
  };
  switch (ending) {
    case 'ok':
      return undefined;
    case 'reject':
      return Promise.reject(new Error(ending));
    case 'throw':
      return failed();
    case 'slow':
      return after(SLOW_MILLIS);
    case 'hang':
      return new Promise(() => {});
    case 'late':
      return after(LATE_MILLIS);
    case 'late reject':
      return after(LATE_MILLIS).then(failed);
  }
}

/** A factory whose steps end as the case says. A step that throws does so synchronously. */
class PoorFactory implements Factory<Thing> {
  readonly things: StrictFactory;
  readonly #clock: FakeClock;
  readonly #outdated = new Set<Thing>();
  #endings: Readonly<Partial<Record<Step, Ending>>>;
  #creates = 0;
  #invalidations = 0;

  constructor(clock: FakeClock, endings: Readonly<Partial<Record<Step, Ending>>>) {
    this.#clock = clock;
    this.#endings = endings;
    // A late resource is one too many until the pool destroys it, and counts until its destruction has ended.
    const late = /late/.test(endings.create ?? '') ? 4 : 0;
    this.things = new StrictFactory(2 + late, { validate: () => true, reset: () => true });
  }

  /** Lends often while every step succeeds, so that the pool takes its fast path. Then resets the counts. */
  async warm(pool: Pool<Thing>): Promise<void> {
    const endings = this.#endings;
    this.#endings = {};
    await warm(pool);
    this.#endings = endings;
    this.#creates = 0;
    this.things.destroyed.length = 0;
  }

  /** From now on all steps succeed, except destructions. */
  recover(): void {
    const { destroy = 'ok' } = this.#endings;
    this.#endings = { destroy };
  }

  /** From now on no present resource, and none that is being created, may be lent. */
  invalidate(): void {
    this.#invalidations++;
    for (const thing of this.things.things) this.#outdated.add(thing);
  }

  mustBeUpToDate(thing: Thing): void {
    expect(this.#outdated.has(thing), 'the resource is from before the invalidation').toBe(false);
  }

  /** The first two creations succeed, so that there are resources to validate and to reset. */
  create(context: { signal: AbortSignal }): Thing | Promise<Thing> {
    const ending = this.#creates++ < 2 ? 'ok' : this.#endings.create;
    const invalidations = this.#invalidations;
    return this.#after(step(this.#clock, ending), async () => {
      const thing = await this.things.create(context);
      if (invalidations < this.#invalidations) this.#outdated.add(thing);
      return thing;
    });
  }

  validate(thing: Thing): boolean | Promise<boolean> {
    const { validate = () => Promise.resolve(true) } = this.things;
    return this.#after(step(this.#clock, this.#endings.validate), () => validate(thing));
  }

  reset(thing: Thing): void | Promise<void> {
    const { reset = () => Promise.resolve() } = this.things;
    return this.#after(step(this.#clock, this.#endings.reset), () => reset(thing));
  }

  destroy(thing: Thing, reason: string): void | Promise<void> {
    const ended = this.things.destroy(thing, reason);
    const { destroy = 'ok' } = this.#endings;
    if (destroy === 'ok' || destroy === 'reject' || destroy === 'throw') {
      return this.#after(step(this.#clock, destroy), () => ended);
    }
    // The resource counts as alive until the destruction settles, or until just before the pool's timeout.
    thing.state = 'alive';
    const gone = destroy === 'slow' ? SLOW_MILLIS - 1 : CALL_TIMEOUT_MILLIS - 1;
    this.#clock.setTimer(
      () => {
        thing.state = 'destroyed';
      },
      gone,
      { background: true },
    );
    return step(this.#clock, destroy);
  }

  #after<R>(first: Promise<void> | undefined, then: () => Promise<R>): Promise<R> {
    return first === undefined ? then() : first.then(then);
  }
}

function mustBeWhole(pool: Pool<Thing>): void {
  const stats = pool.stats();
  expect(stats.size).toBeLessThanOrEqual(2);
  // Above a lowered `max` no resource is idle. Busy ones are destroyed when they come back.
  if (stats.size - stats.destroying > stats.max) expect(stats.available).toBe(0);
  const { available, borrowed, creating, validating, resetting, destroying } = stats;
  expect(stats.size).toBe(available + borrowed + creating + validating + resetting + destroying);
  if (stats.pending > validating) expect(available).toBe(0);
}

async function play({ interruption, moment, ...endings }: Case, isWarm: boolean): Promise<void> {
  const clock = new FakeClock();
  const factory = new PoorFactory(clock, endings);
  const pool = createPool(factory, {
    max: 2,
    testOnBorrow: true,
    createTimeoutMillis: CALL_TIMEOUT_MILLIS,
    validateTimeoutMillis: CALL_TIMEOUT_MILLIS,
    destroyTimeoutMillis: CALL_TIMEOUT_MILLIS,
    acquireTimeoutMillis: 1_000,
    clock,
  });
  if (isWarm) await factory.warm(pool);
  const [first, second] = [await pool.lease(), await pool.lease()];
  hold(first.resource);
  hold(second.resource);
  letGo(first.resource);
  void first.release();
  const abort = new AbortController();
  const taken = async (options: object): Promise<void> => {
    const lease = await pool.lease(options);
    factory.mustBeUpToDate(hold(lease.resource));
    await settle();
    mustBeWhole(pool);
    if (pool.stats().borrowed > 0) {
      let thing: Thing;
      try {
        thing = lease.resource;
      } catch {
        return; // A forced close has ended the lease.
      }
      letGo(thing);
      await lease[Symbol.asyncDispose]();
    }
  };
  const timeoutMillis = interruption === 'timeout' ? Math.max(1, moment) : 1_000;
  const interrupted = outcomeOf(taken({ signal: abort.signal, timeoutMillis }));
  const bystanders = [outcomeOf(taken({})), outcomeOf(taken({}))];
  await clock.advance(moment);
  mustBeWhole(pool);
  let closed: (() => Outcome<void>) | undefined;
  letGo(second.resource);
  switch (interruption) {
    case 'abort':
      abort.abort(new Error('abort'));
      break;
    case 'release':
      void second.release();
      break;
    case 'destroy':
      void second.destroy();
      break;
    case 'detach':
      second.detach().state = 'destroyed';
      break;
    case 'resize':
      pool.resize({ max: 1 });
      break;
    case 'invalidate':
      factory.invalidate();
      void pool.invalidate();
      break;
    case 'close':
      closed = outcomeOf(pool.close({ graceMillis: 500 }));
      break;
    case 'force':
      closed = outcomeOf(pool.close({ graceMillis: 0, force: true }));
      break;
    default:
  }
  mustBeWhole(pool);
  await clock.advance(50);
  mustBeWhole(pool);
  second[Symbol.dispose]();
  for (const millis of PACE) {
    await clock.advance(millis);
    mustBeWhole(pool);
  }
  expect(pool.size).toBeLessThanOrEqual(pool.max);

  expect(interrupted().is).not.toBe('pending');
  for (const bystander of bystanders) expect(bystander().is).not.toBe('pending');
  expect([pool.pending, pool.borrowed, clock.foregroundTimers]).toEqual([0, 0, 0]);
  if (closed === undefined) {
    factory.recover();
    await clock.advance(5_000); // Longer than any pause of the factory.
    await pool.use((thing) => {
      factory.mustBeUpToDate(hold(thing));
      letGo(thing);
    });
    await clock.advance(1_000);
    closed = outcomeOf(pool.close());
  }
  await clock.advance(1_000);
  expect(closed()).toEqual({ is: 'resolved', value: undefined });
  expect([pool.size, factory.things.alive, clock.pendingTimers]).toEqual([0, 0, 0]);
  const destroyed = factory.things.destroyed.map((line) => line.split(' ')[0]);
  expect(new Set(destroyed).size, 'each was destroyed once').toBe(destroyed.length);
}

async function playAll(cases: Iterable<Case>, isWarm = false): Promise<number> {
  let played = 0;
  for (const it of cases) {
    try {
      await play(it, isWarm);
    } catch (error) {
      throw new Error(JSON.stringify(it), { cause: error });
    }
    played++;
  }
  return played;
}

const POOLS = [
  { what: 'a new pool', isWarm: false },
  { what: 'a pool that has lent often', isWarm: true },
];

test.each(POOLS.flatMap((pool) => STEPS.map((step) => ({ ...pool, step }))))(
  '$step ends in every way, with every interruption, at every moment: $what',
  async ({ step, isWarm }) => {
    const cases = ENDINGS.flatMap((ending) =>
      INTERRUPTIONS.flatMap((interruption) =>
        MOMENTS.map((moment): Case => ({ [step]: ending, interruption, moment })),
      ),
    );
    expect(await playAll(cases, isWarm)).toBe(210);
  },
);

const PAIRS = STEPS.flatMap((one, at) => STEPS.slice(at + 1).map((other) => ({ one, other })));

test.each(PAIRS)('$one and $other end in every two ways, with every interruption', async (pair) => {
  let number = 0;
  const cases = ENDINGS.flatMap((ending) =>
    ENDINGS.flatMap((ending2) =>
      INTERRUPTIONS.map((interruption): Case => {
        const moment = MOMENTS[number++ % MOMENTS.length] ?? 0;
        return { [pair.one]: ending, [pair.other]: ending2, interruption, moment };
      }),
    ),
  );
  expect(await playAll(cases)).toBe(490);
});
