/**
 * What CPython 3.11 promises in test_contextlib and test_contextlib_async, by behaviour: each test has the names of the cases that it
 * stands for. Cases that the other files of this folder hold are not repeated. `docs/design/scope.md` says which do not carry over.
 */
import { describe, expect, test } from 'vitest';
import {
  AsyncRunStack,
  asyncContextManager,
  closing,
  contextManager,
  InvalidArgumentError,
  nullContext,
  RunStack,
  runWith,
  runWithAsync,
  suppress,
  YieldedTwiceError,
} from '../../src/scope/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { thrownBy } from '../kit/thrown-by.js';

class ZeroDivision extends Error {}

function raise(error: unknown): never {
  throw error;
}

/** Gives the messages of an error and its causes. */
function chainOf(error: unknown): string[] {
  return error instanceof Error ? [error.message, ...chainOf(error.cause)] : [];
}

describe('ContextManagerTestCase', () => {
  test('test_contextmanager_plain, _finally: the state around the block', () => {
    const state: number[] = [];
    const woohoo = contextManager(function* () {
      state.push(1);
      try {
        yield 42;
      } finally {
        state.push(999);
      }
    });
    const seen = woohoo().run((x) => {
      state.push(x);
      return state.length;
    });
    expect([seen, state]).toEqual([2, [1, 42, 999]]);
    expect(() => woohoo().run(() => raise(new ZeroDivision('0')))).toThrow(ZeroDivision);
    expect(state.slice(3)).toEqual([1, 999]);
  });

  test('test_contextmanager_except: a body that handles the error', () => {
    const state: unknown[] = [];
    const woohoo = contextManager(function* () {
      try {
        yield 42;
      } catch (error) {
        state.push((error as Error).message);
      }
    });
    expect(woohoo().outcome(() => raise(new ZeroDivision('999'))).handled).toBe(true);
    expect(state).toEqual(['999']);
  });

  test('test_contextmanager_trap_no_yield, _trap_second_yield, _trap_yield_after_throw', () => {
    const never = contextManager(function* () {
      if (state.length < 0) yield;
    });
    const state: number[] = [];
    expect(() => never()).toThrow('ended without a yield');
    const twice = contextManager(function* () {
      try {
        yield;
      } catch {}
      yield;
    });
    expect(() => twice()[Symbol.dispose]()).toThrow(YieldedTwiceError);
    expect(thrownBy(() => twice().run(() => raise(new ZeroDivision('0'))))).toMatchObject({
      code: 'TENURE_CONTEXT_YIELDED_TWICE',
      cause: { message: '0' },
    });
  });

  test('test_contextmanager_except_stopiter, _except_pep479: an error that looks like the end of a generator passes', () => {
    const pass = contextManager(function* () {
      yield;
    });
    const error = { done: true, value: 'StopIteration' };
    expect(thrownBy(() => pass().run(() => raise(error)))).toBe(error);
  });

  test('test_contextmanager_do_not_unchain_non_stopiteration_exceptions', () => {
    const replacing = contextManager(function* () {
      try {
        yield;
      } catch (error) {
        throw new Error('issue29692: chained', { cause: error });
      }
    });
    const error = thrownBy(() => replacing().run(() => raise(new ZeroDivision('0'))));
    expect(chainOf(error)).toEqual(['issue29692: chained', '0']);
  });

  test('test_contextmanager_attribs, _doc_attrib, test_instance_docstring: a manager takes after its body', () => {
    const baz = Object.assign(
      function* baz(_spam: string) {
        yield;
      },
      { foo: 'bar' },
    );
    const manager = contextManager(baz);
    expect([manager.name, manager.length, Reflect.get(manager, 'foo')]).toEqual(['baz', 1, 'bar']);
  });

  test('test_keywords, test_recursive, test_nokeepref: arguments, nesting, and nothing kept', () => {
    const depth: number[] = [];
    const level = contextManager(function* ({ self }: { self: number }) {
      depth.push(self);
      try {
        yield self;
      } finally {
        depth.pop();
      }
    });
    const nested = (n: number): number =>
      n === 0 ? depth.length : (level({ self: n }).run(() => nested(n - 1)) ?? -1);
    expect([nested(50), depth.length]).toEqual([50, 0]);
  });
});

describe('ClosingTestCase, NullcontextTestCase, SuppressTestCase', () => {
  test('test_closing, test_closing_error', () => {
    const state: number[] = [];
    const thing = { close: () => state.push(1) };
    expect(closing(thing).run((it) => it === thing)).toBe(true);
    expect(() => closing(thing).run(() => raise(new ZeroDivision('0')))).toThrow(ZeroDivision);
    expect(state).toEqual([1, 1]);
  });

  test('test_nullcontext', () => {
    const value = {};
    expect(nullContext(value).run((it) => it)).toBe(value);
  });

  test('test_no_result_from_enter, test_no_exception, test_exact_exception, test_exception_hierarchy, test_multiple_exception_args, test_other_exception, test_cm_is_reentrant', () => {
    const lenient = suppress(TypeError, ZeroDivision);
    expect([lenient.value, lenient.run(() => 1)]).toEqual([undefined, 1]);
    expect(lenient.outcome(() => raise(new ZeroDivision('0'))).handled).toBe(true);
    expect(suppress(Error).outcome(() => raise(new TypeError('t'))).handled).toBe(true);
    expect(() => lenient.run(() => raise(new RangeError('other')))).toThrow('other');
    const nested = lenient.outcome(() => {
      expect(lenient.outcome(() => raise(new TypeError('inner'))).handled).toBe(true);
      return raise(new ZeroDivision('outer'));
    });
    expect(nested).toMatchObject({ handled: true, error: { message: 'outer' } });
  });
});

interface Stack {
  push(exit: (failure?: { error: unknown }) => unknown): void;
  defer(fn: (failure?: { error: unknown }) => unknown): void;
  move(): Stack;
}

/** Runs a block in a stack of either kind, and gives its outcome or its error. */
type Run = (block: (stack: Stack) => unknown) => Promise<{ value?: unknown; error?: unknown }>;

const settled = async (outcome: () => unknown) => {
  try {
    return { value: await outcome() };
  } catch (error) {
    return { error };
  }
};

describe.each<[string, Run]>([
  ['ExitStack', (block) => settled(() => runWith(block))],
  ['AsyncExitStack', (block) => settled(() => runWithAsync(async (stack) => block(stack)))],
])('%s', (_, run) => {
  test('test_no_resources, test_callback, test_push: in reverse order', async () => {
    expect(await run(() => 'result')).toEqual({ value: 'result' });
    const calls: number[] = [];
    await run((stack) => {
      for (const n of [1, 2, 3]) stack.defer(() => calls.push(n));
    });
    expect(calls).toEqual([3, 2, 1]);
  });

  test('test_exit_suppress, test_exit_exception_traceback: an exit that handles the error', async () => {
    const seen: unknown[] = [];
    const result = await run((stack) => {
      stack.push(() => true);
      stack.push((failure) => void seen.push(failure?.error));
      raise(new ZeroDivision('0'));
    });
    expect([result, chainOf(seen[0])]).toEqual([{ value: undefined }, ['0']]);
  });

  test('test_exit_raise: an error of the block passes exits that do not handle it', async () => {
    const { error } = await run((stack) => {
      stack.push(() => false);
      raise(new ZeroDivision('0'));
    });
    expect(error).toBeInstanceOf(ZeroDivision);
  });

  test('test_exit_exception_chaining_reference: errors of exits chain as nested blocks do', async () => {
    const { error } = await run((stack) => {
      stack.defer(() => raise(new RangeError('outermost')));
      stack.defer(() => raise(new TypeError('middle')));
      stack.defer(() => raise(new Error('inner')));
      raise(new ZeroDivision('block'));
    });
    expect(chainOf(error)).toEqual(['outermost', 'middle', 'inner', 'block']);
  });

  test('test_exit_exception_chaining_suppress: an error that was handled is in no chain', async () => {
    expect(
      await run((stack) => {
        stack.push(() => true);
        stack.push(() => raise(new RangeError('second')));
        stack.push(() => true);
        raise(new ZeroDivision('first'));
      }),
    ).toEqual({ value: undefined });
    const { error } = await run((stack) => {
      stack.push(() => raise(new RangeError('second')));
      stack.push(() => true);
      raise(new ZeroDivision('first'));
    });
    expect(chainOf(error)).toEqual(['second']);
  });

  test('test_exit_exception_explicit_none_context, test_exit_exception_with_existing_context', async () => {
    const cause = new Error('its own cause');
    const { error } = await run((stack) => {
      stack.defer(() => raise(new RangeError('later', { cause })));
      raise(new ZeroDivision('earlier'));
    });
    expect(chainOf(error)).toEqual(['later', 'its own cause']);
    const cleared = await run((stack) => {
      stack.defer(() => raise(new RangeError('later', { cause: undefined })));
      raise(new ZeroDivision('earlier'));
    });
    expect(chainOf(cleared.error)).toEqual(['later']);
  });

  test('test_body_exception_suppress, test_exit_exception_non_suppressing, test_instance_bypass', async () => {
    const { error } = await run((stack) => {
      stack.push(() => true);
      stack.defer(() => {});
      raise(new ZeroDivision('0'));
    });
    expect(error).toBe(undefined);
  });

  test('test_excessive_nesting: ten thousand members', async () => {
    let calls = 0;
    await run((stack) => {
      for (let i = 0; i < 10_000; i++) stack.defer(() => calls++);
    });
    expect(calls).toBe(10_000);
  });

  test('test_pop_all, test_close: moved members are not ended with the block', async () => {
    const calls: string[] = [];
    const kept: { stack?: Stack } = {};
    await run((stack) => {
      stack.defer(() => calls.push('moved'));
      kept.stack = stack.move();
    });
    expect(calls).toEqual([]);
    await (kept.stack as RunStack | AsyncRunStack).run(() => {});
    expect(calls).toEqual(['moved']);
  });

  test('test_dont_reraise_RuntimeError: an error that an exit throws again is not its own cause', async () => {
    const same = new Error('same');
    const { error } = await run((stack) => {
      stack.defer(() => raise(same));
      stack.defer(() => raise(same));
      raise(same);
    });
    expect([error === same, (error as Error).cause]).toEqual([true, undefined]);
  });
});

const session7 = asyncContextManager(async function* () {
  yield 7;
});

describe('test_contextlib_async', () => {
  test('test_contextmanager_plain, _finally, _except, test_contextmanager_trap_no_yield, _trap_second_yield', async () => {
    const state: number[] = [];
    const woohoo = asyncContextManager(async function* () {
      state.push(1);
      try {
        yield 42;
      } finally {
        state.push(999);
      }
    });
    await woohoo().run((x) => void state.push(x));
    await expect(woohoo().run(() => raise(new ZeroDivision('0')))).rejects.toThrow(ZeroDivision);
    expect(state).toEqual([1, 42, 999, 1, 999]);
    const never = asyncContextManager(async function* () {
      if (state.length < 0) yield;
    });
    await expect(never()).rejects.toThrow('ended without a yield');
    const twice = asyncContextManager(async function* () {
      yield;
      yield;
    });
    await expect(twice().run(() => {})).rejects.toThrow(YieldedTwiceError);
  });

  test('test_async_gen_propagates_generator_exit, test_contextmanager_except_stopiter', async () => {
    const pass = asyncContextManager(async function* () {
      yield;
    });
    const error = { done: true };
    await expect(pass().run(() => raise(error))).rejects.toBe(error);
  });

  test('AclosingTestCase: test_aclosing, test_aclosing_error, test_aclosing_bpo41229', async () => {
    const state: string[] = [];
    const make = async function* () {
      try {
        yield 1;
      } finally {
        state.push('closed');
      }
    };
    const lines = closing(make(), (it) => it.return());
    await lines.run(async (it) => it.next());
    const failing = closing(make(), (it) => it.return());
    const running = failing.run(async (it) => {
      await it.next();
      throw new ZeroDivision('0');
    });
    await expect(running).rejects.toThrow(ZeroDivision);
    expect(state).toEqual(['closed', 'closed']);
  });

  test('test_async_enter, test_async_push, test_enter_async_context_errors', async () => {
    allowLeaks();
    const stack = new AsyncRunStack();
    const nullContextAsync = await session7();
    expect(await stack.enter(session7())).toBe(7);
    expect(() => stack.use({} as never)).toThrow(TypeError);
    expect(() => new RunStack().enter({} as never)).toThrow(InvalidArgumentError);
    expect(() => stack.enter(7 as never)).toThrow('`context` must be a context');
    expect(() => new RunStack().enter(nullContextAsync as never)).toThrow('AsyncRunStack');
    await stack[Symbol.asyncDispose]();
  });
});
