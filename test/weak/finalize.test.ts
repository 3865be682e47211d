import { AsyncLocalStorage } from 'node:async_hooks';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import {
  type Finalizer,
  type FinalizerCall,
  finalize,
  InvalidArgumentError,
  ref,
  wasCollected,
} from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { until } from '../kit/until.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Holds a target until the test drops it. No other code may hold the target. */
class Holder {
  target: object | undefined = {};

  get held(): object {
    if (this.target === undefined) throw new Error('dropped before');
    return this.target;
  }

  async drop(): Promise<void> {
    this.target = undefined;
    await collectGarbage();
  }
}

test('a call runs the callback, gives its result, and ends the finalizer', async () => {
  const holder = new Holder();
  const sums: number[] = [];
  const add = (...terms: number[]) => {
    const sum = terms.reduce((a, b) => a + b);
    sums.push(sum);
    return sum;
  };
  const finalizer = finalize(holder.held, add, 67, 43, 89);
  expect(finalizer.alive).toBe(true);
  expect(finalizer.peek()).toEqual({ target: holder.held, fn: add, args: [67, 43, 89] });
  expect(finalizer.alive).toBe(true);
  expect(finalizer()).toBe(199);
  expect([finalizer(), finalizer()]).toEqual([undefined, undefined]);
  expect([finalizer.peek(), finalizer.detach(), finalizer.alive]).toEqual([
    undefined,
    undefined,
    false,
  ]);
  await holder.drop();
  expect(sums).toEqual([199]);
});

test('detach cancels the callback and gives the call', async () => {
  const holder = new Holder();
  const fn = vi.fn();
  const finalizer = finalize(holder.held, fn, 'a');
  expect(finalizer.detach()).toEqual({ target: holder.held, fn, args: ['a'] });
  expect([finalizer(), finalizer.peek(), finalizer.detach(), finalizer.alive]).toEqual([
    undefined,
    undefined,
    undefined,
    false,
  ]);
  await holder.drop();
  expect(fn).not.toHaveBeenCalled();
});

test('the collection of the target runs the callback, even if the finalizer is not held', async () => {
  const holder = new Holder();
  const fn = vi.fn();
  finalize(holder.held, fn, 'a', 1);
  await collectGarbage();
  expect(fn).not.toHaveBeenCalled();
  await holder.drop();
  expect(fn.mock.calls).toEqual([['a', 1]]);
});

test('after the collection of the target, the finalizer has no effect', async () => {
  const holder = new Holder();
  const fn = vi.fn();
  const finalizer = finalize(holder.held, fn);
  await holder.drop();
  expect(fn).toHaveBeenCalledTimes(1);
  expect([finalizer(), finalizer.peek(), finalizer.detach(), finalizer.alive]).toEqual([
    undefined,
    undefined,
    undefined,
    false,
  ]);
  expect(fn).toHaveBeenCalledTimes(1);
});

test('the finalizers of one target run newest first', async () => {
  const holder = new Holder();
  const log: string[] = [];
  const push = (line: string) => log.push(line);
  finalize(holder.held, push, 'f1');
  const f2 = finalize(holder.held, push, 'f2');
  const f3 = finalize(holder.held, push, 'f3');
  finalize(holder.held, push, 'f4');
  const f5 = finalize(holder.held, push, 'f5');
  await collectGarbage();
  expect(f5.detach()).toBeDefined();
  f5();
  log.push('A');
  f3();
  log.push('B');
  f3();
  await holder.drop();
  expect(f2.alive).toBe(false);
  log.push('C');
  f2();
  expect(log).toEqual(['A', 'f3', 'B', 'f4', 'f2', 'f1', 'C']);
});

test('an ended finalizer keeps neither its callback nor its arguments alive', async () => {
  const target = {};
  const [finalizers, probes] = (() => {
    const probes: WeakRef<object>[] = [];
    const made = () => {
      const fn = () => {};
      const arg = {};
      probes.push(new WeakRef(fn), new WeakRef(arg));
      return finalize(target, fn as (arg: object) => void, arg);
    };
    const called = made();
    called();
    const detached = made();
    detached.detach();
    return [[called, detached], probes];
  })();
  await collectGarbage();
  expect(probes.map((probe) => probe.deref())).toEqual(probes.map(() => undefined));
  expect(finalizers.map(({ alive }) => alive)).toEqual([false, false]);
});

test('an error after the collection is printed, and the other finalizers run', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const log: string[] = [];
  const holder = new Holder();
  finalize(holder.held, () => log.push('older'));
  finalize(holder.held, async () => {
    throw new Error('rejected');
  });
  finalize(holder.held, () => {
    throw new Error('thrown');
  });
  await holder.drop();
  expect(log).toEqual(['older']);
  expect(print.mock.calls.map(([, error]) => error.message)).toEqual(['thrown', 'rejected']);
});

test('a direct call throws the error of its callback', () => {
  const finalizer = finalize({}, () => {
    throw new Error('thrown');
  });
  expect(() => finalizer()).toThrow('thrown');
  expect(finalizer.alive).toBe(false);
  expect(finalizer()).toBe(undefined);
});

test('a callback or an argument that is the target is refused', () => {
  const target = {};
  const close = (_id: number, _file: object) => {};
  expect(() => finalize(target, close, 1, target)).toThrow(InvalidArgumentError);
  const fn = () => {};
  expect(() => finalize(fn, fn)).toThrow(InvalidArgumentError);
  expect(() => finalize(1 as never, () => {})).toThrow(/`target` must be an object/);
  expect(() => finalize({}, 'fn' as never)).toThrow(/`fn` must be a function/);
});

test('the exit listener exists only while a finalizer is to run at exit', async () => {
  const before = process.listenerCount('exit');
  const target = {};
  const holder = new Holder();
  const first = finalize(target, () => {});
  const second = finalize(target, () => {});
  finalize(holder.held, () => {});
  expect(process.listenerCount('exit')).toBe(before + 1);
  expect([first.atexit, second.atexit]).toEqual([true, true]);
  first();
  second.atexit = false;
  expect(second.atexit).toBe(false);
  expect(process.listenerCount('exit')).toBe(before + 1);
  await holder.drop();
  expect(process.listenerCount('exit')).toBe(before);
  second.atexit = true;
  expect(process.listenerCount('exit')).toBe(before + 1);
  second.detach();
  expect([second.atexit, process.listenerCount('exit')]).toEqual([false, before]);
  second.atexit = true;
  expect([second.atexit, process.listenerCount('exit')]).toEqual([false, before]);
});

test('types follow the callback', () => {
  const finalizer = finalize({ a: 1 }, (count: number, name: string) => name.repeat(count), 2, 'x');
  expectTypeOf(finalizer).toEqualTypeOf<
    Finalizer<{ a: number }, [count: number, name: string], string>
  >();
  expectTypeOf(finalizer.peek).returns.toEqualTypeOf<
    FinalizerCall<{ a: number }, [count: number, name: string], string> | undefined
  >();
  // @ts-expect-error -- an argument is missing
  finalize({}, (_count: number) => {}).detach();
  expect(finalizer()).toBe('xx');
});

test('the end of a using block runs the callback, once', () => {
  const log: string[] = [];
  {
    using finalizer = finalize({}, (name: string) => log.push(name), 'closed');
    expect([finalizer.alive, log]).toEqual([true, []]);
  }
  expect(log).toEqual(['closed']);
  const failing = finalize({}, () => {
    throw new Error('thrown');
  });
  expect(() => failing[Symbol.dispose]()).toThrow('thrown');
});

test('finalizers and callbacks of refs run in one order, the newest first', async () => {
  const holder = new Holder();
  const log: string[] = [];
  finalize(holder.held, () => log.push('1'));
  const second = ref(holder.held, () => log.push('2'));
  finalize(holder.held, () => log.push('3'));
  const fourth = ref(holder.held, () => log.push('4'));
  await holder.drop();
  expect(log).toEqual(['4', '3', '2', '1']);
  expect([second.deref(), fourth.deref()]).toEqual([undefined, undefined]);
});

test('a promise of another realm that rejects is printed, and does not end the process', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const holder = new Holder();
  const remove = runInNewContext('async (path) => { throw new TypeError("no " + path); }') as (
    path: string,
  ) => Promise<void>;
  finalize(holder.held, remove, '/tmp/1');
  await holder.drop();
  expect(print.mock.calls.map(([, error]) => error.message)).toEqual(['no /tmp/1']);
});

test('a thenable that runs when it is subscribed to, as a query builder does, is run', async () => {
  const ran: string[] = [];
  const query = (sql: string) => ({
    // biome-ignore lint/suspicious/noThenProperty: this is how lazy query builders run.
    then: (resolve: (rows: number) => void) => resolve(ran.push(sql)),
  });
  const holder = new Holder();
  finalize(holder.held, query, 'delete from uploads');
  await holder.drop();
  expect(ran).toEqual(['delete from uploads']);
});

test('a callback that V8 starts has no async context', async () => {
  const storage = new AsyncLocalStorage<string>();
  const stores: unknown[] = [];
  const holder = new Holder();
  storage.run('request 1', () => finalize(holder.held, () => stores.push(storage.getStore())));
  await storage.run('request 2', () => holder.drop());
  expect(stores).toEqual([undefined]);
});

test('200,000 finalizers of one target all run, newest first, and an error loses none', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const holder = new Holder();
  let last = 200_000;
  let errors = 0;
  let outOfOrder = 0;
  const callback = (number: number) => {
    if (number !== last - 1) outOfOrder++;
    last = number;
    if (number % 50_000 === 0) {
      errors++;
      throw new Error(`of ${number}`);
    }
  };
  for (let i = 0; i < 200_000; i++) finalize(holder.held, callback, i).atexit = false;
  await holder.drop();
  await until(() => last === 0);
  expect([outOfOrder, errors, print.mock.calls.length]).toEqual([0, 4, 4]);
});

test('prints what it will call, and that it has ended', () => {
  const close = (_descriptor: number) => {};
  const finalizer = finalize({}, close, 7);
  expect(inspect(finalizer)).toBe(
    'Finalizer { alive: true, atexit: true, fn: [Function: close], args: [ 7 ] }',
  );
  finalizer();
  expect(inspect(finalizer)).toBe('Finalizer { alive: false }');
});

describe('a callback that holds its target never runs, and wasCollected shows it', () => {
  const removed: string[] = [];

  /** The way of the guide: the callback is made by a static method, where no \`this\` is in reach. */
  class TemporaryFile {
    readonly path = '/tmp/upload';
    readonly onProgress = () => this.path;
    static #remove(path: string): void {
      removed.push(path);
    }
    readonly #finalizer = finalize(this, TemporaryFile.#remove, this.path);
    remove(): void {
      this.#finalizer();
    }
  }

  /** All field initialisers share one context of V8, so the arrow function of \`onProgress\` makes that of \`#finalizer\` hold \`this\`. */
  class LeakingFile {
    readonly path = '/tmp/upload';
    readonly onProgress = () => this.path;
    readonly finalizer = finalize(this, (path: string) => removed.push(path), this.path);
  }

  test('a static method as the callback', async () => {
    expect(await wasCollected(() => new TemporaryFile())).toBe(true);
    expect(removed).toEqual(['/tmp/upload']);
    new TemporaryFile().remove();
    expect(removed).toHaveLength(2);
  });

  test('an arrow function in a field initialiser, beside another one that uses this', async () => {
    expect(
      await wasCollected(() => {
        const file = new LeakingFile();
        file.finalizer.atexit = false;
        return file;
      }),
    ).toBe(false);
  });
});

test('the end of a `using` block prints the rejection of an asynchronous callback', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  {
    using _ = finalize({}, async () => {
      throw new Error('not closed');
    });
  }
  await until(() => print.mock.calls.length > 0);
  expect(print).toHaveBeenCalledWith(
    expect.stringContaining('finalizer'),
    expect.objectContaining({ message: 'not closed' }),
  );
});
