import { afterEach, expect, expectTypeOf, test, vi } from 'vitest';
import {
  type Closing,
  ContextEndedError,
  closing,
  InvalidArgumentError,
} from '../../src/scope/index.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { thrownBy } from '../kit/thrown-by.js';

afterEach(() => {
  vi.restoreAllMocks();
});

test('calls close() at the end of the block, on the value, without arguments', () => {
  const calls: unknown[][] = [];
  const thing = {
    close(...args: unknown[]) {
      calls.push([this, ...args]);
    },
  };
  {
    using handle = closing(thing);
    expect(handle.value).toBe(thing);
    expect(calls).toEqual([]);
  }
  expect(calls).toEqual([[thing]]);
});

test('calls the method that is named, by a string or a symbol, or the function', () => {
  const end = Symbol('end');
  const thing = { quit: vi.fn(), [end]: vi.fn() };
  closing(thing, 'quit')[Symbol.dispose]();
  closing(thing, end)[Symbol.dispose]();
  expect(thing.quit).toHaveBeenCalledTimes(1);
  expect(thing[end]).toHaveBeenCalledTimes(1);
  const close = vi.fn();
  closing(7, close)[Symbol.dispose]();
  expect(close.mock.calls).toEqual([[7]]);
});

test('calls the method that the value has at the end of the block', () => {
  const thing = { close: vi.fn() };
  const first = thing.close;
  {
    using _handle = closing(thing);
    thing.close = vi.fn();
  }
  expect(first).not.toHaveBeenCalled();
  expect(thing.close).toHaveBeenCalledTimes(1);
});

test('a missing method is an error at once that names it', () => {
  expect(() => closing({} as { close(): void })).toThrow(InvalidArgumentError);
  expect(() => closing({ close: 1 } as never)).toThrow(/no method `close`/);
  expect(() => closing({ close() {} }, 'end' as never)).toThrow(/no method `end`/);
  expect(() => closing(null as never)).toThrow(InvalidArgumentError);
  expect(() => closing(undefined as never)).toThrow(InvalidArgumentError);
});

test('closes once, synchronously or asynchronously, even if that fails', async () => {
  const thing = {
    close: vi.fn(() => {
      throw new Error('would not close');
    }),
  };
  const handle = closing(thing);
  expect(() => handle[Symbol.dispose]()).toThrow('would not close');
  handle[Symbol.dispose]();
  await handle[Symbol.asyncDispose]();
  expect(thing.close).toHaveBeenCalledTimes(1);
  await expect(closing(thing)[Symbol.asyncDispose]()).rejects.toThrow('would not close');
});

test('await using waits for an asynchronous close and throws its error', async () => {
  const gate = new Gate();
  const left = vi.fn();
  const block = (async () => {
    await using _handle = closing({ close: () => gate.passed });
  })();
  void block.then(left, left);
  await settle();
  expect(left).not.toHaveBeenCalled();
  gate.fail(new Error('lost'));
  await expect(block).rejects.toThrow('lost');
});

test('using an asynchronous close prints its error instead of ending the process', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {});
  const error = new Error('lost');
  {
    using _handle = closing({ close: () => Promise.reject(error) });
  }
  await settle();
  expect(print.mock.calls).toEqual([[expect.stringContaining('closing'), error]]);
});

test('a later asynchronous disposal waits for the close that is under way', async () => {
  for (const first of [Symbol.dispose, Symbol.asyncDispose] as const) {
    const gate = new Gate();
    const handle = closing({ close: () => gate.passed });
    void handle[first]();
    const done = vi.fn();
    const second = handle[Symbol.asyncDispose]().then(done);
    await settle();
    expect(done).not.toHaveBeenCalled();
    gate.open();
    await second;
  }
});

test('only the first disposal reports an asynchronous error', async () => {
  const handle = closing({ close: () => Promise.reject(new Error('lost')) });
  const first = handle[Symbol.asyncDispose]();
  const second = handle[Symbol.asyncDispose]();
  await expect(first).rejects.toThrow('lost');
  await second;
});

test('types name the methods of the value', () => {
  const socket = {
    end: () => {},
    destroy: (_error?: Error) => {},
    port: 1,
    send: (_: string) => {},
  };
  expectTypeOf(closing(socket, 'end')).toEqualTypeOf<Closing<typeof socket>>();
  expectTypeOf(closing(socket, 'destroy').value).toEqualTypeOf<typeof socket>();
  expectTypeOf(closing(7, (fd) => fd.toFixed()).value).toEqualTypeOf<number>();
  // @ts-expect-error -- it has no method close
  expect(() => closing(socket)).toThrow();
  // @ts-expect-error -- a property that is no method
  expect(() => closing(socket, 'port')).toThrow();
  // @ts-expect-error -- a method that needs an argument
  closing(socket, 'send');
  const server: { stop?: () => void } = {};
  // @ts-expect-error -- a method that it may not have
  expect(() => closing(server, 'stop')).toThrow();
  // @ts-expect-error -- no method at all
  expect(() => closing(server, undefined)).toThrow();
});

test('run closes the value after its block, synchronous or not', async () => {
  const log: string[] = [];
  const file = { close: () => void log.push('close') };
  const handle = closing(file);
  expect(
    handle.run((value) => {
      handle[Symbol.dispose]();
      log.push(value === file ? 'use' : '');
      return 7;
    }),
  ).toBe(7);
  expect(log).toEqual(['use', 'close']);
  expect(() => handle.run(() => {})).toThrow(ContextEndedError);
  const gate = new Gate<string>();
  const running = closing(file).run(() => gate.passed);
  await settle();
  expect(log).toHaveLength(2);
  gate.open('late');
  expect(await running).toBe('late');
  expect(log).toHaveLength(3);
});

test('a wrong block is refused, and the value stays open', () => {
  const log: string[] = [];
  using file = closing({ close: () => log.push('closed') });
  expect(() => file.run('block' as never)).toThrow(InvalidArgumentError);
  expect(log).toEqual([]);
});

test('run waits for an asynchronous close, and keeps the error of the block as the cause', async () => {
  const server = { close: () => Promise.reject(new Error('close failed')) };
  await expect(closing(server).run(async () => 1)).rejects.toThrow('close failed');
  const error = await closing(server)
    .run(() => Promise.reject(new Error('block failed')))
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: 'close failed', cause: { message: 'block failed' } });
  const file = {
    close: () => {
      throw new Error('close failed');
    },
  };
  const thrown = thrownBy(() =>
    closing(file).run(() => {
      throw new Error('block failed');
    }),
  );
  expect(thrown).toMatchObject({ message: 'close failed', cause: { message: 'block failed' } });
  expect(() =>
    closing({ close: () => {} }).run(() => {
      throw new Error('block failed');
    }),
  ).toThrow('block failed');
});

test('an async generator is closed by its return method', async () => {
  const log: string[] = [];
  const lines = (async function* () {
    try {
      yield 'a';
    } finally {
      log.push('closed');
    }
  })();
  {
    await using source = closing(lines, (it) => it.return());
    for await (const line of source.value) {
      log.push(line);
      break;
    }
  }
  expect(log).toEqual(['a', 'closed']);
});
