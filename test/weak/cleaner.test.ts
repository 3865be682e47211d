/** What OpenJDK's CleanerTest holds, on real objects. */
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test, vi } from 'vitest';
import { Cleaner, InvalidArgumentError, wasCollected } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { settle } from '../kit/settle.js';

afterEach(() => {
  vi.restoreAllMocks();
});

test('clean runs the action once, and not again when the object dies', async () => {
  const log: number[] = [];
  const cleaner = new Cleaner();
  const cleanable = (() => cleaner.register({}, (fd: number) => log.push(fd), 7))();
  expect(cleanable.alive).toBe(true);
  cleanable.clean();
  cleanable.clean();
  expect([cleanable.alive, log]).toEqual([false, [7]]);
  await collectGarbage();
  expect(log).toEqual([7]);
});

test('the death of the object runs the action, even if cleaner and cleanable were dropped', async () => {
  const log: number[] = [];
  (() => {
    const target = {};
    const cleaner = new Cleaner();
    cleaner.register(target, (n: number) => log.push(n), 1);
    cleaner.register(target, (n: number) => log.push(n), 2);
  })();
  await collectGarbage();
  expect(log).toEqual([2, 1]);
});

test('the end of a using block runs the action', () => {
  const log: string[] = [];
  {
    using _file = new Cleaner().register({}, () => log.push('closed'));
  }
  expect(log).toEqual(['closed']);
});

test('does not run at exit, so no exit listener is added', () => {
  const before = process.listenerCount('exit');
  const target = {};
  const cleanable = new Cleaner().register(target, () => {});
  expect(process.listenerCount('exit')).toBe(before);
  cleanable.clean();
});

test('clean throws the error of the action; an error that V8 has started goes to onError, and loses no other', async () => {
  const errors: unknown[] = [];
  const log: string[] = [];
  const cleaner = new Cleaner({ onError: (error) => errors.push((error as Error).message) });
  const failing = (message: string) => {
    throw new Error(message);
  };
  expect(() => cleaner.register({}, failing, 'direct').clean()).toThrow('direct');
  (() => {
    const target = {};
    cleaner.register(target, () => log.push('older'));
    cleaner.register(target, failing, 'thrown');
    cleaner.register(
      target,
      runInNewContext('async () => { throw new Error("rejected"); }') as () => Promise<void>,
    );
  })();
  await collectGarbage();
  expect([log, errors]).toEqual([['older'], ['thrown', 'rejected']]);
  cleaner.register({}, async () => failing('later')).clean();
  await settle();
  expect(errors).toEqual(['thrown', 'rejected', 'later']);
});

test('an onError that throws is printed; without one the error of the action is', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const failing = (message: string) => {
    throw new Error(message);
  };
  (() => {
    new Cleaner({ onError: () => failing('of onError') }).register({}, failing, 'first');
    new Cleaner().register({}, failing, 'second');
  })();
  await collectGarbage();
  expect(print.mock.calls.map(([, error]) => error.message).sort()).toEqual([
    'of onError',
    'second',
  ]);
});

test('an action that holds its object never runs, and wasCollected shows it', async () => {
  const cleaner = new Cleaner();
  expect(
    await wasCollected(() => {
      const file = { path: '/tmp/1' };
      cleaner.register(file, () => file.path);
      return file;
    }),
  ).toBe(false);
});

test('refuses malformed arguments; prints whether it is alive', () => {
  const cleaner = new Cleaner();
  const target = {};
  expect(() => cleaner.register(1 as never, () => {})).toThrow(InvalidArgumentError);
  expect(() => cleaner.register(target, 1 as never)).toThrow('Cleaner.register: `fn`');
  expect(() => cleaner.register(target, (_: object) => {}, target)).toThrow(
    /must not be the target/,
  );
  expect(() => new Cleaner({ onerror: () => {} } as never)).toThrow('unknown option `onerror`');
  const cleanable = cleaner.register(target, () => {});
  expect(inspect(cleanable)).toBe('Cleanable { alive: true }');
  cleanable.clean();
  expect(inspect(cleanable)).toBe('Cleanable { alive: false }');
});
