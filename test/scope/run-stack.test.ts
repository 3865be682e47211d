/** Stacks whose members see the error of the block: what contextlib.ExitStack and AsyncExitStack of Python promise. */
import { runInNewContext } from 'node:vm';
import { expect, expectTypeOf, test, vi } from 'vitest';
import {
  AsyncRunStack,
  asyncContextManager,
  ContextEndedError,
  contextManager,
  type Failure,
  InvalidArgumentError,
  nullContext,
  RefCounted,
  RunStack,
  runWith,
  runWithAsync,
  suppress,
} from '../../src/scope/index.js';
import { allowLeaks } from '../../src/testing/index.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { thrownBy } from '../kit/thrown-by.js';

function transactions() {
  const log: string[] = [];
  const transaction = contextManager(function* (name: string) {
    log.push(`begin ${name}`);
    try {
      yield name;
      log.push(`commit ${name}`);
    } catch (error) {
      log.push(`roll back ${name}: ${(error as Error).message}`);
      throw error;
    }
  });
  return { log, transaction };
}

/** A context that answers an error with another one. */
const replacing = contextManager(function* (message: string) {
  try {
    yield;
  } catch {
    throw new Error(message);
  }
});

const fail = (message: string) => () => {
  throw new Error(message);
};

/** Gives the messages of an error and its causes. */
function chainOf(error: unknown): string[] {
  return error instanceof Error ? [error.message, ...chainOf(error.cause)] : [];
}

test('several resources commit together', () => {
  const { log, transaction } = transactions();
  const result = runWith((stack) => [
    stack.enter(transaction('orders')),
    stack.enter(transaction('stock')),
  ]);
  expect(result).toEqual(['orders', 'stock']);
  expect(log).toEqual(['begin orders', 'begin stock', 'commit stock', 'commit orders']);
  expectTypeOf(runWith(() => 1)).toEqualTypeOf<number | undefined>();
});

test('several resources roll back together', () => {
  const { log, transaction } = transactions();
  const error = thrownBy(() =>
    runWith((stack) => {
      for (const name of ['orders', 'stock']) stack.enter(transaction(name));
      throw new Error('no stock');
    }),
  );
  expect(chainOf(error)).toEqual(['no stock']);
  expect(log.slice(2)).toEqual(['roll back stock: no stock', 'roll back orders: no stock']);
});

test('a member that handles the error makes the members below it see a success', () => {
  const { log, transaction } = transactions();
  const result = runWith((stack) => {
    stack.enter(transaction('outer'));
    stack.enter(suppress(RangeError));
    stack.enter(transaction('inner'));
    throw new RangeError('too far');
  });
  expect(result).toBe(undefined);
  expect(log.slice(2)).toEqual(['roll back inner: too far', 'commit outer']);
});

test('a member that throws makes the members below it see its error, with the earlier one as the cause', () => {
  const seen: unknown[] = [];
  const error = thrownBy(() =>
    runWith((stack) => {
      stack.defer((failure) => seen.push(...chainOf(failure?.error)));
      stack.enter(replacing('second'));
      stack.defer(fail('first'));
      throw new Error('of the block');
    }),
  );
  expect(chainOf(error)).toEqual(['second', 'first', 'of the block']);
  expect(seen).toEqual(['second', 'first', 'of the block']);
});

test('an error of a member after success is thrown, and can be handled below', () => {
  expect(() => runWith((stack) => stack.defer(fail('close failed')))).toThrow('close failed');
  const stack = new RunStack();
  stack.enter(suppress(Error));
  stack.defer(fail('close failed'));
  expect(stack.outcome(() => 'value')).toEqual({ handled: false, value: 'value' });
});

test('outcome tells a handled error from a block that gave undefined', async () => {
  const error = new Error('handled');
  const handling = () => {
    const stack = new RunStack();
    stack.push(() => true);
    return stack;
  };
  expect(handling().outcome(() => {})).toEqual({ handled: false, value: undefined });
  expect(
    handling().outcome(() => {
      throw error;
    }),
  ).toEqual({ handled: true, error });
  expect(await handling().outcome(() => Promise.reject(error))).toEqual({ handled: true, error });
  const asynchronous = new AsyncRunStack();
  asynchronous.push(async () => true);
  expect(await asynchronous.outcome(() => Promise.reject(error))).toEqual({ handled: true, error });
  expect(suppress(Error).outcome(fail('x'))).toMatchObject({ handled: true });
  expect(nullContext(7).outcome((value) => value)).toEqual({ handled: false, value: 7 });
});

test('only `true` of a pushed exit handles an error, and nothing that defer or adopt returns', () => {
  for (const add of [
    (stack: RunStack) => stack.push(() => 1),
    (stack: RunStack) => stack.defer(() => true),
    (stack: RunStack) => void stack.adopt(1, () => true),
    (stack: RunStack) => void stack.use({ [Symbol.dispose]: () => true as never }),
  ]) {
    expect(() =>
      runWith((stack) => {
        add(stack);
        throw new Error('passes');
      }),
    ).toThrow('passes');
  }
});

test('defer, adopt and push get the failure, defer its arguments too', () => {
  const calls: unknown[] = [];
  const failures: (Failure | undefined)[] = [];
  const stack = new RunStack();
  stack.defer((failure, ...rest: [number, string]) => void calls.push(failure, ...rest), 7, 'x');
  expect(stack.adopt('fd', (value, failure) => calls.push(value, failure))).toBe('fd');
  stack.push((failure) => void failures.push(failure));
  expect(() =>
    stack.run(() => {
      throw undefined; // A block that throws `undefined` has failed too.
    }),
  ).toThrow();
  expect(calls).toEqual(['fd', { error: undefined }, { error: undefined }, 7, 'x']);
  expect(failures).toEqual([{ error: undefined }]);
});

test('use takes disposables, null and undefined', () => {
  const dispose = vi.fn();
  void runWith((stack) => {
    const resource = { [Symbol.dispose]: dispose };
    expect(stack.use(resource)).toBe(resource);
    expect([stack.use(null), stack.use(undefined)]).toEqual([null, undefined]);
    expect(() => stack.use({} as never)).toThrow(TypeError);
    expect(dispose).not.toHaveBeenCalled();
  });
  expect(dispose).toHaveBeenCalledTimes(1);
});

test('use of an asynchronous stack takes disposables of both kinds, null and undefined', async () => {
  const log: string[] = [];
  const stack = new AsyncRunStack();
  await stack.run(() => {
    expect([stack.use(null), stack.use(undefined)]).toEqual([null, undefined]);
    stack.use({ [Symbol.dispose]: () => void log.push('at once') });
    stack.use({ [Symbol.asyncDispose]: async () => void log.push('awaited') });
  });
  expect(log).toEqual(['awaited', 'at once']);
  await expect(async () => stack.use(null)).rejects.toThrow(ContextEndedError);
});

test('an asynchronous block keeps the members until it has settled', async () => {
  const { log, transaction } = transactions();
  const gate = new Gate<number>();
  const running = runWith((stack) => {
    stack.enter(transaction('a'));
    return gate.passed;
  });
  await settle();
  expect(log).toEqual(['begin a']);
  gate.fail(new Error('late'));
  await expect(running).rejects.toThrow('late');
  expect(log.at(-1)).toBe('roll back a: late');
});

test('move lets the members outlive the block, and the moved stack has ended', () => {
  const { log, transaction } = transactions();
  const kept = runWith((stack) => {
    stack.enter(transaction('a'));
    return { stack: stack.move(), old: stack };
  });
  expect([log, kept?.old.disposed, kept?.stack.disposed]).toEqual([['begin a'], true, false]);
  expect(() => kept?.old.defer(() => {})).toThrow(ContextEndedError);
  expect(() => kept?.stack.run(fail('later'))).toThrow('later');
  expect(log.at(-1)).toBe('roll back a: later');
});

test('a stack ends once, under `using` as after success', () => {
  const seen: unknown[] = [];
  const block = () => {
    using stack = new RunStack();
    stack.defer((failure) => seen.push(failure));
    stack[Symbol.dispose]();
    throw new Error('of the block');
  };
  expect(block).toThrow('of the block');
  expect(seen).toEqual([undefined]);
});

test('a stack can be entered into another', () => {
  const inner = new RunStack();
  inner.push(() => true);
  expect(
    runWith((stack) => {
      expect(stack.enter(inner)).toBe(inner);
      throw new Error('handled by a member of the inner stack');
    }),
  ).toBe(undefined);
});

test('an asynchronous stack can be entered into another, and gets the failure', async () => {
  allowLeaks();
  const inner = new AsyncRunStack();
  const failures: unknown[] = [];
  inner.push(async (failure) => failures.push(failure?.error) > 0);
  const outer = new AsyncRunStack();
  outer.defer((failure) => failures.push(failure));
  const outcome = await outer.outcome(async (stack) => {
    expect(await stack.enter(inner)).toBe(inner);
    throw 'handled by a member of the inner stack';
  });
  expect(outcome.handled).toBe(true);
  expect(failures).toEqual(['handled by a member of the inner stack', undefined]);
  await expect(new AsyncRunStack().enter(inner)).rejects.toThrow(ContextEndedError);
  expect(() => new RunStack().enter(inner as never)).toThrow(InvalidArgumentError);
});

test('an asynchronous context that has ended is refused by a rejection', async () => {
  const context = await asyncContextManager(async function* () {
    yield 'value';
  })();
  await context[Symbol.asyncDispose]();
  const stack = new AsyncRunStack();
  const entering = stack.enter(context);
  await expect(entering).rejects.toThrow(ContextEndedError);
  await stack[Symbol.asyncDispose]();
  await expect(stack.enter(new AsyncRunStack())).rejects.toThrow(ContextEndedError);
});

test('what comes too late is ended at once and refused', async () => {
  const { log, transaction } = transactions();
  const stack = new RunStack();
  stack[Symbol.dispose]();
  const dispose = vi.fn();
  expect(() => stack.enter(transaction('late'))).toThrow(ContextEndedError);
  expect(() => stack.use({ [Symbol.dispose]: dispose })).toThrow(ContextEndedError);
  expect(() => stack.adopt('fd', dispose)).toThrow(ContextEndedError);
  expect(() => stack.defer(dispose, 'late')).toThrow(ContextEndedError);
  expect(() => stack.push(dispose)).toThrow(ContextEndedError);
  expect(dispose.mock.calls).toEqual([[], ['fd', undefined], [undefined, 'late'], [undefined]]);
  expect(log.at(-1)).toBe('commit late');
  for (const call of [
    () => stack.use(null),
    () => stack.move(),
    () => stack.run(() => {}),
    () => stack.push(() => {}),
    () => runWith((outer) => outer.enter(stack)),
  ]) {
    expect(call).toThrow(/The RunStack has ended or was moved/);
  }
  const asynchronous = new AsyncRunStack();
  await asynchronous[Symbol.asyncDispose]();
  expect(() => asynchronous.use({ [Symbol.asyncDispose]: dispose })).toThrow(ContextEndedError);
  expect(() => asynchronous.enter(transaction('later'))).toThrow(ContextEndedError);
  expect(() => asynchronous.defer(dispose)).toThrow(ContextEndedError);
  expect(() => asynchronous.push(dispose)).toThrow(ContextEndedError);
  await settle();
  expect([log.at(-1), dispose.mock.calls.length]).toEqual(['commit later', 7]);
  await expect(asynchronous.run(() => {})).rejects.toThrow(ContextEndedError);
});

test.each(['RunStack', 'AsyncRunStack'])(
  'what comes too late for a %s is refused although its end fails, whose error is printed',
  async (kind) => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const stack = (kind === 'RunStack' ? new RunStack() : new AsyncRunStack()) as RunStack;
    await stack.run(() => {});
    const fail = (): never => {
      throw new Error('close failed');
    };
    const failing = contextManager(function* () {
      yield 'late';
      fail();
    });
    expect(() => stack.enter(failing())).toThrow(ContextEndedError);
    expect(() => stack.use({ [Symbol.dispose]: fail })).toThrow(ContextEndedError);
    expect(() => stack.adopt('fd', fail)).toThrow(ContextEndedError);
    expect(() => stack.adopt('fd', async () => fail())).toThrow(ContextEndedError);
    await settle();
    const errors = print.mock.calls.map(([, error]) => (error as Error).message);
    expect(errors).toEqual(Array(4).fill('close failed'));
    print.mockRestore();
  },
);

test('a context is entered once, and not ended by its own `using`', () => {
  const { log, transaction } = transactions();
  void runWith((stack) => {
    using context = transaction('a');
    stack.enter(context);
    expect(() => stack.enter(context)).toThrow(ContextEndedError);
    expect(() => context.run(() => {})).toThrow(ContextEndedError);
  });
  expect(log).toEqual(['begin a', 'commit a']);
});

test('members end one after another, in reverse order, each awaited', async () => {
  const log: string[] = [];
  const connection = asyncContextManager(async function* (name: string) {
    try {
      yield name;
    } finally {
      await settle();
      log.push(`close ${name}`);
    }
  });
  const { log: steps, transaction } = transactions();
  const result = await runWithAsync(async (stack) => {
    const first = await stack.enter(connection('db1'));
    const second = await stack.enter(await connection('db2'));
    const third: string = stack.enter(transaction('tx'));
    stack.use({ [Symbol.asyncDispose]: async () => void log.push('async') });
    stack.use({ [Symbol.dispose]: () => void log.push('sync') });
    stack.adopt('fd', async (value) => void log.push(value));
    stack.defer(async (_failure, value: string) => void log.push(value), 'deferred');
    return [first, second, third];
  });
  expect(result).toEqual(['db1', 'db2', 'tx']);
  expect(log).toEqual(['deferred', 'fd', 'sync', 'async', 'close db2', 'close db1']);
  expect(steps).toEqual(['begin tx', 'commit tx']);
});

test('asynchronous members handle, replace and chain errors', async () => {
  const handling = asyncContextManager(async function* () {
    try {
      yield;
    } catch {}
  });
  expect(
    await runWithAsync(async (stack) => {
      await stack.enter(handling());
      stack.defer(() => Promise.reject(new Error('second')));
      throw new Error('first');
    }),
  ).toBe(undefined);
  const error = await runWithAsync(async (stack) => {
    stack.defer(async () => fail('second')());
    throw new Error('first');
  }).catch((thrown: unknown) => thrown);
  expect(chainOf(error)).toEqual(['second', 'first']);
  await expect(runWithAsync(() => 7)).resolves.toBe(7);
});

test('a second end of an asynchronous stack waits for the first', async () => {
  const gate = new Gate();
  const stack = new AsyncRunStack();
  stack.defer(() => gate.passed);
  const first = stack[Symbol.asyncDispose]();
  let isOver = false;
  const second = stack[Symbol.asyncDispose]().then(() => {
    isOver = true;
  });
  await settle();
  expect(isOver).toBe(false);
  gate.fail(new Error('close failed'));
  await expect(first).rejects.toThrow('close failed');
  await second;
});

test('a run, and a stack that it was entered into, wait for an end that another caller has begun', async () => {
  const log: string[] = [];
  const gate = new Gate();
  const closing = () => {
    const stack = new AsyncRunStack();
    stack.defer(async () => {
      await gate.passed;
      log.push('closed');
    });
    return stack;
  };
  const stopped = closing();
  const run = stopped.run((stack) => void stack[Symbol.asyncDispose]()).then(() => log.push('run'));
  const inner = closing();
  const outer = new AsyncRunStack();
  outer.defer(() => void log.push('below'));
  outer.enter(inner);
  const ends = [inner, outer].map((stack) => stack[Symbol.asyncDispose]());
  await settle();
  expect(log).toEqual([]);
  gate.open();
  await Promise.all([run, ...ends]);
  expect(log).toEqual(['closed', 'closed', 'below', 'run']);
});

test('a stack takes the contexts of another copy of the package', async () => {
  vi.resetModules();
  const copy = await import('../../src/scope/index.js');
  expect(copy.RunStack).not.toBe(RunStack);
  const { log, transaction } = transactions();
  const rejected = new Error('no stock');
  const run = copy.runWithAsync(async (stack) => {
    stack.enter(transaction('a'));
    await stack.enter(
      asyncContextManager(async function* () {
        yield 'b';
      })(),
    );
    stack.enter(new RunStack()).enter(copy.nullContext(7));
    throw rejected;
  });
  await expect(run).rejects.toBe(rejected);
  expect(log).toEqual(['begin a', 'roll back a: no stock']);
});

test('a member that awaits the end of its own stack after an `await` does not wait for itself', async () => {
  const log: string[] = [];
  const stack = new AsyncRunStack();
  stack.defer(() => log.push('below'));
  stack.defer(async () => {
    await undefined;
    await stack[Symbol.asyncDispose]();
    log.push('stopped');
  });
  const end = stack[Symbol.asyncDispose]();
  const other = stack[Symbol.asyncDispose]().then(() =>
    log.push('a caller elsewhere waits for all'),
  );
  await Promise.all([end, other]);
  expect(log).toEqual(['stopped', 'below', 'a caller elsewhere waits for all']);
});

test('members of two stacks that await the end of each other do not wait for ever', async () => {
  const log: string[] = [];
  const stacks = { a: new AsyncRunStack(), b: new AsyncRunStack() };
  const ends = (['a', 'b'] as const).map((name) => {
    stacks[name].defer(async () => {
      await undefined;
      await stacks[name === 'a' ? 'b' : 'a'][Symbol.asyncDispose]();
      log.push(name);
    });
    return stacks[name];
  });
  await Promise.all(ends.map((stack) => stack[Symbol.asyncDispose]()));
  expect(log.sort()).toEqual(['a', 'b']);
});

test('a member that awaits the close of a shared value, whose disposal awaits the end of the stack, does not wait for ever', async () => {
  const log: string[] = [];
  const stack = new AsyncRunStack();
  const shared = new RefCounted(() => ({}), {
    idleMillis: Infinity,
    dispose: async () => {
      await undefined;
      await stack[Symbol.asyncDispose]();
      log.push('disposed of');
    },
  });
  await (await shared.acquire()).release();
  stack.defer(async () => {
    await undefined;
    await shared.close();
    log.push('closed');
  });
  await Promise.all([stack[Symbol.asyncDispose](), shared.close()]);
  expect(log.sort()).toEqual(['closed', 'disposed of']);
});

test('a member that awaits the end of its own stack does not wait for itself', async () => {
  const log: string[] = [];
  const stack = new AsyncRunStack();
  const close = async (): Promise<void> => {
    await stack[Symbol.asyncDispose]();
    log.push('closed');
  };
  stack.defer(close);
  stack.use({ [Symbol.asyncDispose]: close });
  await stack[Symbol.asyncDispose]();
  expect(log).toEqual(['closed', 'closed']);
});

test('moved asynchronous members outlive the block', async () => {
  const dispose = vi.fn(async () => {});
  const kept = await runWithAsync(async (stack) => {
    stack.use({ [Symbol.asyncDispose]: dispose });
    return { stack: stack.move() };
  });
  expect(dispose).not.toHaveBeenCalled();
  await kept?.stack.run(() => {});
  expect(dispose).toHaveBeenCalledTimes(1);
});

test('arguments of the wrong kind are refused', async () => {
  allowLeaks();
  expect(() => runWith(7 as never)).toThrow(InvalidArgumentError);
  await expect(runWithAsync(7 as never)).rejects.toThrow(InvalidArgumentError);
  const stack = new RunStack();
  for (const call of [
    () => stack.defer(1 as never),
    () => stack.push('x' as never),
    () => stack.adopt(1, null as never),
    () => stack.run(undefined as never),
    () => suppress('Error' as never),
    () => suppress(Error).run(1 as never),
  ]) {
    expect(call).toThrow(InvalidArgumentError);
  }
});

test('suppress handles errors of its classes and their subclasses, any number of times', async () => {
  class Missing extends RangeError {}
  const lenient = suppress(TypeError, RangeError);
  for (let i = 0; i < 2; i++) {
    expect(
      lenient.run(() => {
        throw new Missing('x');
      }),
    ).toBe(undefined);
  }
  expect(lenient.run(() => 7)).toBe(7);
  expect(() => lenient.run(fail('other'))).toThrow('other');
  expect(await lenient.run(() => Promise.reject(new TypeError('x')))).toBe(undefined);
  await expect(lenient.run(() => Promise.reject(new Error('other')))).rejects.toThrow('other');
  expect(() => suppress().run(fail('none'))).toThrow('none');
  expect(lenient.run(() => lenient.run(fail.bind(null, 'nested')))).toBeTypeOf('function');
});

test('suppress lets pass what cannot be compared with its classes, such as a revoked proxy', () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  let thrown: unknown;
  try {
    void suppress(TypeError).run(() => {
      throw proxy;
    });
  } catch (error) {
    thrown = error;
  }
  expect(thrown === proxy).toBe(true);
});

test('nullContext gives its value and lets errors pass', () => {
  {
    using context = nullContext('value');
    expect(context.value).toBe('value');
  }
  expect(() => nullContext(1).run(fail('passes'))).toThrow('passes');
});

test('an error of another realm keeps the earlier error as its cause too', () => {
  const foreign: unknown = runInNewContext('new TypeError("foreign")');
  expect(foreign instanceof Error).toBe(false);
  const error = thrownBy(() =>
    runWith((stack) => {
      stack.defer(() => {
        throw foreign;
      });
      throw new Error('of the block');
    }),
  );
  expect(error).toMatchObject({ message: 'foreign', cause: { message: 'of the block' } });
});

/** An error whose `cause` cannot be read, as of some libraries: nodejs/node#47163. */
function errorWithoutReadableCause(): Error {
  return Object.defineProperty(new Error('of the block'), 'cause', {
    get() {
      throw new Error('no cause');
    },
  });
}

/** An error that cannot be asked for its members. */
function opaqueError(): Error {
  return new Proxy(new Error('opaque'), {
    has() {
      throw new Error('no members');
    },
  });
}

test('all members are ended, whatever the errors do when they are read', async () => {
  const ofBlock = errorWithoutReadableCause();
  const opaque = opaqueError();
  const log: string[] = [];
  const fill = (stack: RunStack | AsyncRunStack): never => {
    stack.defer(() => {
      throw opaque;
    });
    stack.defer(() => log.push('ended'));
    stack.defer(() => {
      throw new Error('of a member');
    });
    throw ofBlock;
  };
  expect(thrownBy(() => runWith(fill)) === opaque).toBe(true);
  expect((await runWithAsync(fill).catch((error: unknown) => error)) === opaque).toBe(true);
  expect(log).toEqual(['ended', 'ended']);

  const error = thrownBy(() =>
    runWith((stack) => {
      stack.defer(() => {
        throw new Error('of a member');
      });
      throw ofBlock;
    }),
  );
  expect((error as Error).cause === ofBlock).toBe(true);
});

test('an error that cannot be given a cause can be the cause of another', () => {
  const frozen = Object.freeze(new Error('frozen'));
  const other = new Error('other');
  const thrower = (error: Error) => () => {
    throw error;
  };
  const failing = (earlier: Error, later: Error) =>
    thrownBy(() =>
      runWith((stack) => {
        stack.defer(thrower(later));
        throw earlier;
      }),
    );
  expect(failing(other, frozen)).toBe(frozen);
  expect(failing(frozen, other)).toBe(other);
  expect(other.cause).toBe(frozen);
});

test('an error that is the last cause of another is not given that one as its cause', () => {
  const last = new Error('last');
  const error = thrownBy(() =>
    runWith((stack) => {
      stack.defer(() => {
        throw last;
      });
      for (const name of ['c', 'b', 'a']) {
        stack.defer(() => {
          throw new Error(name);
        });
      }
      throw last;
    }),
  );
  expect([error === last, 'cause' in last]).toEqual([true, false]);
});

test('the errors of many members are chained without a search through all of them for each: WebKit/WebKit#60907', () => {
  let looks = 0;
  const hasInstance = Function.prototype[Symbol.hasInstance];
  Object.defineProperty(Error, Symbol.hasInstance, {
    value(this: unknown, value: unknown) {
      looks++;
      return Reflect.apply(hasInstance, this, [value]);
    },
    configurable: true,
  });
  const stack = new RunStack();
  for (let i = 0; i < 1_000; i++) {
    stack.defer(() => {
      throw new Error(`${i}`);
    });
  }
  const error = thrownBy(() => stack[Symbol.dispose]()) as Error;
  Reflect.deleteProperty(Error, Symbol.hasInstance);
  let chained = 0;
  for (let link: unknown = error; link instanceof Error; link = link.cause) chained++;
  expect(chained).toBe(1_000);
  expect(looks).toBeLessThan(20_000);
});

test('a member of a synchronous stack that returns a promise: its rejection is printed', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const reject = async (message: string): Promise<never> => {
    throw new Error(message);
  };
  let ended: RunStack | undefined;
  await runWithAsync((stack) => stack.use({ [Symbol.dispose]: () => reject('async') } as never));
  void runWith((stack) => {
    ended = stack;
    stack.defer(() => reject('defer'));
    stack.push(() => reject('push'));
    stack.adopt(1, () => reject('adopt'));
    stack.use({ [Symbol.dispose]: () => reject('use') } as never);
  });
  expect(() => ended?.adopt(1, () => reject('late'))).toThrow(ContextEndedError);
  await settle();
  expect(print.mock.calls.map(([, error]) => (error as Error).message).sort()).toEqual([
    'adopt',
    'async',
    'defer',
    'late',
    'push',
    'use',
  ]);
  print.mockRestore();
});

test('suppress refuses a function that is no class at once', () => {
  expect(() => suppress((() => {}) as never)).toThrow(InvalidArgumentError);
  const Bound = Error.bind(null) as unknown as ErrorConstructor;
  expect(
    suppress(Bound).outcome(() => {
      throw new TypeError('bound');
    }).handled,
  ).toBe(true);
});
