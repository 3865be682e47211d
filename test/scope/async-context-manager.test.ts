import { expect, expectTypeOf, test, vi } from 'vitest';
import {
  asyncContextManager,
  ContextEndedError,
  DisposableStack,
  InvalidArgumentError,
  NeverYieldedError,
  SuppressedError,
  YieldedTwiceError,
} from '../../src/scope/index.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';

function logging(gate?: Gate) {
  const log: string[] = [];
  const manager = asyncContextManager(async function* (name: string) {
    await null;
    log.push(`open ${name}`);
    try {
      yield { name };
      log.push('succeeded');
    } catch (error) {
      log.push(`failed: ${error}`);
      throw error;
    } finally {
      await gate?.passed;
      log.push(`close ${name}`);
    }
  });
  return { log, manager };
}

function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.unreachable('it did not reject'),
    (error) => error,
  );
}

test('sets up before the promise resolves, tears down before the block is left', async () => {
  const { log, manager } = logging();
  {
    await using context = await manager('a');
    expect(context.value).toEqual({ name: 'a' });
    expect(log).toEqual(['open a']);
  }
  expect(log).toEqual(['open a', 'succeeded', 'close a']);
});

test('the call rejects with the error of the set-up', async () => {
  const manager = asyncContextManager(async function* (connected: boolean) {
    await null;
    if (!connected) throw new Error('no connection');
    yield 1;
  });
  await expect(manager(false)).rejects.toThrow('no connection');
});

test('a second disposal waits for the first and does not report its error again', async () => {
  const gate = new Gate();
  const { log, manager } = logging(gate);
  const context = await manager('a');
  const first = context[Symbol.asyncDispose]();
  const second = context[Symbol.asyncDispose]();
  const secondDone = vi.fn();
  void second.then(secondDone);
  await settle();
  expect(secondDone).not.toHaveBeenCalled();
  gate.fail(new Error('would not close'));
  await expect(first).rejects.toThrow('would not close');
  await second;
  await context[Symbol.asyncDispose]();
  expect(log).toEqual(['open a', 'succeeded']);
});

test('a body that never yields, or yields twice, is an error that says so', async () => {
  const closed = vi.fn();
  const manager = asyncContextManager(async function* (count: number) {
    try {
      for (let i = 0; i < count; i++) yield i;
    } finally {
      closed();
    }
  });
  expect(await rejectionOf(manager(0))).toBeInstanceOf(NeverYieldedError);
  closed.mockClear();
  const context = await manager(3);
  expect(await rejectionOf(context[Symbol.asyncDispose]())).toBeInstanceOf(YieldedTwiceError);
  expect(closed).toHaveBeenCalledTimes(1);
});

test('a body that yields twice and fails to close loses neither error', async () => {
  const manager = asyncContextManager(async function* () {
    using closing = new DisposableStack();
    closing.defer(() => {
      throw new Error('would not close');
    });
    yield 1;
    yield 2;
  });
  const error = await rejectionOf((await manager())[Symbol.asyncDispose]());
  expect(error).toBeInstanceOf(SuppressedError);
  expect((error as SuppressedError).suppressed).toBeInstanceOf(YieldedTwiceError);
});

test('a body that yields within `finally` after its second yield is awaited to its end', async () => {
  const log: string[] = [];
  const manager = asyncContextManager(async function* () {
    try {
      yield 1;
      yield 2;
    } finally {
      yield 3;
      await settle();
      log.push('closed');
    }
  });
  await expect((await manager())[Symbol.asyncDispose]()).rejects.toThrow(YieldedTwiceError);
  expect(log).toEqual(['closed']);
});

test('run gives what its block resolves to, then tears down', async () => {
  const gate = new Gate();
  const { log, manager } = logging(gate);
  const context = await manager('a');
  const done = vi.fn();
  const running = context.run(async ({ name }) => `${name}!`);
  void running.then(done);
  await settle();
  expect(log).toEqual(['open a', 'succeeded']);
  expect(done).not.toHaveBeenCalled();
  gate.open();
  expect(await running).toBe('a!');
  const other = await manager('b');
  expect(await other.run(({ name }) => name.length)).toBe(1);
});

test('run throws the error of its block into the body at the yield', async () => {
  const { log, manager } = logging();
  const failing = (await manager('a')).run(() => Promise.reject('late'));
  await expect(failing).rejects.toBe('late');
  expect(log).toEqual(['open a', 'failed: late', 'close a']);
  const synchronous = (await manager('b')).run(() => {
    throw 'at once';
  });
  await expect(synchronous).rejects.toBe('at once');
});

test('run gives undefined when the body handles the error; another error keeps the first as cause', async () => {
  const manager = asyncContextManager(async function* (translate?: (error: unknown) => Error) {
    try {
      yield 1;
    } catch (error) {
      if (translate !== undefined) throw translate(error);
    }
  });
  const failing = async () => {
    throw 'first';
  };
  expect(await (await manager()).run(failing)).toBe(undefined);
  const second = new Error('second');
  expect(await rejectionOf((await manager(() => second)).run(failing))).toBe(second);
  expect(second.cause).toBe('first');
});

test('a body that handles the error and yields again is an error with the cause', async () => {
  const manager = asyncContextManager(async function* () {
    for (;;) {
      try {
        yield 1;
      } catch {}
    }
  });
  const error = await rejectionOf((await manager()).run(() => Promise.reject('first')));
  expect(error).toBeInstanceOf(YieldedTwiceError);
  expect(error).toMatchObject({ cause: 'first' });
});

test('a body that yields without end while it is ended is an error, and is left', async () => {
  const manager = asyncContextManager(async function* () {
    try {
      yield 1;
      yield 2;
    } finally {
      for (;;) yield 3;
    }
  });
  expect(await rejectionOf((await manager()).run(() => {}))).toBeInstanceOf(YieldedTwiceError);
});

test('a context is run once, and a disposal within run has no effect', async () => {
  const { log, manager } = logging();
  const context = await manager('a');
  await context.run(async () => {
    await context[Symbol.asyncDispose]();
    expect(log).toEqual(['open a']);
    expect(await rejectionOf(context.run(() => {}))).toBeInstanceOf(ContextEndedError);
  });
  expect(log).toEqual(['open a', 'succeeded', 'close a']);
  expect(await rejectionOf(context.run(() => {}))).toMatchObject({ code: 'TENURE_CONTEXT_ENDED' });
});

test('a wrong body or block is refused, and the context stays open', async () => {
  expect(() => asyncContextManager(1 as never)).toThrow(InvalidArgumentError);
  expect(() => asyncContextManager(function* () {} as never)()).toThrow(InvalidArgumentError);
  const { log, manager } = logging();
  await using context = await manager('a');
  for (const wrong of [context.run('block' as never), context.outcome('block' as never)]) {
    expect(await rejectionOf(wrong)).toBeInstanceOf(InvalidArgumentError);
  }
  expect(log).toEqual(['open a']);
});

test('types follow the body', async () => {
  const manager = asyncContextManager(async function* (_size: number) {
    yield { open: true };
  });
  expectTypeOf(manager).parameters.toEqualTypeOf<[number]>();
  const context = await manager(1);
  expectTypeOf(context.value).toEqualTypeOf<{ open: boolean }>();
  expectTypeOf(await context.run(async () => 'text')).toEqualTypeOf<string | undefined>();
});
