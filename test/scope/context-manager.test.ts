import { expect, expectTypeOf, test, vi } from 'vitest';
import {
  ContextEndedError,
  contextManager,
  DisposableStack,
  InvalidArgumentError,
  NeverYieldedError,
  SuppressedError,
  TenureError,
  YieldedTwiceError,
} from '../../src/scope/index.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { thrownBy } from '../kit/thrown-by.js';

/** A context manager that logs its steps. */
function logging() {
  const log: string[] = [];
  const manager = contextManager(function* (name: string) {
    log.push(`open ${name}`);
    try {
      yield { name };
      log.push('succeeded');
    } catch (error) {
      log.push(`failed: ${error}`);
      throw error;
    } finally {
      log.push(`close ${name}`);
    }
  });
  return { log, manager };
}

/** A context manager that handles errors of one class. */
const handling = (kind: new (message: string) => Error) =>
  contextManager(function* () {
    try {
      yield 'value';
    } catch (error) {
      if (!(error instanceof kind)) throw error;
    }
  });

test('sets up at the call, tears down at the end of the block', () => {
  const { log, manager } = logging();
  {
    using context = manager('a');
    expect(context.value).toEqual({ name: 'a' });
    expect(log).toEqual(['open a']);
  }
  expect(log).toEqual(['open a', 'succeeded', 'close a']);
});

test('tears down when the block throws, without being told of the error', () => {
  const { log, manager } = logging();
  expect(() => {
    using _context = manager('a');
    throw new Error('of the block');
  }).toThrow('of the block');
  expect(log).toEqual(['open a', 'succeeded', 'close a']);
});

test('each call makes a context of its own; arguments and this are passed on', () => {
  const { log, manager } = logging();
  {
    using _first = manager('a');
    using _second = manager('b');
  }
  expect(log.filter((line) => line.startsWith('close'))).toEqual(['close b', 'close a']);
  class Repository {
    prefix = 'repo';
    opened = contextManager<[string, number?], string>(function* (
      this: Repository,
      name,
      size = 1,
    ) {
      yield `${this.prefix}:${name}:${size}`;
    });
  }
  using opened = new Repository().opened('x');
  expect(opened.value).toBe('repo:x:1');
});

test('a second disposal has no effect', () => {
  const { log, manager } = logging();
  const context = manager('a');
  context[Symbol.dispose]();
  context[Symbol.dispose]();
  expect(log).toEqual(['open a', 'succeeded', 'close a']);
  expect(context.value).toEqual({ name: 'a' });
});

test('the call throws the error of the set-up', () => {
  const closed = vi.fn();
  const manager = contextManager(function* (connected: boolean) {
    try {
      if (!connected) throw new Error('no connection');
      yield 1;
    } finally {
      closed();
    }
  });
  expect(() => manager(false)).toThrow('no connection');
  expect(closed).toHaveBeenCalledTimes(1);
});

test('the disposal throws the error of the tear-down, once', () => {
  const manager = contextManager(function* () {
    yield 1;
    throw new Error('would not close');
  });
  const context = manager();
  expect(() => context[Symbol.dispose]()).toThrow('would not close');
  context[Symbol.dispose]();
});

test('a body that never yields is an error that says so', () => {
  const manager = contextManager(function* (skip: boolean) {
    if (!skip) yield 1;
  });
  const error = thrownBy(() => manager(true));
  expect(error).toBeInstanceOf(NeverYieldedError);
  expect(error).toBeInstanceOf(TenureError);
  expect(error).toMatchObject({ code: 'TENURE_CONTEXT_NEVER_YIELDED', name: 'NeverYieldedError' });
});

test('a body that yields twice is closed at the second yield, and is an error', () => {
  const log: string[] = [];
  const manager = contextManager(function* () {
    try {
      for (const value of [1, 2, 3]) {
        log.push(`yield ${value}`);
        yield value;
      }
    } finally {
      log.push('closed');
    }
  });
  const context = manager();
  const error = thrownBy(() => context[Symbol.dispose]());
  expect(error).toBeInstanceOf(YieldedTwiceError);
  expect(error).toMatchObject({ code: 'TENURE_CONTEXT_YIELDED_TWICE' });
  expect(error).not.toHaveProperty('cause');
  expect(log).toEqual(['yield 1', 'yield 2', 'closed']);
});

test('a body that yields twice and fails to close loses neither error', () => {
  const manager = contextManager(function* () {
    using closing = new DisposableStack();
    closing.defer(() => {
      throw new Error('would not close');
    });
    yield 1;
    yield 2;
  });
  const error = thrownBy(() => manager()[Symbol.dispose]()) as SuppressedError;
  expect(error).toBeInstanceOf(SuppressedError);
  expect(error.error).toMatchObject({ message: 'would not close' });
  expect(error.suppressed).toBeInstanceOf(YieldedTwiceError);
});

test.each([
  ['a plain function', () => 1],
  ['an array', () => [1]],
  ['an async generator function', async function* () {}],
  ['nothing', () => undefined],
  ['null', () => null],
])('a body that is %s is refused when it is called', (_, body) => {
  const manager = contextManager(body as never);
  expect(() => manager()).toThrow(InvalidArgumentError);
});

test('a body that is no function is refused at once', () => {
  expect(() => contextManager('body' as never)).toThrow(InvalidArgumentError);
  expect(() => contextManager({} as never)).toThrow(/contextManager: `body` must be a function/);
});

test('run gives what its block returns, then tears down, once', () => {
  const { log, manager } = logging();
  using context = manager('a');
  expect(context.run(({ name }) => `${name}!`)).toBe('a!');
  expect(log).toEqual(['open a', 'succeeded', 'close a']);
});

test('run throws the error of its block into the body, and on if the body lets it pass', () => {
  const { log, manager } = logging();
  const error = new RangeError('too far');
  expect(
    thrownBy(() =>
      manager('a').run(() => {
        throw error;
      }),
    ),
  ).toBe(error);
  expect(log).toEqual(['open a', 'failed: RangeError: too far', 'close a']);
});

test('run gives undefined when the body handles the error', () => {
  const result = handling(RangeError)().run(() => {
    throw new RangeError('too far');
  });
  expect(result).toBe(undefined);
  expect(() =>
    handling(RangeError)().run(() => {
      throw new TypeError('wrong');
    }),
  ).toThrow('wrong');
});

test('another error of the body replaces the first, which becomes its cause', () => {
  const translating = contextManager(function* (translate: (error: unknown) => unknown) {
    try {
      yield 1;
    } catch (error) {
      throw translate(error);
    }
  });
  const first = new Error('first', { cause: new Error('root') });
  const failing = () => {
    throw first;
  };
  const second = new Error('second');
  expect(thrownBy(() => translating(() => second).run(failing))).toBe(second);
  expect(second.cause).toBe(first);
  expect(Object.keys(second)).toEqual([]);

  const own = new Error('own', { cause: 'its own' });
  expect(thrownBy(() => translating(() => own).run(failing))).toBe(own);
  expect(own.cause).toBe('its own');

  const unwrapped = thrownBy(() =>
    translating((error) => (error as Error).cause).run(failing),
  ) as Error;
  expect([unwrapped, 'cause' in unwrapped]).toEqual([first.cause, false]);

  const frozen = Object.freeze(new Error('frozen'));
  expect(thrownBy(() => translating(() => frozen).run(failing))).toBe(frozen);
  expect(thrownBy(() => translating(() => 'text').run(failing))).toBe('text');
});

test('a body that handles the error and yields again is closed, and is an error with the cause', () => {
  const closed = vi.fn();
  const retrying = contextManager(function* () {
    try {
      for (let attempt = 0; attempt < 3; attempt++) {
        try {
          yield attempt;
        } catch {}
      }
    } finally {
      closed();
    }
  });
  const error = thrownBy(() =>
    retrying().run(() => {
      throw 'of the block';
    }),
  );
  expect(error).toBeInstanceOf(YieldedTwiceError);
  expect(error).toMatchObject({ cause: 'of the block' });
  expect(closed).toHaveBeenCalledTimes(1);
});

test('a body that yields without end while it is ended is an error, and is left', () => {
  const manager = contextManager(function* () {
    try {
      yield 1;
      yield 2;
    } finally {
      for (let yields = 0; yields < 100_000; yields++) yield 3;
      log.push('ended');
    }
  });
  const log: string[] = [];
  expect(() => manager().run(() => {})).toThrow(YieldedTwiceError);
  expect(log).toEqual([]);
});

test('a context is run once, and not after it was disposed of', () => {
  const { log, manager } = logging();
  const context = manager('a');
  void context.run(() => {
    const error = thrownBy(() => context.run(() => {}));
    expect(error).toBeInstanceOf(ContextEndedError);
    expect(error).toMatchObject({ code: 'TENURE_CONTEXT_ENDED' });
    context[Symbol.dispose]();
    expect(log).toEqual(['open a']);
  });
  expect(log).toEqual(['open a', 'succeeded', 'close a']);
  expect(() => context.run(() => {})).toThrow(ContextEndedError);
  expect(() => context.run('block' as never)).toThrow(InvalidArgumentError);
});

test('a wrong block does not end the context', () => {
  const { log, manager } = logging();
  using context = manager('a');
  expect(() => context.run(undefined as never)).toThrow(InvalidArgumentError);
  expect(log).toEqual(['open a']);
});

test('a block that returns a promise keeps the context open until it has settled', async () => {
  const { log, manager } = logging();
  const gate = new Gate<number>();
  using context = manager('a');
  const running = context.run(() => gate.passed);
  await settle();
  expect(log).toEqual(['open a']);
  gate.open(5);
  expect(await running).toBe(5);
  expect(log).toEqual(['open a', 'succeeded', 'close a']);
});

test('a promise that rejects is an error of the block', async () => {
  const { log, manager } = logging();
  await expect(manager('a').run(() => Promise.reject('late'))).rejects.toBe('late');
  expect(log).toEqual(['open a', 'failed: late', 'close a']);
  const handled = handling(RangeError)().run(async () => {
    throw new RangeError('too far');
  });
  expect(await handled).toBe(undefined);
});

test('types follow the body', () => {
  const manager = contextManager(function* (_size: number, _name?: string) {
    yield { open: true };
  });
  expectTypeOf(manager).parameters.toEqualTypeOf<[number, (string | undefined)?]>();
  using context = manager(1);
  expectTypeOf(context.value).toEqualTypeOf<{ open: boolean }>();
  expectTypeOf(context.run((value) => value.open)).toEqualTypeOf<boolean | undefined>();
  const promised = () => manager(1).run(async () => 'text');
  expectTypeOf(promised).returns.toEqualTypeOf<Promise<string | undefined>>();
  const failing = () =>
    manager(1).run(() => {
      throw new Error('always');
    });
  expectTypeOf(failing).returns.toEqualTypeOf<undefined>();
});
