/**
 * The middlewares that a user of Express writes first: `(request, response, next) => watchdog.scope(name, () => next())`, and with
 * `async () => next()`. The scope ends when `next` returns, while the handler goes on.
 */
import { describe, expect, test } from 'vitest';
import { createPool, type Lease } from '../../src/pool/index.js';
import { type LeakReport, Watchdog } from '../../src/watchdog/index.js';
import { FakeClock } from '../kit/fake-clock.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

/** How the middleware calls `next` in its scope. */
type Style = (next: () => void) => unknown;

const STYLES: readonly (readonly [string, Style])[] = [
  ['() => next()', (next) => next()],
  ['async () => next()', async (next) => next()],
  [
    'async () => { next(); }',
    async (next) => {
      next();
    },
  ],
];

function service(style: Style, max = 3) {
  const clock = new FakeClock();
  const watchdog = new Watchdog({ level: 'advanced', clock });
  const pool = createPool(
    { create: () => ({}), destroy: () => {} },
    { name: 'db', max, clock, acquireTimeoutMillis: 500 },
  );
  watchdog.watch(pool);
  const told: LeakReport[] = [];
  watchdog.on('leak', (report) => told.push(report));
  /** Runs a handler as that middleware does. Gives when the handler is done. */
  const request = (name: string, handler: () => Promise<void>): Promise<void> => {
    let done!: Promise<void>;
    const next = (): void => {
      done = handler();
    };
    void watchdog.scope(name, () => style(next));
    return done;
  };
  /** Serves healthy requests whose loans last `millis`. */
  const serve = async (count: number, millis: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const gate = new Gate();
      const done = request('GET /healthy', () => pool.use(() => gate.passed));
      await settle();
      clock.jump(millis);
      gate.open();
      await done;
    }
  };
  return {
    clock,
    watchdog,
    pool,
    told,
    request,
    serve,
    async [Symbol.asyncDispose]() {
      watchdog[Symbol.dispose]();
      await pool.close({ graceMillis: 0, force: true });
    },
  };
}

describe.each(STYLES)('%s', (_text, style) => {
  test('a healthy request in flight is no leak, even if its loan lasts longer than the grace', async () => {
    await using t = service(style);
    await t.serve(25, 400);
    const gate = new Gate();
    const done = t.request('GET /healthy', () => t.pool.use(() => gate.passed));
    await settle();
    expect(await t.watchdog.check()).toEqual([]);
    await t.clock.advance(3_000);
    expect(await t.watchdog.check()).toEqual([]);
    gate.open();
    await done;
    expect(t.told).toEqual([]);
  });

  test('a lost loan is orphaned once it is out for longer than the grace and than is usual', async () => {
    await using t = service(style);
    await t.serve(25, 1);
    const held: Lease<object>[] = [];
    await t.request('GET /leak', async () => void held.push(await t.pool.lease()));
    expect(await t.watchdog.check()).toEqual([]);
    await t.clock.advance(1_000);
    expect(await t.watchdog.check()).toMatchObject([
      { rule: 'orphaned', certainty: 'probable', scope: 'GET /leak', count: 1 },
    ]);
    await t.clock.advance(1_000);
    expect(t.told).toMatchObject([{ rule: 'orphaned', scope: 'GET /leak' }]);
    expect(t.told[0]?.fix).toContain(
      'use `expressScopes(watchdog)` of tenure/integrations/express',
    );
    expect(held).toHaveLength(1);
  });

  test('an exhausted pool never reads NO LEAKS, however short it has been exhausted', async () => {
    await using t = service(style, 2);
    await t.serve(25, 1);
    for (let i = 0; i < 2; i++) {
      await t.request('GET /leak', async () => void (await t.pool.lease()));
    }
    const refused = t.request('GET /healthy', () => t.pool.use(() => {}));
    refused.catch(() => {});
    await settle();
    t.clock.jump(5);
    expect(await t.watchdog.check()).toMatchObject([
      { rule: 'orphaned', certainty: 'suspect', count: 2 },
    ]);
    t.clock.jump(20);
    expect(await t.watchdog.check()).toMatchObject([
      { rule: 'orphaned', certainty: 'probable', count: 2 },
    ]);
    await t.clock.advance(500);
    await expect(refused).rejects.toMatchObject({ code: 'TENURE_POOL_ACQUIRE_TIMEOUT' });
    expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 2 }]);
  });

  test('a pool that becomes exhausted with its first requests never reads NO LEAKS', async () => {
    await using t = service(style, 2);
    for (let i = 0; i < 2; i++) {
      await t.request('GET /leak', async () => void (await t.pool.lease()));
    }
    expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', count: 2 }]);
  });

  test('a busy pool whose loans come back is no leak, although callers wait', async () => {
    await using t = service(style, 2);
    await t.serve(25, 30);
    const gate = new Gate();
    const requests = Array.from({ length: 5 }, () =>
      t.request('GET /healthy', () => t.pool.use(() => gate.passed)),
    );
    await settle();
    t.clock.jump(20);
    expect(t.pool.pending).toBe(3);
    expect(await t.watchdog.check()).toEqual([]);
    gate.open();
    await Promise.all(requests);
    expect(await t.watchdog.check()).toEqual([]);
  });

  test('a loan of such a scope is lost at once when a scope around it ends', async () => {
    await using t = service(style);
    await t.serve(25, 1);
    const outer = t.watchdog.openScope('job');
    await outer.run(() => t.request('step', async () => void (await t.pool.lease())));
    expect(await t.watchdog.check()).toEqual([]);
    outer.end();
    expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'job > step' }]);
  });
});

test('a job that awaits, or that gives a loan, has its loan judged at its end, in a warm pool, too', async () => {
  const [, style] = STYLES[0] as (typeof STYLES)[number];
  await using t = service(style);
  await t.serve(25, 1);
  await t.watchdog.scope('awaits', async () => {
    await t.pool.lease();
  });
  await t.watchdog.scope('gives', () => t.pool.lease());
  const leaks = await t.watchdog.check();
  expect(leaks.flatMap(({ scopes }) => scopes.map(({ scope }) => scope)).sort()).toEqual([
    'awaits',
    'gives',
  ]);
  expect(leaks.map(({ fix }) => fix).join()).not.toContain('expressScopes');
});
