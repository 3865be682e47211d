import { expect, test } from 'vitest';
import { Watchdog } from '../../src/watchdog/index.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { watchedPool } from './watched-pool.js';

const watched = () => watchedPool({ level: 'counters', graceMillis: 1_000 });

/** Starts an async flow of its own, as a listener of a server does. */
async function flow<T>(body: () => T | PromiseLike<T>): Promise<Awaited<T>> {
  await Promise.resolve();
  return await body();
}

test('a scope that is entered owns the loans of the rest of its flow, until it is ended', async () => {
  using t = watched();
  const gate = new Gate();
  const scope = t.watchdog.openScope('GET /orders');
  const request = flow(async () => {
    scope.enter();
    await gate.passed;
    t.pool.lease();
  });
  gate.open();
  await request;
  expect(await t.watchdog.check()).toEqual([]);
  scope.end();
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'GET /orders' }]);
});

test('entering a scope does not reach the flows beside it', async () => {
  using t = watched();
  const scope = t.watchdog.openScope('GET /orders');
  await flow(() => scope.enter());
  t.pool.lease();
  scope.end();
  expect(await t.watchdog.check()).toEqual([]);
});

test('run calls its body within the scope, gives its result, and leaves the scope open', async () => {
  using t = watched();
  const scope = t.watchdog.openScope('job');
  expect(scope.run(() => 'done')).toBe('done');
  await scope.run(async () => {
    await settle();
    t.pool.lease();
  });
  expect(t.watchdog.stats().scopes).toBe(1);
  scope.end();
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'job' }]);
});

test('an error of the body of run goes to its caller, and the scope stays open', () => {
  using t = watched();
  const scope = t.watchdog.openScope('job');
  const failure = new Error('from the body');
  expect(() =>
    scope.run(() => {
      throw failure;
    }),
  ).toThrow(failure);
  expect(t.watchdog.stats().scopes).toBe(1);
  scope.end();
});

test('a renamed scope is reported by its last name, and so are the scopes within it', async () => {
  using t = watched();
  const scope = t.watchdog.openScope('GET /orders');
  scope.run(() => {
    t.pool.lease();
    t.watchdog.scope('transaction', () => {
      scope.rename('GET /orders/:id');
      t.pool.lease();
    });
  });
  scope.end();
  const [report] = await t.watchdog.check();
  expect(report?.scopes.map((counted) => counted.scope).sort()).toEqual([
    'GET /orders/:id',
    'GET /orders/:id > transaction',
  ]);
});

test('the loans of a scope move to the site of its last name, however long they were out before', async () => {
  using t = watched();
  const scope = t.watchdog.openScope('GET /orders/…');
  const other = t.watchdog.openScope('GET /orders/…');
  other.run(() => t.pool.lease());
  scope.run(() => t.pool.lease());
  await t.clock.advance(500); // The heap has the loans by now.
  scope.rename('GET /orders/:id');
  scope.end();
  await t.clock.advance(500);
  const reports = await t.watchdog.check();
  expect(reports).toMatchObject([{ scope: 'GET /orders/:id', counters: { live: [1, 0, 0] } }]);
  expect(reports[0]?.path?.at(-1)).toBe('lease "db" in GET /orders/:id');
});

test('a second end, and the disposal after an end, have no effect', () => {
  using t = watched();
  {
    using scope = t.watchdog.openScope('job');
    scope.end();
    scope.end();
  }
  expect(t.watchdog.stats().scopes).toBe(0);
});

test('a loan that is taken after the end counts as orphaned; one that comes back in the grace makes no noise', async () => {
  using t = watched();
  const scope = t.watchdog.openScope('GET /late');
  scope.end();
  const lease = scope.run(() => t.pool.lease());
  expect(await t.watchdog.check()).toMatchObject([{ rule: 'orphaned', scope: 'GET /late' }]);
  await t.clock.advance(999);
  lease.release();
  await t.clock.advance(10_000);
  expect(t.leaks).toEqual([]);
  expect(await t.watchdog.check()).toEqual([]);
});

test('a scope that is opened within an ended one has no ended name in front of it', async () => {
  using t = watched();
  const first = t.watchdog.openScope('first');
  const second = first.run(() => {
    first.end();
    return t.watchdog.openScope('second');
  });
  second.run(() => t.pool.lease());
  second.end();
  expect(await t.watchdog.check()).toMatchObject([{ scope: 'second' }]);
});

test('a request is within no other request, but within the scope that is around both', async () => {
  using t = watched();
  await t.watchdog.scope('server', async () => {
    const first = t.watchdog.openScope('first', { request: true });
    first.enter();
    const second = t.watchdog.openScope('second', { request: true });
    second.run(() => t.watchdog.scope('transaction', () => t.pool.lease()));
    second.end();
    first.end();
  });
  expect(await t.watchdog.check()).toMatchObject([{ scope: 'server > second > transaction' }]);
});

test('leaving a scope makes the scope around it current, or none', async () => {
  using t = watched();
  await flow(() => {
    const scope = t.watchdog.openScope('job');
    scope.enter();
    scope.leave();
    t.pool.lease();
    scope.end();
  });
  expect(await t.watchdog.check()).toEqual([]);
});

test('the end of a scope makes the scope around it current in the flow that entered it', async () => {
  using t = watched();
  const around = t.watchdog.openScope('consumer');
  await flow(async () => {
    around.enter();
    for (let i = 0; i < 3; i++) {
      using message = t.watchdog.openScope('message');
      message.enter();
      await flow(() => t.pool.lease().release());
    }
    t.pool.lease();
    await null;
    t.pool.lease();
  });
  expect(await t.watchdog.check()).toEqual([]);
  around.end();
  expect(await t.watchdog.check()).toMatchObject([{ scope: 'consumer', count: 2 }]);
});

test('the end of a scope leaves the flows alone that it does not end in', async () => {
  using t = watched();
  const gate = new Gate();
  const scope = t.watchdog.openScope('GET /late');
  const late = flow(async () => {
    scope.enter();
    await gate.passed;
    t.pool.lease();
  });
  const other = t.watchdog.openScope('GET /other');
  other.run(() => {
    scope.end();
    t.pool.lease();
  });
  gate.open();
  await late;
  expect(await t.watchdog.check()).toMatchObject([{ scope: 'GET /late', count: 1 }]);
});

test('a long name is cut, so that no report carries a whole URL', async () => {
  using t = watched();
  const scope = t.watchdog.openScope('x'.repeat(10_000));
  scope.run(() => t.pool.lease());
  scope.end();
  const [report] = await t.watchdog.check();
  expect(report?.scope).toBe(`${'x'.repeat(200)}…`);
});

test.each([
  ['an empty name', ''],
  ['no name', undefined as never],
])('%s is refused, at once and by name', (_what, name) => {
  using t = watched();
  const refusal = expect.objectContaining({ code: 'TENURE_INVALID_ARGUMENT' });
  expect(() => t.watchdog.openScope(name)).toThrow(refusal);
  expect(() => t.watchdog.openScope('job', { request: 1 } as never)).toThrow(refusal);
  const scope = t.watchdog.openScope('job');
  expect(() => scope.rename(name)).toThrow(refusal);
  expect(() => scope.run('no function' as never)).toThrow(refusal);
  scope.end();
});

test('a watchdog that is off or disposed of opens scopes that do nothing', () => {
  const off = new Watchdog({ level: 'off' });
  const disposed = new Watchdog();
  disposed[Symbol.dispose]();
  for (const watchdog of [off, disposed]) {
    using scope = watchdog.openScope('job');
    scope.enter();
    scope.leave();
    scope.rename('other');
    expect(scope.run(() => 'done')).toBe('done');
    expect(watchdog.stats().scopes).toBe(0);
  }
});

test('ending a scope after the watchdog was disposed of has no effect', () => {
  using t = watched();
  const scope = t.watchdog.openScope('job');
  t.watchdog[Symbol.dispose]();
  expect(() => scope.end()).not.toThrow();
});
