/** Under any order of events a RefCountedMap has one value a key and no more values than its capacity, and leaves nothing behind. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RefCountedMap, type SharedLease } from '../../src/scope/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

const CAPACITY = 2;

type Step =
  | { readonly kind: 'acquire' | 'leave' | 'invalidate' | 'touch'; readonly key: string }
  | { readonly kind: 'release' | 'create' | 'fail' | 'dispose' | 'tick' | 'abort' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('acquire', 'acquire', 'leave', 'invalidate', 'touch'),
    key: fc.constantFrom('a', 'b', 'c', 'd'),
  }),
  fc.record({
    kind: fc.constantFrom(
      'release',
      'release',
      'create',
      'create',
      'fail',
      'dispose',
      'tick',
      'abort',
    ),
  }),
);

class Model {
  readonly clock = new FakeClock();
  readonly alive = new Map<string, number>();
  readonly creating: Gate[] = [];
  readonly disposing: Gate[] = [];
  readonly leases: SharedLease<{ key: string }>[] = [];
  readonly controllers: AbortController[] = [];
  readonly waits: Promise<unknown>[] = [];
  /** What must not be. An assertion within a callback would only fail the creation. */
  readonly violations: string[] = [];
  readonly map: RefCountedMap<string, { key: string }>;

  constructor(idleMillis: number, createTimeoutMillis: number | undefined, heedsSignal: boolean) {
    this.map = new RefCountedMap<string, { key: string }>(
      async (key, { signal }) => {
        const gate = new Gate();
        if (heedsSignal) signal.addEventListener('abort', () => gate.fail(signal.reason));
        this.creating.push(gate);
        this.#count(key, 1); // From here on it may hold what the capacity bounds.
        await gate.passed.catch((error: unknown) => {
          this.#count(key, -1);
          throw error;
        });
        return { key };
      },
      {
        capacity: CAPACITY,
        idleMillis,
        createTimeoutMillis,
        clock: this.clock,
        dispose: async ({ key }) => {
          const gate = new Gate();
          this.disposing.push(gate);
          await gate.passed;
          this.#count(key, -1);
        },
      },
    );
  }

  #count(key: string, change: number): void {
    const count = (this.alive.get(key) ?? 0) + change;
    this.alive.set(key, count);
    const total = [...this.alive.values()].reduce((sum, each) => sum + each, 0);
    if (count < 0 || count > 1) this.violations.push(`${count} values of ${key}`);
    if (total > CAPACITY) this.violations.push(`${total} values`);
  }

  acquire(key: string, signal?: AbortSignal): void {
    const lease = this.map.acquire(key, signal === undefined ? {} : { signal });
    this.waits.push(
      lease.then(
        (granted) => {
          if (granted.value.key !== key || this.alive.get(key) !== 1) {
            this.violations.push(`a lease on a dead value of ${key}`);
          }
          this.leases.push(granted);
        },
        () => {},
      ),
    );
  }

  async run(event: Step): Promise<void> {
    if (event.kind === 'acquire') this.acquire(event.key);
    else if (event.kind === 'leave') {
      const controller = new AbortController();
      this.controllers.push(controller);
      this.acquire(event.key, controller.signal);
    } else if (event.kind === 'invalidate') this.waits.push(this.map.invalidate(event.key));
    else if (event.kind === 'touch') this.map.touch(event.key);
    else if (event.kind === 'release') void this.leases.shift()?.release();
    else if (event.kind === 'create') this.creating.shift()?.open();
    else if (event.kind === 'fail') this.creating.shift()?.fail(new Error('down'));
    else if (event.kind === 'dispose') this.disposing.shift()?.open();
    else if (event.kind === 'abort') this.controllers.shift()?.abort();
    else await this.clock.advance(10);
    await settle();
  }

  async close(): Promise<void> {
    let isClosed = false;
    const closing = this.map.close().then(() => {
      isClosed = true;
    });
    while (!isClosed) {
      for (const lease of this.leases.splice(0)) void lease.release();
      for (const gate of this.creating.splice(0)) gate.open();
      for (const gate of this.disposing.splice(0)) gate.open();
      await settle();
    }
    await Promise.all([closing, ...this.waits]);
  }
}

test('one value a key, no more than the capacity, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 50 }),
      fc.constantFrom(0, 10, Infinity),
      fc.constantFrom(undefined, 15, Infinity),
      fc.boolean(),
      async (steps, idleMillis, createTimeoutMillis, heedsSignal) => {
        const model = new Model(idleMillis, createTimeoutMillis, heedsSignal);
        for (const event of steps) await model.run(event);
        await model.close();
        expect(model.violations).toEqual([]);
        expect([...model.alive.values()].every((count) => count === 0)).toBe(true);
        expect([model.map.size, model.clock.pendingTimers]).toEqual([0, 0]);
        await model.map.idle();
      },
    ),
    { numRuns: 100 },
  );
});
