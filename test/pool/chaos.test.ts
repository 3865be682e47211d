/**
 * Random programs with every operation, option and kind of failure of a factory, and with calls of the pool from within the factory
 * and from listeners. In the end the failures stop, and every caller must have been answered, and nothing may be left.
 */
import { expect, test } from 'vitest';
import {
  type AdaptiveMaxOptions,
  createKeyedPool,
  createPool,
  type Factory,
  type KeyedPool,
  type Pool,
  type PoolOptions,
} from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';

const PROGRAMS = 100;
const STEPS = 80;
const KEYS = ['a', 'b', 'c'];

interface Thing {
  readonly id: number;
}

/** Seeded random choices (mulberry32). */
class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  next = (): number => {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  of<C>(...choices: readonly C[]): C {
    return choices[this.below(choices.length)] as C;
  }
}

/** A factory that fails, hangs, is slow and calls back at random, and notes each broken rule. */
class ChaosFactory implements Factory<Thing> {
  readonly broken: string[] = [];
  readonly alive = new Set<Thing>();
  readonly held = new Set<Thing>();
  readonly #choices: Choices;
  readonly #clock: FakeClock;
  readonly validate?: (thing: Thing) => boolean | Promise<boolean>;
  readonly reset?: (thing: Thing) => unknown;
  isCalm = false;
  /** Calls the pool. A lease that `create` takes would belong to the resource that is being created. */
  callBack: (mayAsk: boolean) => void = () => {};
  #ids = 0;

  constructor(choices: Choices, clock: FakeClock) {
    this.#choices = choices;
    this.#clock = clock;
    const inspect = (thing: Thing): boolean | Promise<boolean> => {
      this.#mustBeFree(thing);
      return this.#step('inspect', () => !this.#fails(0.1));
    };
    if (choices.chance(0.6)) this.validate = inspect;
    if (choices.chance(0.4)) this.reset = inspect;
  }

  create = ({ signal }: { signal: AbortSignal }): Promise<Thing> | Thing => {
    if (this.#fails(0.03)) {
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject('told')));
    }
    return this.#step('create', () => {
      if (this.#fails(0.1)) throw { isFull: true };
      if (this.#fails(0.1)) throw new Error('create failed');
      const thing = { id: this.#ids++ };
      this.alive.add(thing);
      return thing;
    });
  };

  destroy = (thing: Thing): unknown => {
    this.#mustBeFree(thing);
    this.alive.delete(thing);
    return this.#step('destroy', () => {
      if (this.#fails(0.1)) throw new Error('destroy failed');
    });
  };

  isBroken = (error: unknown): boolean => error === 'broken';
  isFull = (error: unknown): boolean => (error as { isFull?: boolean }).isFull === true;

  lent(thing: Thing): void {
    this.#mustBeFree(thing);
    this.held.add(thing);
  }

  #mustBeFree(thing: Thing): void {
    if (this.held.has(thing)) this.broken.push(`${thing.id} is held`);
    if (!this.alive.has(thing)) this.broken.push(`${thing.id} is gone`);
  }

  #fails(probability: number): boolean {
    return !this.isCalm && this.#choices.chance(probability);
  }

  /** Ends at once, soon, or as late as a timeout. */
  #step<R>(step: string, end: () => R): R | Promise<R> {
    this.callBack(step !== 'create');
    if (this.#choices.chance(0.4)) return end();
    const millis = this.#choices.below(this.#fails(0.1) ? 4_000 : 50);
    return new Promise<void>((resolve) => this.#clock.setTimer(resolve, millis)).then(end);
  }
}

interface Target {
  readonly whole: Pool<Thing> | KeyedPool<string, Thing>;
  /** The pool of a key, or the only one. */
  one(): Pool<Thing>;
  /** All pools that there are. */
  all(): Pool<Thing>[];
}

function optionsOf(choices: Choices, clock: FakeClock, validates: boolean): PoolOptions {
  const max = 1 + choices.below(4);
  return {
    clock,
    max,
    random: choices.next,
    min: choices.of(0, choices.below(max + 1)),
    fifo: choices.chance(0.5),
    acquireTimeoutMillis: choices.of(50, 500, Number.POSITIVE_INFINITY),
    createTimeoutMillis: choices.of(200, 3_000),
    validateTimeoutMillis: 300,
    destroyTimeoutMillis: 300,
    createAttempts: choices.of(1, 2, Number.POSITIVE_INFINITY),
    maxConcurrentCreates: choices.of(1, Number.POSITIVE_INFINITY),
    idleTimeoutMillis: choices.of(2_000, 60_000),
    maxLifetimeMillis: choices.of(3_000, 1_000_000),
    maxUses: choices.of(1, 3, Number.POSITIVE_INFINITY),
    evictionRunIntervalMillis: choices.of(0, 100, 1_000),
    maxWaitingClients: choices.of(3, Number.POSITIVE_INFINITY),
    priorityRange: choices.of(1, 3),
    adaptiveMax: choices.of<false | AdaptiveMaxOptions>(false, { floor: 1, recoverMillis: 500 }),
    testOnBorrow: validates && choices.chance(0.5),
    testOnReturn: validates && choices.chance(0.5),
    validateAfterIdleMillis: choices.of(0, 300),
    keepaliveMillis: validates
      ? choices.of(700, Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY,
  };
}

function open(choices: Choices, clock: FakeClock, factory: ChaosFactory, isKeyed: boolean): Target {
  const options = optionsOf(choices, clock, factory.validate !== undefined);
  if (!isKeyed) {
    const pool = createPool(factory, options);
    return { whole: pool, one: () => pool, all: () => [pool] };
  }
  const pools = createKeyedPool((_key: string) => factory, {
    ...options,
    maxTotal: choices.of(1, 3, Number.POSITIVE_INFINITY),
  });
  return {
    whole: pools,
    one: () => pools.pool(choices.of(...KEYS)),
    all: () => pools.keys().map((key) => pools.pool(key)),
  };
}

/** Callers, and their loans. */
class Callers {
  readonly #choices: Choices;
  readonly #factory: ChaosFactory;
  readonly #ends: ((how: number) => void)[] = [];
  readonly #aborts: AbortController[] = [];
  unanswered = 0;

  constructor(choices: Choices, factory: ChaosFactory) {
    this.#choices = choices;
    this.#factory = factory;
  }

  ask(pool: Pool<Thing>): void {
    const { signal } = this.#choices.of(...this.#aborts, this.#newAbort());
    const options = this.#choices.of(
      undefined,
      { signal },
      { timeoutMillis: this.#choices.of(0, 100), priority: this.#choices.below(3), signal },
    );
    this.unanswered++;
    const answered = (): void => void this.unanswered--;
    if (this.#choices.chance(0.5)) {
      pool.lease(options).then((lease) => {
        answered();
        this.#hold(lease.resource, (how) => {
          if (how === 1) return void lease.destroy();
          if (how === 2) return void this.#factory.alive.delete(lease.detach());
          if (how === 3) lease.reportError('broken');
          void lease.release();
        });
      }, answered);
    } else {
      const used = (thing: Thing): Promise<void> =>
        new Promise((resolve, reject) =>
          this.#hold(thing, (how) => (how === 0 ? resolve() : reject('broken'))),
        );
      pool.use(used, options).then(answered, answered);
    }
  }

  tryToAsk(pool: Pool<Thing>): void {
    const lease = pool.tryLease();
    if (lease !== undefined) this.#hold(lease.resource, () => void lease.release());
  }

  end(how: number = this.#choices.below(4)): void {
    this.#ends.splice(this.#choices.below(this.#ends.length), 1)[0]?.(how);
  }

  endAll(): void {
    while (this.#ends.length > 0) this.end(0);
  }

  abort(): void {
    this.#aborts.splice(this.#choices.below(this.#aborts.length), 1)[0]?.abort();
  }

  #newAbort(): AbortController {
    const abort = new AbortController();
    this.#aborts.push(abort);
    return abort;
  }

  #hold(thing: Thing, end: (how: number) => void): void {
    this.#factory.lent(thing);
    this.#ends.push((how) => {
      this.#factory.held.delete(thing);
      end(how);
    });
  }
}

function act(
  choices: Choices,
  { whole, one }: Target,
  callers: Callers,
  mayAsk: boolean = true,
): void {
  const ignored = (promise: Promise<void>): void => void promise.catch(() => {});
  const max = 1 + choices.below(4);
  const wholeOrOne = choices.chance(0.5) ? whole : one();
  const asks = [
    () => callers.ask(one()),
    () => callers.ask(one()),
    () => callers.ask(one()),
    () => callers.tryToAsk(one()),
  ];
  choices.of(
    ...(mayAsk ? asks : []),
    () => callers.end(),
    () => callers.end(),
    () => callers.abort(),
    () => wholeOrOne.resize({ max, min: choices.below(max + 1) }),
    () => wholeOrOne.evict((thing: Thing) => thing.id % 2 === 0),
    () => ignored(wholeOrOne.invalidate({ timeoutMillis: 100 })),
    () => wholeOrOne.pause(),
    () => wholeOrOne.resume(),
    () => wholeOrOne.resume(),
    () => ignored(one().clear()),
    () => ignored(one().ready({ timeoutMillis: 100 })),
    () => ignored(one().warmUp(1, { timeoutMillis: 100 })),
  )();
}

async function run(seed: number, isKeyed: boolean): Promise<unknown> {
  const choices = new Choices(seed);
  const clock = new FakeClock();
  const factory = new ChaosFactory(choices, clock);
  const target = open(choices, clock, factory, isKeyed);
  const callers = new Callers(choices, factory);
  let depth = 0;
  const callBack = (mayAsk: boolean): void => {
    if (factory.isCalm || depth > 1 || !choices.chance(0.1)) return;
    depth++;
    act(choices, target, callers, mayAsk);
    depth--;
  };
  factory.callBack = callBack;
  target.whole.on(choices.of('created', 'destroyed', 'acquire', 'acquireTimeout'), () =>
    callBack(true),
  );
  for (let step = 0; step < STEPS; step++) {
    act(choices, target, callers);
    if (choices.chance(0.4)) await clock.advance(choices.of(0, 10, 150, 2_000));
  }
  factory.isCalm = true;
  for (const pool of [target.whole, ...target.all()]) pool.resume();
  for (let second = 0; second < 60 && callers.unanswered > 0; second++) {
    callers.endAll();
    await clock.advance(1_000);
  }
  callers.endAll();
  await settle();
  const { unanswered } = callers;
  const lost = target.all().filter((pool) => pool.borrowed + pool.pending > 0).length;
  const closed = target.whole.close({ graceMillis: 100 });
  await clock.advance(10_000);
  await closed;
  return {
    unanswered,
    lost,
    broken: factory.broken,
    left: factory.alive.size,
    timers: clock.pendingTimers,
  };
}

test.each([
  { what: 'a pool', isKeyed: false },
  { what: 'a keyed pool', isKeyed: true },
])(
  'random programs on $what leave no caller unanswered and no resource behind',
  async ({ isKeyed }) => {
    for (let seed = 1; seed <= PROGRAMS; seed++) {
      expect({ seed, ...((await run(seed, isKeyed)) as object) }).toEqual({
        seed,
        unanswered: 0,
        lost: 0,
        broken: [],
        left: 0,
        timers: 0,
      });
    }
  },
);
