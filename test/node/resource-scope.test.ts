import { expect, test, vi } from 'vitest';
import { ResourceScope } from '../../src/node/index.js';
import { createPool } from '../../src/pool/index.js';
import {
  asyncContextManager,
  ContextEndedError,
  contextManager,
  InvalidArgumentError,
} from '../../src/scope/index.js';
import { Watchdog } from '../../src/watchdog/index.js';
import { settle } from '../kit/settle.js';

test('what is registered anywhere below is released when the scope ends, the newest first', async () => {
  const log: string[] = [];
  const deep = async (name: string) => {
    await settle();
    ResourceScope.current?.use({ [Symbol.asyncDispose]: async () => void log.push(name) });
  };
  const result = await ResourceScope.run('job', async (scope) => {
    expect([ResourceScope.current === scope, scope.name, scope.parent]).toEqual([
      true,
      'job',
      undefined,
    ]);
    await deep('first');
    await deep('second');
    scope.use({ [Symbol.dispose]: () => void log.push('third') });
    expect(scope.adopt('fd', (value) => log.push(value))).toBe('fd');
    log.push('body');
    return 7;
  });
  expect(result).toBe(7);
  expect(log).toEqual(['body', 'fd', 'third', 'second', 'first']);
  expect(ResourceScope.current).toBe(undefined);
});

test('each release is awaited before the next', async () => {
  const log: string[] = [];
  await ResourceScope.run('job', (scope) => {
    for (const name of ['a', 'b']) {
      scope.defer(async () => {
        log.push(`begin ${name}`);
        await settle();
        log.push(`end ${name}`);
      });
    }
  });
  expect(log).toEqual(['begin b', 'end b', 'begin a', 'end a']);
});

test('all is released although some releases fail, and the errors are gathered', async () => {
  const last = vi.fn();
  const job = ResourceScope.run('job', (scope) => {
    scope.defer(last);
    scope.defer(() => Promise.reject(new Error('first')));
    scope.defer(() => {
      throw new Error('second');
    });
    throw new Error('body');
  });
  const error = (await job.catch((thrown: unknown) => thrown)) as AggregateError;
  expect(error.errors.map(String)).toEqual(['Error: body', 'Error: second', 'Error: first']);
  expect(last.mock.calls[0]?.[0]).toMatchObject({ error: { message: 'body' } });
  const failing = (message: string, release?: () => unknown) =>
    ResourceScope.run('job', (scope) => {
      if (release === undefined) throw new Error(message);
      scope.defer(release);
    });
  await expect(failing('body')).rejects.toThrow('body');
  await expect(failing('', () => Promise.reject(new Error('only')))).rejects.toThrow('only');
});

test('a context in the scope is told of the error of the body', async () => {
  const log: string[] = [];
  const body = function* (name: string) {
    try {
      yield name;
      log.push(`commit ${name}`);
    } catch (error) {
      log.push(`roll back ${name}`);
      throw error;
    }
  };
  const transaction = contextManager(body);
  const asynchronous = asyncContextManager(async function* (name: string) {
    yield* body(name);
  });
  await ResourceScope.run('good', (scope) => scope.enter(transaction('a')));
  const job = ResourceScope.run('bad', async (scope) => {
    scope.enter(transaction('b'));
    scope.enter(await asynchronous('c'));
    throw new Error('failed');
  });
  await expect(job).rejects.toThrow(/^failed$/);
  expect(log).toEqual(['commit a', 'roll back c', 'roll back b']);
});

test('scopes nest, and concurrent scopes are apart', async () => {
  const log: string[] = [];
  const job = (name: string) =>
    ResourceScope.run(name, async (outer) => {
      await settle();
      ResourceScope.current?.defer(() => log.push(`end ${name}`));
      await ResourceScope.run(`${name}/inner`, async (inner) => {
        expect(inner.parent).toBe(outer);
        await settle();
        ResourceScope.current?.defer(() => log.push(`end ${name}/inner`));
      });
      log.push(`after ${name}/inner`);
    });
  await Promise.all([job('1'), job('2')]);
  for (const name of ['1', '2']) {
    expect(log.filter((line) => line.includes(name))).toEqual([
      `end ${name}/inner`,
      `after ${name}/inner`,
      `end ${name}`,
    ]);
  }
});

test('what is registered after the end is released at once and refused', async () => {
  const release = vi.fn();
  const late = await ResourceScope.run('job', (scope) => ({ scope }));
  expect(late.scope.ended).toBe(true);
  expect(() => late.scope.use({ [Symbol.dispose]: release })).toThrow(ContextEndedError);
  expect(() => late.scope.defer(release)).toThrow(/The scope 'job' has ended/);
  expect(release).toHaveBeenCalledTimes(2);
});

test('it is the same scope as the watchdog has', async () => {
  await using pool = createPool({ create: () => ({}), destroy: () => {} }, { name: 'db', max: 2 });
  using watchdog = new Watchdog();
  watchdog.watch(pool);
  await ResourceScope.run(
    'GET /orders',
    async (scope) => {
      scope.use(await pool.lease());
      expect(watchdog.stats().scopes).toBe(1);
      await ResourceScope.run('inner', async (inner) => {
        inner.use(await pool.lease());
        expect(watchdog.stats().scopes).toBe(2);
      });
    },
    { watchdog },
  );
  expect([pool.borrowed, watchdog.stats().scopes]).toEqual([0, 0]);
  await watchdog.assertNoLeaks();
  const lost = await ResourceScope.run('GET /lost', () => pool.lease(), { watchdog });
  expect((await watchdog.check())[0]).toMatchObject({ rule: 'orphaned', scope: 'GET /lost' });
  await lost.release();
});

test('wrong arguments are refused', async () => {
  await expect(ResourceScope.run('', () => 1)).rejects.toThrow(InvalidArgumentError);
  await expect(ResourceScope.run('job', 7 as never)).rejects.toThrow('`body` must be a function');
  await expect(ResourceScope.run('job', () => 1, { watchdog: {} as never })).rejects.toThrow(
    '`watchdog`',
  );
  await ResourceScope.run('job', (scope) => {
    expect(() => scope.use({} as never)).toThrow(TypeError);
    expect(() => scope.adopt(1, 2 as never)).toThrow(InvalidArgumentError);
    expect(() => scope.defer('x' as never)).toThrow(InvalidArgumentError);
  });
});
