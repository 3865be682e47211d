/** Managers as decorators, and what a manager takes over from its body. */
import { expect, expectTypeOf, test, vi } from 'vitest';
import {
  asyncContextManager,
  contextManager,
  InvalidArgumentError,
} from '../../src/scope/index.js';
import { settle } from '../kit/settle.js';

function logging() {
  const log: string[] = [];
  const logged = contextManager(function* logged(name: string) {
    log.push(`begin ${name}`);
    try {
      yield;
    } finally {
      log.push(`end ${name}`);
    }
  });
  return { log, logged };
}

test('each call runs in a fresh context, with `this` and the arguments of the call', () => {
  const { log, logged } = logging();
  const counter = {
    by: 2,
    add: logged.around('add')(function add(this: { by: number }, n: number, _unused?: string) {
      log.push('add');
      return n + this.by;
    }),
  };
  expect([counter.add(1), counter.add(2)]).toEqual([3, 4]);
  expect(log).toEqual(['begin add', 'add', 'end add', 'begin add', 'add', 'end add']);
  expect([counter.add.name, counter.add.length]).toEqual(['add', 2]);
  expectTypeOf(counter.add).returns.toEqualTypeOf<number>();
});

test('an error of the function is thrown into the body, which may handle it', async () => {
  const lenient = contextManager(function* () {
    try {
      yield;
    } catch {}
  });
  const parse = lenient.around()((text: string) => JSON.parse(text));
  expect([parse('1'), parse('{')]).toEqual([1, undefined]);
  const later = lenient.around()(async () => Promise.reject(new Error('later')));
  expect(await later()).toBe(undefined);
});

test('it decorates methods', () => {
  const { log, logged } = logging();
  const saving = logged.around('save');
  class Service {
    readonly name = 'orders';
    @saving
    save(id: number): string {
      return `${this.name} ${id}`;
    }
  }
  expect(new Service().save(7)).toBe('orders 7');
  expect(log).toEqual(['begin save', 'end save']);
  expect(Service.prototype.save.name).toBe('save');
});

test('an asynchronous manager decorates async functions', async () => {
  const log: string[] = [];
  const session = asyncContextManager(async function* (user: string) {
    await settle();
    log.push(`log in ${user}`);
    yield;
    log.push(`log out ${user}`);
  });
  const read = session.around('ada')(async function readKey(key: string) {
    log.push(`read ${key}`);
    return key.length;
  });
  expect([await read('abc'), read.name, read.length]).toEqual([3, 'readKey', 1]);
  expect(log).toEqual(['log in ada', 'read abc', 'log out ada']);
  expect(() => session.around('x')(7 as never)).toThrow(InvalidArgumentError);
});

test('a manager has the name, the length and the properties of its body', () => {
  const body = Object.assign(
    function* transaction(_host: string, _port: number) {
      yield 1;
    },
    { isolation: 'serializable' },
  );
  const manager = contextManager(body) as typeof body & ReturnType<typeof contextManager>;
  expect([manager.name, manager.length, manager.isolation]).toEqual([
    'transaction',
    2,
    'serializable',
  ]);
  const asynchronous = asyncContextManager(async function* session(_user: string) {
    yield 1;
  });
  expect([asynchronous.name, asynchronous.length]).toEqual(['session', 1]);
});

test('the promise of an async context can be run', async () => {
  const log: string[] = [];
  const session = asyncContextManager(async function* (user: string) {
    try {
      yield user;
    } finally {
      log.push(`log out ${user}`);
    }
  });
  expect(await session('ada').run((user) => user.length)).toBe(3);
  expect(await session('bob').outcome(() => 1)).toEqual({ handled: false, value: 1 });
  await expect(session('eve').run(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
  expect(log).toEqual(['log out ada', 'log out bob', 'log out eve']);
  const failing = asyncContextManager(async function* () {
    await Promise.reject(new Error('no host'));
    yield 1;
  });
  await expect(failing().run(() => {})).rejects.toThrow('no host');
});

test('`await using` without the inner await says what to write, and ends the context', async () => {
  const ended = vi.fn();
  const session = asyncContextManager(async function* () {
    try {
      yield 1;
    } finally {
      ended();
    }
  });
  const block = async () => {
    // @ts-expect-error: the promise is not disposable.
    await using _context = session();
  };
  await expect(block()).rejects.toThrow(/write `await using name = await manager/);
  await settle();
  expect(ended).toHaveBeenCalledTimes(1);
});

test('a body that yields within finally is closed to its end', () => {
  const log: string[] = [];
  const odd = contextManager(function* () {
    try {
      yield 1;
      yield 2;
    } finally {
      log.push('first');
      yield 3;
      log.push('last');
    }
  });
  expect(() => odd()[Symbol.dispose]()).toThrow(/yielded a second time/);
  expect(log).toEqual(['first', 'last']);
});
