import { describe, expect, test, vi } from 'vitest';
import { AsyncDisposableStack, SuppressedError } from '../../src/scope/index.js';
import { OwnAsyncDisposableStack } from '../../src/scope/own-async-disposable-stack.js';
import { Gate } from '../kit/gate.js';
import { settle } from '../kit/settle.js';
import { asyncDisposableStacks, turnsUntilSettled } from './implementations.js';

test("the exported class is the platform's if there is one, and our own otherwise", () => {
  const platform = (globalThis as { AsyncDisposableStack?: unknown }).AsyncDisposableStack;
  expect(AsyncDisposableStack).toBe(platform ?? OwnAsyncDisposableStack);
});

describe.each(asyncDisposableStacks)('AsyncDisposableStack: %s', (_, Stack) => {
  test('disposes in the reverse order, each after the one before it has settled', async () => {
    const log: unknown[] = [];
    const gate = new Gate();
    const stack = new Stack();
    const resource = {
      async [Symbol.asyncDispose](...args: unknown[]) {
        log.push([this, ...args]);
      },
    };
    stack.use(resource);
    stack.adopt('adopted', async function (this: unknown, ...args: unknown[]) {
      log.push([this, ...args]);
      await gate.passed;
      log.push('gate passed');
    });
    stack.defer(async function (this: unknown, ...args: unknown[]) {
      log.push([this, ...args]);
    });
    const disposing = stack.disposeAsync();
    await settle();
    expect(log).toEqual([[undefined], [undefined, 'adopted']]);
    gate.open();
    expect(await disposing).toBe(undefined);
    expect(log.slice(2)).toEqual(['gate passed', [resource]]);
  });

  test('the first disposal starts in the call itself', async () => {
    const started = vi.fn();
    const stack = new Stack();
    stack.defer(started);
    const disposing = stack.disposeAsync();
    expect(started).toHaveBeenCalledTimes(1);
    await disposing;
  });

  test('use and adopt return their value, and defer returns nothing', async () => {
    await using stack = new Stack();
    const resource = { async [Symbol.asyncDispose]() {} };
    expect(stack.use(resource)).toBe(resource);
    expect(stack.use(null)).toBe(null);
    expect(stack.use(undefined)).toBe(undefined);
    expect(stack.adopt(5, () => {})).toBe(5);
    expect(stack.defer(() => {})).toBe(undefined);
  });

  test('prefers Symbol.asyncDispose, and falls back on Symbol.dispose', async () => {
    const log: string[] = [];
    const stack = new Stack();
    stack.use({
      async [Symbol.asyncDispose]() {
        log.push('async');
      },
      [Symbol.dispose]() {
        log.push('never');
      },
    });
    stack.use({
      [Symbol.asyncDispose]: null,
      [Symbol.dispose]() {
        log.push('null counts as absent');
      },
    } as never);
    stack.use({
      [Symbol.dispose]() {
        log.push('sync');
      },
    });
    await stack.disposeAsync();
    expect(log).toEqual(['sync', 'null counts as absent', 'async']);
  });

  test('does not await what a synchronous dispose method returns', async () => {
    const gate = new Gate();
    const stack = new Stack();
    stack.use({ [Symbol.dispose]: () => gate.passed } as Disposable);
    await stack.disposeAsync();
    gate.open();
  });

  test('does not read `then` of what a synchronous dispose method returns', async () => {
    const then = vi.fn();
    const result = Object.defineProperty({}, 'then', { get: then });
    const stack = new Stack();
    stack.use({ [Symbol.dispose]: () => result } as Disposable);
    await stack.disposeAsync();
    expect(then).not.toHaveBeenCalled();
  });

  test('a synchronous dispose method that throws rejects the disposal', async () => {
    const error = new Error('sync');
    const after = vi.fn();
    const stack = new Stack();
    stack.defer(after);
    stack.use({
      [Symbol.dispose]() {
        throw error;
      },
    });
    await expect(stack.disposeAsync()).rejects.toBe(error);
    expect(after).toHaveBeenCalledTimes(1);
  });

  test('disposes once; later calls resolve at once', async () => {
    const dispose = vi.fn();
    const stack = new Stack();
    stack.defer(dispose);
    expect(stack.disposed).toBe(false);
    const first = stack.disposeAsync();
    expect(stack.disposed).toBe(true);
    expect(await turnsUntilSettled(stack[Symbol.asyncDispose]())).toBe(1);
    await first;
    expect(dispose).toHaveBeenCalledTimes(1);
  });

  test('an empty stack takes no turn, and null resources take one turn, however many there are', async () => {
    const empty = new Stack();
    expect(await turnsUntilSettled(empty.disposeAsync())).toBe(1);
    const one = new Stack();
    one.use(null);
    expect(await turnsUntilSettled(one.disposeAsync())).toBe(2);
    const three = new Stack();
    for (const nothing of [null, undefined, null]) three.use(nothing);
    expect(await turnsUntilSettled(three.disposeAsync())).toBe(2);
    const mixed = new Stack();
    mixed.use(null);
    mixed.defer(() => {});
    mixed.use(undefined);
    expect(await turnsUntilSettled(mixed.disposeAsync())).toBe(2);
    const failing = new Stack();
    failing.use(null);
    failing.defer(() => {
      throw new Error('no promise to await');
    });
    expect(await turnsUntilSettled(failing.disposeAsync())).toBe(2);
    const rejecting = new Stack();
    rejecting.use(null);
    rejecting.defer(() => Promise.reject(new Error('awaited')));
    expect(await turnsUntilSettled(rejecting.disposeAsync())).toBe(2);
  });

  test.each([
    1,
    'text',
    true,
    Symbol('s'),
    {},
    { [Symbol.asyncDispose]: 1 },
    { [Symbol.dispose]: 1 },
  ])('use refuses %o at once', async (value) => {
    await using stack = new Stack();
    expect(() => stack.use(value as never)).toThrow(TypeError);
  });

  test('adopt and defer refuse a callback that is no function', async () => {
    await using stack = new Stack();
    expect(() => stack.adopt({}, {} as never)).toThrow(TypeError);
    expect(() => stack.defer(undefined as never)).toThrow(TypeError);
  });

  test('after disposal, adding and moving throw a ReferenceError', async () => {
    const stack = new Stack();
    await stack.disposeAsync();
    expect(() => stack.use(1 as never)).toThrow(ReferenceError);
    expect(() => stack.adopt(1, 'f' as never)).toThrow(ReferenceError);
    expect(() => stack.defer('f' as never)).toThrow(ReferenceError);
    expect(() => stack.move()).toThrow(ReferenceError);
  });

  test('move passes all resources to a new stack and leaves the old one disposed', async () => {
    const log: string[] = [];
    const stack = new Stack();
    stack.defer(() => void log.push('a'));
    const heir = stack.move();
    await stack.disposeAsync();
    expect([stack.disposed, heir.disposed, log]).toEqual([true, false, []]);
    await heir.disposeAsync();
    expect(log).toEqual(['a']);
  });

  test('errors are thrown as a chain, the last outermost, after all resources were disposed of', async () => {
    const log: string[] = [];
    const stack = new Stack();
    stack.defer(() => void log.push('last'));
    stack.defer(() => Promise.reject('second'));
    stack.defer(() => {
      throw 'first';
    });
    const error: SuppressedError = await stack.disposeAsync().then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(SuppressedError);
    expect([error.error, error.suppressed, log]).toEqual(['second', 'first', ['last']]);
  });

  test('has the shape of a built-in class', () => {
    const { prototype } = Stack;
    expect([Stack.name, Stack.length]).toEqual(['AsyncDisposableStack', 0]);
    expect(() => Reflect.apply(Stack, undefined, [])).toThrow(TypeError);
    expect(prototype[Symbol.asyncDispose]).toBe(prototype.disposeAsync);
    expect(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)).toEqual({
      value: 'AsyncDisposableStack',
      writable: false,
      enumerable: false,
      configurable: true,
    });
    expect(Symbol.dispose in prototype).toBe(false);
    const arity = { use: 1, adopt: 2, defer: 1, move: 0, disposeAsync: 0 } as const;
    for (const [name, length] of Object.entries(arity)) {
      const method = Reflect.get(prototype, name);
      expect([method.name, method.length]).toEqual([name, length]);
    }
  });

  test('a foreign receiver makes disposeAsync reject, and the other methods throw', async () => {
    const impostor = Object.create(Stack.prototype) as InstanceType<typeof Stack>;
    await expect(impostor.disposeAsync()).rejects.toThrow(TypeError);
    expect(() => impostor.use(null)).toThrow(TypeError);
    expect(() => impostor.disposed).toThrow(TypeError);
  });
});

test.each(asyncDisposableStacks)(
  '%s: a `new.target` without a prototype gives an instance of the class',
  (_, Stack) => {
    const target = Object.assign(function Target() {}, { prototype: null });
    const made: unknown = Reflect.construct(Stack, [], target);
    expect(Object.getPrototypeOf(made)).toBe(Stack.prototype);
  },
);
