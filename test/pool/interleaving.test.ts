/**
 * Every way in which a caller can give up or be let down, at every step of the way, each with another caller behind
 * that must be served or told why not. After each, the pool must be whole.
 */
import { expect, test } from 'vitest';
import { createPool, type Pool } from '../../src/pool/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { settle } from '../kit/settle.js';
import { type Outcome, outcomeOf } from './outcome.js';
import { hold, letGo, StrictFactory, type Thing } from './strict-factory.js';

const ENDINGS = ['ok', 'fail', 'slow', 'never'] as const;
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

interface Case {
  readonly create: Ending;
  readonly validate: Ending;
  readonly reset: Ending;
  readonly interruption: (typeof INTERRUPTIONS)[number];
  readonly moment: number;
}

/** 20 ms is slow; the factory's timeouts are 100 ms, so `never` ends by itself before the callers' 1,000 ms. */
const SLOW_MILLIS = 20;
const CALL_TIMEOUT_MILLIS = 100;

function step(clock: FakeClock, ending: Ending): Promise<void> | undefined {
  switch (ending) {
    case 'ok':
      return undefined;
    case 'fail':
      return Promise.reject(new Error('fail'));
    case 'slow':
      return new Promise((resolve) => clock.setTimer(resolve, SLOW_MILLIS));
    case 'never':
      return new Promise(() => {});
  }
}

function mustBeWhole(pool: Pool<Thing>): void {
  const stats = pool.stats();
  // Above a limit that was lowered nothing lies idle; what is busy leaves when it is done.
  if (stats.size - stats.destroying > stats.max) expect(stats.available).toBe(0);
  const { available, borrowed, creating, validating, resetting, destroying } = stats;
  expect(stats.size).toBe(available + borrowed + creating + validating + resetting + destroying);
  if (stats.pending > validating) expect(available).toBe(0);
}

async function play({ create, validate, reset, interruption, moment }: Case): Promise<void> {
  const clock = new FakeClock();
  const factory: StrictFactory = new StrictFactory(2, {
    // The first two are good, so that there is something to validate and to reset.
    create: (number) => (number < 2 ? undefined : step(clock, create)),
    validate: () => step(clock, validate),
    reset: () => step(clock, reset),
  });
  const pool = createPool(factory, {
    max: 2,
    testOnBorrow: true,
    createTimeoutMillis: CALL_TIMEOUT_MILLIS,
    validateTimeoutMillis: CALL_TIMEOUT_MILLIS,
    destroyTimeoutMillis: CALL_TIMEOUT_MILLIS,
    acquireTimeoutMillis: 1_000,
    clock,
  });
  const [first, second] = [await pool.lease(), await pool.lease()];
  hold(first.resource);
  hold(second.resource);
  letGo(first.resource);
  void first.release();
  const abort = new AbortController();
  const taken = async (options: object): Promise<void> => {
    const lease = await pool.lease(options);
    hold(lease.resource);
    await settle();
    mustBeWhole(pool);
    if (pool.stats().borrowed > 0) {
      let thing: Thing;
      try {
        thing = lease.resource;
      } catch {
        return; // A forced close took it.
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
  for (let round = 0; round < 4; round++) await clock.advance(500);
  mustBeWhole(pool);
  expect(pool.size).toBeLessThanOrEqual(pool.max);

  expect(interrupted().is).not.toBe('pending');
  for (const bystander of bystanders) expect(bystander().is).not.toBe('pending');
  expect([pool.pending, pool.borrowed, clock.foregroundTimers]).toEqual([0, 0, 0]);
  if (closed === undefined) {
    factory.steps.create = () => undefined;
    factory.steps.validate = () => true;
    await clock.advance(5_000); // However long the factory was to be left alone.
    await pool.use((thing) => void letGo(hold(thing)));
    await clock.advance(1_000);
    closed = outcomeOf(pool.close());
  }
  await clock.advance(1_000);
  expect(closed()).toEqual({ is: 'resolved', value: undefined });
  expect([pool.size, factory.alive, clock.pendingTimers]).toEqual([0, 0, 0]);
}

for (const create of ENDINGS) {
  test(`create: ${create}, and everything else in every way, at every moment`, async () => {
    for (const validate of ENDINGS) {
      for (const reset of ENDINGS) {
        for (const interruption of INTERRUPTIONS) {
          for (const moment of MOMENTS) {
            const it: Case = { create, validate, reset, interruption, moment };
            try {
              await play(it);
            } catch (error) {
              throw new Error(JSON.stringify(it), { cause: error });
            }
          }
        }
      }
    }
  });
}
