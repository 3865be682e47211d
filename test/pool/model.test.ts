/** Plays random scripts on the pool and on a plain model of it, and compares the two after each step. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPool, type Lease, type Pool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gates } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { PlainPool, type Standing } from './plain-pool.js';
import { hold, letGo, StrictFactory, type Thing } from './strict-factory.js';
import { warm } from './warm.js';

const MOST = 4;
/** Times are so short that no call of the factory becomes slow within a script. */
const TIMEOUT_MILLIS = 4;

const LONGEST_MILLIS = 6;

interface Caller {
  /** Absent for a caller without options. */
  readonly abort: AbortController | undefined;
  lease: Lease<Thing> | undefined;
  standing: Standing;
}

/** The real pool, with the methods of the plain model. */
class RealPool {
  readonly clock: FakeClock = new FakeClock();
  readonly pool: Pool<Thing>;
  readonly factory: StrictFactory;
  readonly callers: Caller[] = [];
  readonly broken = new Set<number>();
  /** The numbers of the running creations, in the order in which they began. */
  readonly #underWay: number[] = [];
  readonly #gates = new Gates();

  constructor(max: number, fifo: boolean, testOnBorrow: boolean) {
    this.factory = new StrictFactory(MOST, {
      validate: ({ id }) => !this.broken.has(id),
      create: (number, signal) => {
        this.#underWay.push(number);
        const gate = this.#gates.next();
        signal.addEventListener('abort', () => this.#giveUp(number));
        return gate;
      },
    });
    this.pool = createPool(this.factory, {
      max,
      fifo,
      testOnBorrow,
      createAttempts: 1,
      priorityRange: 3,
      acquireTimeoutMillis: TIMEOUT_MILLIS,
      createTimeoutMillis: Number.POSITIVE_INFINITY,
      clock: this.clock,
    });
  }

  /** Lends often, so that the pool takes its fast path. Then destroys the resource and counts things from 0 again. */
  async warm(): Promise<void> {
    const warmed = warm(this.pool);
    await settle();
    this.created(0);
    await warmed;
    this.factory.things.length = 0;
  }

  ask(priority: number, timeoutMillis: number): void {
    const abort = new AbortController();
    const own = timeoutMillis === TIMEOUT_MILLIS ? {} : { timeoutMillis };
    this.#await(this.pool.lease({ priority, signal: abort.signal, ...own }), abort);
  }

  askPlainly(): void {
    this.#await(this.pool.lease());
  }

  #await(asked: Promise<Lease<Thing>>, abort?: AbortController): void {
    const caller: Caller = { abort, lease: undefined, standing: 'waits' };
    this.callers.push(caller);
    asked.then(
      (lease) => this.#lent(caller, lease),
      (error: { code: Standing }) => {
        caller.standing = error.code;
      },
    );
  }

  tryToAsk(): void {
    const caller: Caller = { abort: undefined, lease: undefined, standing: 'over' };
    this.callers.push(caller);
    const lease = this.pool.tryLease();
    if (lease !== undefined) this.#lent(caller, lease);
  }

  giveBack(caller: number): void {
    void this.#over(caller).release();
  }

  destroy(caller: number): void {
    void this.#over(caller).destroy();
  }

  detach(caller: number): void {
    this.#over(caller).detach().state = 'destroyed';
  }

  abort(caller: number): void {
    this.callers[caller]?.abort?.abort({ code: 'aborted' });
  }

  created(at: number): void {
    this.#gates.at(this.#began(at)).open();
  }

  failed(at: number): void {
    this.#gates.at(this.#began(at)).fail(new Error('refused'));
  }

  /** The factory stops when its signal says that no caller needs the creation any more. */
  #giveUp(number: number): void {
    const at = this.#underWay.indexOf(number);
    if (at >= 0) this.failed(at);
  }

  #lent(caller: Caller, lease: Lease<Thing>): void {
    caller.lease = lease;
    caller.standing = hold(lease.resource).id;
  }

  #over(caller: number): Lease<Thing> {
    const { lease } = this.callers[caller] as Caller;
    if (lease === undefined) throw new Error('it was never lent');
    letGo(lease.resource);
    (this.callers[caller] as Caller).standing = 'over';
    return lease;
  }

  #began(at: number): number {
    return this.#underWay.splice(at, 1)[0] as number;
  }
}

const WORDS = [
  'ask',
  'ask',
  'askPlainly',
  'askPlainly',
  'tryToAsk',
  'giveBack',
  'giveBack',
  'destroy',
  'detach',
  'again',
  'abort',
  'created',
  'created',
  'failed',
  'breakDown',
  'resize',
  'invalidate',
  'evict',
  'pause',
  'resume',
  'resume',
  'pass',
] as const;

interface Step {
  readonly word: (typeof WORDS)[number];
  /** Chooses among the callers, creations or things to which the step may apply. */
  readonly which: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({ word: fc.constantFrom(...WORDS), which: fc.nat(59) }),
  { minLength: 20, maxLength: 60, size: 'max' },
);

/** Plays one step on both, if there is anything to which it applies. */
async function play(
  { word, which }: Step,
  real: RealPool,
  plain: PlainPool,
  bound: number,
): Promise<void> {
  const chosen = (are: (standing: Standing, caller: number) => boolean): number | undefined => {
    const callers = [...plain.standings.keys()].filter((caller) =>
      are(plain.standings[caller] as Standing, caller),
    );
    return callers[which % callers.length];
  };
  const holder = chosen((standing) => typeof standing === 'number');
  const abortable = chosen(
    (standing, caller) => standing === 'waits' && real.callers[caller]?.abort !== undefined,
  );
  const { creating } = plain.figures;
  if (word === 'ask') {
    const timeoutMillis = which % 2 === 0 ? TIMEOUT_MILLIS : 1 + (which % LONGEST_MILLIS);
    real.ask(which % 3, timeoutMillis);
    plain.ask(which % 3, timeoutMillis);
  } else if (word === 'askPlainly') {
    real.askPlainly();
    plain.ask(0, TIMEOUT_MILLIS);
  } else if (word === 'tryToAsk') {
    real.tryToAsk();
    plain.tryToAsk();
  } else if (word === 'giveBack' && holder !== undefined) {
    real.giveBack(holder);
    plain.giveBack(holder);
  } else if (word === 'destroy' && holder !== undefined) {
    real.destroy(holder);
    plain.lose(holder);
  } else if (word === 'detach' && holder !== undefined) {
    real.detach(holder);
    plain.lose(holder);
  } else if (word === 'again') {
    const ended = real.callers.find(({ lease, standing }) => lease && standing === 'over');
    if (ended !== undefined) expect(() => ended.lease?.release()).toThrow();
  } else if (word === 'abort' && abortable !== undefined) {
    real.abort(abortable);
    plain.abort(abortable);
  } else if (word === 'created' && creating > 0) {
    real.created(which % creating);
    plain.created(which % creating);
  } else if (word === 'failed' && creating > 0) {
    real.failed(which % creating);
    plain.failed(which % creating);
  } else if (word === 'breakDown' && plain.made > 0) {
    real.broken.add(which % plain.made);
    plain.breakDown(which % plain.made);
  } else if (word === 'resize') {
    const max = 1 + (which % bound);
    real.pool.resize({ max });
    plain.resize(max);
  } else if (word === 'invalidate' && which % 3 === 0) {
    void real.pool.invalidate();
    plain.invalidate();
  } else if (word === 'evict') {
    const isChosen = (thing: number): boolean => thing % 3 === which % 3;
    expect(real.pool.evict(({ id }) => isChosen(id))).toBe(plain.evict(isChosen));
  } else if (word === 'pause' && !plain.testOnBorrow) {
    // With validations, resume() begins them and creations at once: which waiter a failure rejects is left open.

    real.pool.pause();
    plain.pause();
  } else if (word === 'resume') {
    real.pool.resume();
    plain.resume();
  } else if (word === 'pass') {
    await real.clock.advance(which % LONGEST_MILLIS);
    plain.pass(which % LONGEST_MILLIS);
  }
}

function standAlike({ pool, callers }: RealPool, plain: PlainPool): void {
  const { size, available, borrowed, pending, creating, max } = pool.stats();
  expect({ size, available, borrowed, pending, creating, max }).toEqual(plain.figures);
  expect(callers.map(({ standing }) => standing)).toEqual(plain.standings);
  if (pending > 0 && !plain.isPaused) {
    expect(available, 'no caller waits while a resource is idle').toBe(0);
  }
}

async function script(
  played: readonly Step[],
  max: number,
  fifo: boolean,
  testOnBorrow: boolean,
  isWarm: boolean,
): Promise<void> {
  const real = new RealPool(max, fifo, testOnBorrow);
  if (isWarm) await real.warm();
  const plain = new PlainPool(max, fifo, testOnBorrow);
  for (const step of played) {
    await play(step, real, plain, MOST);
    await settle();
    standAlike(real, plain);
  }
  real.pool.resume();
  plain.resume();
  await settle();
  standAlike(real, plain);
  const closed = real.pool.close({ graceMillis: 0, force: true });
  await real.clock.advance(60_000);
  await settle();
  for (let at = plain.figures.creating; at > 0; at--) real.failed(0);
  await closed;
  await settle();
  expect([real.pool.size, real.factory.alive, real.clock.pendingTimers]).toEqual([0, 0, 0]);
}

test.each([
  { what: 'a new pool', isWarm: false },
  { what: 'a pool that has lent often', isWarm: true },
])(
  'random scripts on $what: the pool and the model have equal holders, waiters and errors',
  async ({ isWarm }) => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.integer({ min: 1, max: MOST }),
        fc.boolean(),
        fc.boolean(),
        (played, max, fifo, testOnBorrow) => script(played, max, fifo, testOnBorrow, isWarm),
      ),
      { numRuns: isWarm ? 200 : 400 },
    );
  },
);
