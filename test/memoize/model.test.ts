/** Compares random sequences of calls with a plain model of a cache with max, ttl and loads in flight. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { observe } from '../../src/core/probe.js';
import { memoize } from '../../src/memoize/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { settle } from '../kit/settle.js';

const objects = [{}, {}] as const;
const LISTS: readonly (readonly unknown[])[] = [
  [],
  [1],
  ['1'],
  [undefined],
  [1, 2],
  [1, '2'],
  [1, 2, 3],
  [objects[0]],
  [objects[1], 1],
  [Number.NaN, objects[0]],
];

type Step =
  | { readonly op: 'call' | 'delete' | 'set' | 'has'; readonly list: number }
  | { readonly op: 'end'; readonly load: number; readonly fails: boolean }
  | { readonly op: 'clear' }
  | { readonly op: 'wait'; readonly millis: number };

const list = fc.nat(LISTS.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ op: fc.constant('call' as const), list }) },
  {
    weight: 6,
    arbitrary: fc.record({ op: fc.constant('end' as const), load: fc.nat(5), fails: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constantFrom('delete', 'set', 'has'), list }) },
  { weight: 1, arbitrary: fc.constant<Step>({ op: 'clear' }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('wait' as const), millis: fc.nat(60) }) },
);

interface ModelLoad {
  readonly list: number;
  readonly gate: Gate<string>;
  wanted: boolean;
}

/** The entries and loads that there must be, by the number of the argument list. */
class Model {
  /** The entries, least recently used first. */
  readonly stored = new Map<number, { promise: unknown; expiresAt: number }>();
  readonly flights = new Map<number, { load: ModelLoad; promise: unknown }>();
  counts = { hits: 0, misses: 0, joins: 0, evictions: 0, loads: 0, loadFailures: 0 };
  readonly #max: number;
  readonly #ttl: number;
  readonly #clock: FakeClock;

  constructor(max: number, ttl: number, clock: FakeClock) {
    this.#max = max;
    this.#ttl = ttl;
    this.#clock = clock;
  }

  fresh(list: number): { promise: unknown } | undefined {
    const entry = this.stored.get(list);
    if (entry === undefined || this.#clock.now() < entry.expiresAt) return entry;
    this.stored.delete(list);
    return undefined;
  }

  use(list: number): void {
    const entry = this.stored.get(list);
    if (entry === undefined) return;
    this.stored.delete(list);
    this.stored.set(list, entry);
  }

  store(list: number, promise: unknown): void {
    if (this.#max === 0 || this.#ttl === 0) return;
    if (!this.stored.delete(list) && this.stored.size === this.#max) {
      const [oldest] = this.stored.keys();
      this.stored.delete(oldest as number);
      this.counts.evictions++;
    }
    this.stored.set(list, { promise, expiresAt: this.#clock.now() + this.#ttl });
  }

  forget(list: number): boolean {
    const flight = this.flights.get(list);
    if (flight !== undefined) flight.load.wanted = false;
    const had = this.fresh(list) !== undefined;
    this.stored.delete(list);
    return this.flights.delete(list) || had;
  }
}

async function play(steps: readonly Step[], max: number, ttl: number): Promise<void> {
  const clock = new FakeClock();
  const model = new Model(max, ttl, clock);
  const observer = new RecordingObserver();
  const loads: ModelLoad[] = [];
  let calling = 0;
  const fn = memoize(
    (..._: unknown[]): Promise<string> => {
      const load = { list: calling, gate: new Gate<string>(), wanted: true };
      loads.push(load);
      return load.gate.passed;
    },
    { max, ttl, clock },
  );
  fn[observe](observer);

  const run = async (step: Step): Promise<void> => {
    if (step.op === 'wait') clock.jump(step.millis);
    else if (step.op === 'clear') {
      fn.clear();
      for (const number of LISTS.keys()) model.forget(number);
    } else if (step.op === 'end') {
      const load = loads[step.load];
      if (load === undefined) return;
      loads.splice(step.load, 1);
      if (step.fails) load.gate.fail(new Error('load'));
      else load.gate.open('loaded');
      await settle();
      model.counts[step.fails ? 'loadFailures' : 'loads']++;
      if (!load.wanted) return;
      const flight = model.flights.get(load.list);
      model.flights.delete(load.list);
      if (!step.fails) model.store(load.list, flight?.promise);
    } else {
      const args = LISTS[step.list] as readonly unknown[];
      const entry = model.fresh(step.list);
      if (step.op === 'has') {
        expect(fn.has(...args)).toBe(entry !== undefined);
        expect(fn.peek(...args)).toBe(entry?.promise);
      } else if (step.op === 'delete') {
        expect(fn.delete(...args)).toBe(model.forget(step.list));
      } else if (step.op === 'set') {
        model.forget(step.list);
        fn.set([...args], Promise.resolve('set'));
        const joined = fn(...args);
        await settle();
        model.counts.joins++;
        model.counts.loads++;
        model.store(step.list, joined);
      } else {
        calling = step.list;
        const began = loads.length;
        const promise = fn(...args);
        promise.catch(() => {});
        const flight = model.flights.get(step.list);
        if (entry !== undefined) {
          expect(promise).toBe(entry.promise);
          model.counts.hits++;
          model.use(step.list);
        } else if (flight !== undefined) {
          expect(promise).toBe(flight.promise);
          model.counts.joins++;
        } else {
          expect(loads).toHaveLength(began + 1);
          model.counts.misses++;
          model.flights.set(step.list, { load: loads[began] as ModelLoad, promise });
        }
        if (entry !== undefined || flight !== undefined) expect(loads).toHaveLength(began);
      }
    }
  };

  for (const next of steps) {
    await run(next);
    const info = fn.cacheInfo();
    expect(info).toMatchObject({ ...model.counts, inFlight: model.flights.size });
    expect(observer.live.size).toBe(info.size);
    if (max === Number.POSITIVE_INFINITY) {
      expect(info.size).toBeLessThanOrEqual(model.stored.size); // The sweep may have removed expired entries already, and no others.
      for (const number of [...model.stored.keys()]) {
        const expected = model.fresh(number);
        expect(fn.peek(...(LISTS[number] as unknown[]))).toBe(expected?.promise);
      }
    } else expect(info.size).toBe(model.stored.size);
  }
  for (const load of loads) load.gate.open('end');
  await settle();
  fn.clear();
  expect(observer.live.size).toBe(0);
  expect(clock.pendingTimers).toBe(0);
}

test('a cache behaves as the model', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.constantFrom(0, 1, 2, 4, Number.POSITIVE_INFINITY),
      fc.constantFrom(0, 20, 100, Number.POSITIVE_INFINITY),
      play,
    ),
    { numRuns: 300, seed: 42 },
  );
});
