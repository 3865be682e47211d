/** The end of a RefCounted's value, creations that are left, re-entrant creations, and the absence of overlap. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { observe } from '../../src/core/probe.js';
import {
  RefCounted,
  RefCountedClosedError,
  RefCountedMap,
  RefCountedReentrantError,
  type SharedLease,
} from '../../src/scope/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { FailingClock } from '../kit/failing-clock.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate, Gates } from '../kit/gate.js';
import { heapAtRest } from '../kit/heap-at-rest.js';
import { RecordingObserver } from '../kit/recording-observer.js';
import { settle } from '../kit/settle.js';

/** A RefCounted whose creations and disposals wait at gates. */
function gated(options: object = {}) {
  const creations = new Gates<string>();
  const disposals = new Gates();
  const log: string[] = [];
  const signals: AbortSignal[] = [];
  const cell = new RefCounted<string>(
    ({ signal }) => {
      signals.push(signal);
      return creations.next();
    },
    {
      async dispose(value) {
        log.push(`closing ${value}`);
        await disposals.next();
        log.push(`closed ${value}`);
      },
      ...options,
    },
  );
  return { cell, creations, disposals, log, signals };
}

/** What has become of a promise, without waiting for it. */
function outcomeOf(promise: Promise<unknown>): { state: string } {
  const outcome = { state: 'pending' };
  promise.then(
    () => {
      outcome.state = 'resolved';
    },
    (error) => {
      outcome.state = `rejected: ${(error as Error).message}`;
    },
  );
  return outcome;
}

test('the end of an `await using` block waits for the disposal that its last lease has started', async () => {
  const { creations, disposals, log, cell } = gated();
  creations.at(0).open('db');
  const block = (async () => {
    await using shared = cell;
    using _lease = await shared.acquire();
  })();
  const outcome = outcomeOf(block);
  await settle();
  expect([log, outcome.state]).toEqual([['closing db'], 'pending']);
  disposals.at(0).open();
  await block;
  expect(log).toEqual(['closing db', 'closed db']);
});

test('the end of an `await using` block carries the error of the disposal', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { creations, disposals, cell } = gated();
  creations.at(0).open('db');
  const block = (async () => {
    await using shared = cell;
    using _lease = await shared.acquire();
  })();
  disposals.at(0).fail(new Error('close failed'));
  await expect(block).rejects.toThrow('close failed');
  expect(print).not.toHaveBeenCalled();
  print.mockRestore();
});

test('every caller of invalidate waits for the disposal, and gets its error', async () => {
  const { creations, disposals, cell } = gated();
  creations.at(0).open('db');
  const lease = await cell.acquire();
  const waits = [cell.invalidate(), cell.invalidate(), cell.close()];
  const outcomes = waits.map(outcomeOf);
  void lease.release();
  waits.push(cell.invalidate());
  await settle();
  expect(outcomes.map(({ state }) => state)).toEqual(['pending', 'pending', 'pending']);
  disposals.at(0).fail(new Error('close failed'));
  for (const wait of waits) await expect(wait).rejects.toThrow('close failed');
});

test('several failed disposals are gathered', async () => {
  const { creations, disposals, cell } = gated({ overlap: true });
  for (const i of [0, 1]) {
    creations.at(i).open(`db${i}`);
    disposals.at(i).fail(new Error(`close ${i} failed`));
  }
  const first = await cell.acquire();
  const ended = cell.invalidate().catch((error: unknown) => error);
  const second = await cell.acquire();
  const closed = cell.close();
  void first.release();
  void second.release();
  expect(await ended).toMatchObject({ message: 'close 0 failed' });
  const error = await closed.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AggregateError);
  expect((error as AggregateError).errors.map(String)).toEqual([
    'Error: close 0 failed',
    'Error: close 1 failed',
  ]);
});

test('a release can be awaited, and does not reject; `await using` on a lease gets the error', async () => {
  const onError = vi.fn();
  const { creations, disposals, cell, log } = gated({ onError });
  for (const i of [0, 1]) creations.at(i).open(`db${i}`);
  const first = await cell.acquire();
  const released = Promise.resolve(first.release());
  const outcome = outcomeOf(released);
  await settle();
  expect(outcome.state).toBe('pending');
  disposals.at(0).fail(new Error('close failed'));
  await released;
  expect(onError.mock.calls.map(([error]) => error.message)).toEqual(['close failed']);
  expect(await first.release()).toBe(undefined);
  const block = (async () => {
    await using _lease = await cell.acquire();
  })();
  disposals.at(1).fail(new Error('close failed again'));
  await expect(block).rejects.toThrow('close failed again');
  expect([onError.mock.calls.length, log.length]).toEqual([1, 2]);
});

test('the end of a block waits for the disposal that an earlier release of the lease has started', async () => {
  const { creations, disposals, cell, log } = gated();
  creations.at(0).open('db');
  const block = (async () => {
    await using lease = await cell.acquire();
    void lease.release();
  })();
  const outcome = outcomeOf(block);
  await settle();
  expect([log, outcome.state]).toEqual([['closing db'], 'pending']);
  disposals.at(0).open();
  await block;
});

test('onError that throws is printed', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const cell = new RefCounted(() => 1, {
    dispose: () => Promise.reject(new Error('close failed')),
    onError: (error) => {
      throw error;
    },
  });
  await (await cell.acquire()).release();
  expect(print).toHaveBeenCalledTimes(1);
  print.mockRestore();
});

test('a `create` that acquires makes one value, which both callers share', async () => {
  let inner: Promise<SharedLease<{ id: number }>> | undefined;
  let made = 0;
  const cell: RefCounted<{ id: number }> = new RefCounted(() => {
    const id = ++made;
    inner ??= cell.acquire();
    return { id };
  });
  const outer = await cell.acquire();
  const second = await (inner as Promise<SharedLease<{ id: number }>>);
  expect([made, second.value === outer.value, cell.refs]).toEqual([1, true, 2]);
  void second.release();
  expect(cell.refs).toBe(1);
  void outer.release();
  expect(cell.refs).toBe(0);
});

test('a `create` that waits for its own value is refused with a clear error', async () => {
  const circular: RefCounted<string> = new RefCounted(async () => (await circular.acquire()).value);
  await expect(circular.acquire()).rejects.toThrow(RefCountedReentrantError);
  expect(circular.refs).toBe(0);
  const returned: RefCounted<unknown> = new RefCounted<unknown>(() => returned.acquire());
  await expect(returned.acquire()).rejects.toMatchObject({ code: 'TENURE_REF_COUNTED_REENTRANT' });
  const gathered: RefCounted<unknown> = new RefCounted<unknown>(async () => {
    await settle();
    return Promise.all([gathered.acquire()]);
  });
  await expect(gathered.acquire()).rejects.toThrow(RefCountedReentrantError);
});

test('a `create` that waits for the successor of its own value is refused: that one waits for the end of it', async () => {
  const gate = new Gate();
  const circular: RefCounted<unknown> = new RefCounted<unknown>(async () => {
    await gate.passed;
    return circular.acquire();
  });
  const wait = circular.acquire();
  const invalidated = circular.invalidate();
  gate.open();
  await expect(wait).rejects.toThrow(RefCountedReentrantError);
  await invalidated;
});

test('code that `create` has started may wait for the value once it is there', async () => {
  const started = new Gate();
  let worker: Promise<string> | undefined;
  const cell: RefCounted<string> = new RefCounted(() => {
    const own = cell.acquire();
    worker = started.passed.then(async () => {
      using lease = await own;
      return `works with ${lease.value}`;
    });
    return 'db';
  });
  const first = await cell.acquire();
  started.open();
  expect(await worker).toBe('works with db');
  expect(cell.refs).toBe(1);
  await first.release();
});

test('a caller leaves by its signal, and the others get the value', async () => {
  const { cell, creations, signals, disposals, log } = gated();
  const leaving = new AbortController();
  const first = cell.acquire({ signal: leaving.signal });
  const second = cell.acquire({ signal: new AbortController().signal });
  leaving.abort(new Error('gone'));
  await expect(first).rejects.toThrow('gone');
  expect(signals[0]?.aborted).toBe(false);
  creations.at(0).open('db');
  const lease = await second;
  expect([lease.value, cell.refs]).toEqual(['db', 1]);
  disposals.at(0).open();
  await lease.release();
  expect(log).toEqual(['closing db', 'closed db']);
});

test('when all callers have left, the creation is told, and what it makes is disposed of', async () => {
  const { cell, creations, signals, disposals, log } = gated();
  const leaving = new AbortController();
  const waits = [1, 2].map(() => cell.acquire({ signal: leaving.signal }));
  leaving.abort();
  for (const wait of waits) await expect(wait).rejects.toThrow();
  expect(signals[0]?.aborted).toBe(true);
  creations.at(0).open('late');
  disposals.at(0).open();
  await cell.idle();
  expect(log).toEqual(['closing late', 'closed late']);
});

test.each([0, Infinity])(
  'a creation that takes longer than each caller waits, and ignores its signal, serves a later caller: idleMillis %d',
  async (idleMillis) => {
    const clock = new FakeClock();
    let made = 0;
    const cell = new RefCounted<number>(
      () => new Promise((resolve) => clock.setTimer(() => resolve(++made), 10_000)),
      { idleMillis, clock },
    );
    const outcomes = [];
    for (let caller = 0; caller < 8; caller++) {
      const leaving = new AbortController();
      outcomes.push(outcomeOf(cell.acquire({ signal: leaving.signal }).then((it) => it.release())));
      await clock.advance(1_400);
      leaving.abort(new Error('tired'));
      await clock.advance(100);
    }
    expect(outcomes.map(({ state }) => state)).toEqual([
      ...Array.from({ length: 6 }, () => 'rejected: tired'),
      'resolved',
      idleMillis === 0 ? 'rejected: tired' : 'resolved',
    ]);
    const closed = cell.close();
    await clock.advance(10_000);
    await closed;
    expect(made).toBe(idleMillis === 0 ? 2 : 1);
  },
);

test('a value that comes when all callers have left is kept for the next one while it may be idle', async () => {
  const clock = new FakeClock();
  const { cell, creations, disposals, log } = gated({ idleMillis: 100, clock });
  const leaving = new AbortController();
  const wait = cell.acquire({ signal: leaving.signal });
  leaving.abort();
  await expect(wait).rejects.toThrow();
  creations.at(0).open('late');
  await cell.idle();
  await clock.advance(99);
  const lease = await cell.acquire();
  expect([lease.value, log]).toEqual(['late', []]);
  disposals.at(0).open();
  void lease.release();
  await clock.advance(100);
  expect(log).toEqual(['closing late', 'closed late']);
});

test('a creation that stops by its signal begins anew for the callers that came after that', async () => {
  const { cell, creations, signals, disposals } = gated();
  const leaving = new AbortController();
  const left = cell.acquire({ signal: leaving.signal });
  leaving.abort();
  await expect(left).rejects.toThrow();
  const next = cell.acquire();
  creations.at(0).fail(new Error('stopped'));
  await settle();
  expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
  creations.at(1).fail(new Error('down'));
  await expect(next).rejects.toThrow('down');
  creations.at(2).open('db');
  disposals.at(0).open();
  await (await cell.acquire()).release();
});

test('a creation that begins anew waits for the disposal of the value before it, and is refused by close', async () => {
  const { cell, creations, disposals } = gated();
  creations.at(0).open('old');
  void (await cell.acquire()).release();
  const leaving = new AbortController();
  const left = cell.acquire({ signal: leaving.signal });
  leaving.abort();
  const next = outcomeOf(left.catch(() => cell.acquire()));
  await settle();
  expect(creations.arrived).toBe(1);
  disposals.at(0).open();
  await settle();
  expect(creations.arrived).toBe(2);
  const closed = cell.close();
  creations.at(1).fail(new Error('stopped'));
  await closed;
  expect([next.state, creations.arrived]).toEqual([
    expect.stringMatching(/^rejected: .* is closed/),
    2,
  ]);
});

test('with `overlap` the next caller does not wait for a creation that all callers have left', async () => {
  const { cell, creations, disposals, log } = gated({ overlap: true });
  const leaving = new AbortController();
  const left = cell.acquire({ signal: leaving.signal });
  leaving.abort();
  await expect(left).rejects.toThrow();
  creations.at(1).open('db');
  const lease = await cell.acquire();
  creations.at(0).open('late');
  for (const at of [0, 1]) disposals.at(at).open();
  await settle();
  expect(log).toEqual(['closing late', 'closed late']);
  await lease.release();
});

test('a signal that has aborted creates nothing, and one that throws leaves nothing behind', async () => {
  const { cell, creations } = gated();
  const odd = new EventTarget();
  Object.assign(odd, {
    aborted: false,
    addEventListener: () => {
      throw new Error('no listeners');
    },
  });
  await expect(cell.acquire({ signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
  expect(creations.arrived).toBe(0);
  await expect(cell.acquire({ signal: odd as AbortSignal })).rejects.toThrow('no listeners');
  creations.at(0).fail(new Error('aborted'));
  await cell.idle();
  await expect(cell.acquire({ sginal: 1 } as never)).rejects.toThrow('unknown option `sginal`');
});

test('the next value waits for the disposal of the last one, even if that fails', async () => {
  allowLeaks();
  const onError = vi.fn();
  const { cell, creations, disposals } = gated({ onError });
  creations.at(0).open('old');
  creations.at(1).open('new');
  void (await cell.acquire()).release();
  const next = cell.acquire();
  await settle();
  expect(creations.arrived).toBe(1);
  disposals.at(0).fail(new Error('close failed'));
  expect((await next).value).toBe('new');
  expect(onError).toHaveBeenCalledTimes(1);
});

test('a closed cell refuses callers, those included that wait for the creation', async () => {
  const { cell, creations, signals, disposals, log } = gated();
  const waiting = cell.acquire();
  const closed = cell.close();
  await expect(waiting).rejects.toThrow(RefCountedClosedError);
  await expect(cell.acquire()).rejects.toMatchObject({ code: 'TENURE_REF_COUNTED_CLOSED' });
  expect(signals[0]?.aborted).toBe(true);
  creations.at(0).open('late');
  disposals.at(0).open();
  await closed;
  expect(log).toEqual(['closing late', 'closed late']);
  await cell[Symbol.asyncDispose]();
});

test('a caller can stop waiting for a lease that is never released', async () => {
  const { cell, creations, disposals } = gated();
  creations.at(0).open('db');
  disposals.at(0).open();
  const lease = await cell.acquire();
  const patience = new AbortController();
  const waits = [
    cell.idle({ signal: patience.signal }),
    cell.invalidate({ signal: patience.signal }),
    cell.close({ signal: patience.signal }),
  ];
  patience.abort(new Error('out of patience'));
  for (const wait of waits) await expect(wait).rejects.toThrow('out of patience');
  void lease.release();
  await cell.close();
});

test('idle resolves when no lease is out and nothing is under way', async () => {
  const { cell, creations, disposals } = gated();
  await cell.idle();
  const acquired = cell.acquire();
  const outcome = outcomeOf(cell.idle());
  creations.at(0).open('db');
  void (await acquired).release();
  await settle();
  expect(outcome.state).toBe('pending');
  disposals.at(0).open();
  await settle();
  expect(outcome.state).toBe('resolved');
});

test('idle waits for a lease on a retired value although the value after it is idle', async () => {
  const values = new RefCounted(() => ({}), {
    overlap: true,
    idleMillis: Number.POSITIVE_INFINITY,
    dispose: () => {},
  });
  const former = await values.acquire();
  const ended = values.invalidate();
  void (await values.acquire()).release();
  const outcome = outcomeOf(values.idle());
  await settle();
  expect(outcome.state).toBe('pending');
  void former.release();
  await ended;
  await settle();
  expect(outcome.state).toBe('resolved');
  await values.close();
});

test('callers that leave `idle` leave no wait behind', async () => {
  const cell = new RefCounted(() => ({}));
  const lease = await cell.acquire();
  const leaveOften = async (): Promise<number> => {
    for (let i = 0; i < 20_000; i++) {
      await cell.idle({ signal: AbortSignal.abort() }).catch(() => {});
    }
    return heapAtRest();
  };
  const before = await leaveOften();
  expect((await leaveOften()) - before).toBeLessThan(2 ** 21); // A wait takes some hundred bytes.
  await lease.release();
});

test('touch starts the idle time anew', async () => {
  const clock = new FakeClock();
  const { cell, creations, disposals, log } = gated({ clock, idleMillis: 100 });
  cell.touch();
  creations.at(0).open('db');
  disposals.at(0).open();
  void (await cell.acquire()).release();
  await clock.advance(99);
  cell.touch();
  await clock.advance(99);
  expect(log).toEqual([]);
  await clock.advance(1);
  expect(log).toEqual(['closing db', 'closed db']);
});

test('under any order of events at most one value exists, and each one is disposed of once', async () => {
  const step = fc.constantFrom(
    'acquire',
    'acquire and leave',
    'release',
    'invalidate',
    'create',
    'fail',
    'dispose',
    'tick',
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.constantFrom(0, 10, Infinity),
      async (steps, idleMillis) => {
        const clock = new FakeClock();
        const creating: Gate<number>[] = [];
        const disposing: Gate[] = [];
        const alive = new Set<number>();
        const violations: string[] = []; // An assertion within a callback would only fail the creation.
        let made = 0;
        const cell = new RefCounted<number>(
          async () => {
            const gate = new Gate<number>();
            creating.push(gate);
            const id = await gate.passed;
            alive.add(id);
            if (alive.size > 1) violations.push(`${alive.size} values`);
            return id;
          },
          {
            idleMillis,
            clock,
            async dispose(id) {
              const gate = new Gate();
              disposing.push(gate);
              await gate.passed;
              if (!alive.delete(id)) violations.push(`${id} was disposed of twice`);
            },
          },
        );
        const leases: SharedLease<number>[] = [];
        const controllers: AbortController[] = [];
        const waits: Promise<unknown>[] = [];
        const acquire = (signal?: AbortSignal) =>
          waits.push(
            cell.acquire(signal === undefined ? {} : { signal }).then(
              (lease) => {
                if (!alive.has(lease.value)) violations.push('a lease on a dead value');
                leases.push(lease);
              },
              () => {},
            ),
          );
        for (const name of steps) {
          if (name === 'acquire') acquire();
          else if (name === 'acquire and leave') {
            const controller = new AbortController();
            controllers.push(controller);
            acquire(controller.signal);
          } else if (name === 'release') void leases.pop()?.release();
          else if (name === 'invalidate') waits.push(cell.invalidate());
          else if (name === 'create') creating.shift()?.open(++made);
          else if (name === 'fail') creating.shift()?.fail(new Error('down'));
          else if (name === 'dispose') disposing.shift()?.open();
          else {
            controllers.pop()?.abort();
            await clock.advance(10);
          }
          await settle();
        }
        let closed = false;
        const close = cell.close().then(() => {
          closed = true;
        });
        while (!closed) {
          for (const lease of leases.splice(0)) void lease.release();
          for (const gate of creating.splice(0)) gate.open(++made);
          for (const gate of disposing.splice(0)) gate.open();
          await settle();
        }
        await Promise.all([close, ...waits]);
        expect(violations).toEqual([]);
        expect([alive.size, cell.refs, clock.pendingTimers]).toEqual([0, 0, 0]);
      },
    ),
    { numRuns: 60 },
  );
});

test('callers that share a signal add one listener, and remove it', async () => {
  allowLeaks();
  const { cell, creations } = gated();
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, 'addEventListener');
  const remove = vi.spyOn(signal, 'removeEventListener');
  const waits = Array.from({ length: 20 }, () => cell.acquire({ signal }));
  expect(add).toHaveBeenCalledTimes(1);
  creations.at(0).open('db');
  for (const lease of await Promise.all(waits)) void lease;
  expect([remove.mock.calls.length, cell.refs]).toEqual([1, 20]);
});

test('a caller that leaves as the value comes keeps no hold on it', async () => {
  const { cell, creations, disposals, log } = gated();
  const leaving = new AbortController();
  const wait = cell.acquire({ signal: leaving.signal });
  creations.at(0).open('db');
  await creations.at(0).passed;
  leaving.abort(new Error('gone'));
  const outcome = await wait.then(
    (lease) => lease,
    () => undefined,
  );
  void outcome?.release();
  disposals.at(0).open();
  await cell.idle();
  expect([cell.refs, log]).toEqual([0, ['closing db', 'closed db']]);
});

test('a lease for a caller elsewhere stays although `create` was refused a wait for it', async () => {
  const disposed: string[] = [];
  let own: Promise<SharedLease<string>> | undefined;
  const asked = new Gate();
  const elsewhere = asked.passed.then(() => own); // Outside of the creation.
  const cell: RefCounted<string> = new RefCounted<string>(
    async () => {
      own = cell.acquire();
      asked.open();
      await expect(own.then()).rejects.toThrow(RefCountedReentrantError);
      await settle();
      return 'db';
    },
    { dispose: (value) => void disposed.push(value) },
  );
  const first = await cell.acquire();
  const second = await elsewhere;
  void first.release();
  expect([disposed, cell.refs, second?.value]).toEqual([[], 1, 'db']);
  void second?.release();
  expect(disposed).toEqual(['db']);
});

test('a wait that was refused holds no lease: the value is disposed of, and close ends', async () => {
  const disposals: string[] = [];
  const shared: RefCounted<string> = new RefCounted(
    async () => {
      const own = await shared.acquire().then(
        () => 'a lease',
        ({ code }: RefCountedReentrantError) => code,
      );
      return `made after ${own}`;
    },
    { dispose: (value) => void disposals.push(value) },
  );
  const lease = await shared.acquire();
  await settle();
  expect(shared.refs).toBe(1);
  await lease.release();
  expect(disposals).toEqual(['made after TENURE_REF_COUNTED_REENTRANT']);
  await shared.close();
});

test.each([
  ['close', 'at once'],
  ['invalidate', 'at once'],
  ['close', 'after an await'],
  ['invalidate', 'after an await'],
] as const)(
  'a `dispose` that awaits `%s` of the object that calls it, %s, does not wait for itself',
  async (end, when) => {
    const log: string[] = [];
    const cell: RefCounted<string> = new RefCounted(() => 'db', {
      async dispose(value) {
        if (when === 'after an await') await settle();
        await cell[end]();
        log.push(`closed ${value}`);
      },
    });
    void (await cell.acquire()).release();
    await cell.close();
    expect(log).toEqual(['closed db']);
  },
);

test('a value whose idle time cannot be timed is disposed of at its last release', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  let disposals = 0;
  const shared = new RefCounted(() => ({}), {
    clock,
    idleMillis: 100,
    dispose: () => void disposals++,
  });
  const lease = await shared.acquire();
  clock.fails = true;
  await lease.release();
  expect([disposals, shared.refs]).toEqual([1, 0]);
  expect(String(printed.mock.calls[0]?.[0])).toContain('the clock of a shared value');
  printed.mockRestore();
  await shared.close();
});

test('an idle value is shared and disposed of although the clock cannot clear its timer', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const clock = new FailingClock();
  const log: number[] = [];
  let created = 0;
  const shared = new RefCounted(() => ++created, {
    clock,
    idleMillis: 100,
    dispose: (value) => void log.push(value),
  });
  await (await shared.acquire()).release();
  clock.failsToClear = true;
  const lease = await shared.acquire();
  await clock.advance(100); // The timer that was not cleared.
  expect([lease.value, shared.refs, log]).toEqual([1, 1, []]);
  await lease.release();
  await shared.invalidate();
  expect(log).toEqual([1]);
  await (await shared.acquire()).release();
  await shared.close();
  expect(log).toEqual([1, 2]);
  printed.mockRestore();
});

test('disposals that close each other do not wait for each other in a circle', async () => {
  const log: string[] = [];
  const closeLater = async (other: RefCounted<string>, name: string): Promise<void> => {
    await settle();
    await other.close();
    log.push(name);
  };
  const first: RefCounted<string> = new RefCounted(() => 'first', {
    idleMillis: Number.POSITIVE_INFINITY,
    dispose: (name) => closeLater(second, name),
  });
  const second: RefCounted<string> = new RefCounted(() => 'second', {
    idleMillis: Number.POSITIVE_INFINITY,
    dispose: (name) => closeLater(first, name),
  });
  void (await first.acquire()).release();
  void (await second.acquire()).release();
  await first.close();
  expect(log).toEqual(['second', 'first']);
});

test('a dispose that has left its wait for another value lets the disposal of that one wait for it', async () => {
  const log: string[] = [];
  const patience = new AbortController();
  const gate = new Gate();
  const first: RefCounted<string> = new RefCounted(() => 'first', {
    idleMillis: Number.POSITIVE_INFINITY,
    dispose: async (name) => {
      await second.invalidate({ signal: patience.signal }).catch(() => log.push(`${name} left`));
      await gate.passed;
      log.push(name);
    },
  });
  const second: RefCounted<string> = new RefCounted(() => 'second', {
    idleMillis: Number.POSITIVE_INFINITY,
    dispose: async (name) => {
      await first.close();
      log.push(name);
    },
  });
  void (await first.acquire()).release();
  const lease = await second.acquire();
  const closed = first.close();
  await settle();
  patience.abort();
  await settle();
  const released = lease.release();
  await settle();
  gate.open();
  await Promise.all([closed, released]);
  expect(log).toEqual(['first left', 'first', 'second']);
});

const ENDS = ['close', 'invalidate', 'idle'] as const;

test.each(ENDS)(
  'a dispose that awaits %s does not wait for the next value, which waits for it',
  async (end) => {
    const shared: RefCounted<object> = new RefCounted(() => ({}), {
      dispose: async () => {
        await settle();
        await shared[end]();
      },
    });
    const ended = (await shared.acquire()).release();
    const next = shared.acquire();
    if (end === 'close') await expect(next).rejects.toThrow(RefCountedClosedError);
    else void (await next).release();
    await ended;
    await shared.close();
  },
);

test.each(ENDS)(
  'a dispose that awaits %s does not wait for a key that waits for its place',
  async (end) => {
    const map: RefCountedMap<string, string> = new RefCountedMap<string, string>((key) => key, {
      capacity: 1,
      idleMillis: Number.POSITIVE_INFINITY,
      dispose: async (key) => {
        await settle();
        if (key === 'a') await (end === 'invalidate' ? map.invalidate('b') : map[end]());
      },
    });
    void (await map.acquire('a')).release();
    const next = map.acquire('b');
    if (end === 'close') await expect(next).rejects.toThrow(RefCountedClosedError);
    else void (await next).release();
    await map.close();
  },
);

test.each(['close', 'idle'] as const)(
  'disposals that began apart and await %s of each other end',
  async (end) => {
    const map: RefCountedMap<string, string> = new RefCountedMap<string, string>((key) => key, {
      dispose: async () => {
        await settle();
        await map[end]();
      },
    });
    const leases = await Promise.all(['a', 'b', 'c'].map((key) => map.acquire(key)));
    await Promise.all(leases.map((lease) => lease.release()));
    await map.close();
  },
);

test('a dispose that awaits `close` after another one has ended does not wait for itself', async () => {
  const brief = new RefCounted(() => 'brief', { dispose: () => {} });
  const shared: RefCounted<string> = new RefCounted<string>(() => 'db', {
    dispose: async () => {
      await (await brief.acquire()).release();
      await shared.close();
    },
  });
  await (await shared.acquire()).release();
  await shared.close();
  await brief.close();
});

test.each<
  [string, (dispose: () => Promise<void>) => { use(): Promise<unknown>; idle(): Promise<void> }]
>([
  [
    'RefCounted',
    (dispose) => {
      const shared = new RefCounted(() => 'db', { dispose });
      return { use: async () => (await shared.acquire()).release(), idle: () => shared.idle() };
    },
  ],
  [
    'RefCountedMap',
    (dispose) => {
      const shared = new RefCountedMap((key: string) => key, { dispose });
      return { use: async () => (await shared.acquire('db')).release(), idle: () => shared.idle() };
    },
  ],
])('a dispose that waits for the idleness of its %s does not wait for itself', async (_, make) => {
  const log: string[] = [];
  const gate = new Gate();
  const shared = make(async () => {
    await settle();
    await shared.idle();
    log.push('idle but for the disposal');
    await gate.passed;
  });
  void shared.use();
  await settle();
  await settle();
  expect(log).toEqual(['idle but for the disposal']);
  const idle = shared.idle().then(() => log.push('idle'));
  await settle();
  expect(log).toHaveLength(1);
  gate.open();
  await idle;
});

test('code that no disposal has called waits for a disposal that runs', async () => {
  const gate = new Gate();
  const cell = new RefCounted(() => 'db', { dispose: () => gate.passed });
  void (await cell.acquire()).release();
  let isClosed = false;
  const closing = cell.close().then(() => {
    isClosed = true;
  });
  await settle();
  expect(isClosed).toBe(false);
  gate.open();
  await closing;
});

test.each([
  { name: 'a creation that hangs', hangs: 'create' },
  { name: 'a disposal that hangs', hangs: 'dispose' },
])('callers that leave during $name leave no value behind', async ({ hangs }) => {
  const forEver = (): Promise<never> => new Promise(() => {});
  let creations = 0;
  const cell = new RefCounted<object>(
    () => {
      creations++;
      return hangs === 'create' ? forEver() : {};
    },
    { dispose: () => forEver() },
  );
  if (hangs === 'dispose') void (await cell.acquire()).release();
  const observer = new RecordingObserver();
  using _watch = cell[observe](observer);
  const began = observer.live.size;
  for (let caller = 0; caller < 20; caller++) {
    const controller = new AbortController();
    const wait = cell.acquire({ signal: controller.signal });
    await settle();
    controller.abort(new Error('left'));
    await expect(wait).rejects.toThrow('left');
    await settle();
  }
  expect(creations).toBe(1);
  expect(observer.live.size).toBeLessThanOrEqual(began + 1);
});

test('callers of a full RefCountedMap that leave while a disposal hangs leave no key behind', async () => {
  const map = new RefCountedMap<number, object>(() => ({}), {
    capacity: 1,
    idleMillis: Number.POSITIVE_INFINITY,
    dispose: () => new Promise<void>(() => {}),
  });
  void (await map.acquire(0)).release();
  const observer = new RecordingObserver();
  using _watch = map[observe](observer);
  const began = observer.live.size;
  for (let key = 1; key <= 20; key++) {
    const controller = new AbortController();
    const wait = map.acquire(key, { signal: controller.signal });
    await settle();
    controller.abort(new Error('left'));
    await expect(wait).rejects.toThrow('left');
    await settle();
  }
  expect(observer.live.size).toBe(began);
});

test('an error of a disposal goes to onError once all callers that waited for it have left', async () => {
  const disposal = new Gate();
  const errors: unknown[] = [];
  const cell = new RefCounted(() => ({}), {
    idleMillis: Number.POSITIVE_INFINITY,
    dispose: () => disposal.passed,
    onError: (error) => errors.push(error),
  });
  void (await cell.acquire()).release();
  const controller = new AbortController();
  const wait = cell.invalidate({ signal: controller.signal });
  controller.abort(new Error('left'));
  await expect(wait).rejects.toThrow('left');
  const failure = new Error('cannot close');
  disposal.fail(failure);
  await settle();
  expect(errors).toEqual([failure]);
});
