import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { DisposableStack, SuppressedError } from '../../src/scope/index.js';
import { OwnDisposableStack } from '../../src/scope/own-disposable-stack.js';
import { thrownBy } from '../kit/thrown-by.js';
import { disposableStacks } from './implementations.js';

test("the exported class is the platform's if there is one, and our own otherwise", () => {
  const platform = (globalThis as { DisposableStack?: unknown }).DisposableStack;
  expect(DisposableStack).toBe(platform ?? OwnDisposableStack);
  using stack: DisposableStack = new DisposableStack();
  expectTypeOf(stack.adopt('x', () => {})).toEqualTypeOf<string>();
  expectTypeOf(stack.use(null)).toEqualTypeOf<null>();
});

test('importing the module adds no global', () => {
  if ('DisposableStack' in globalThis) {
    expect((globalThis as { DisposableStack?: unknown }).DisposableStack).not.toBe(
      OwnDisposableStack,
    );
  } else {
    expect(Object.keys(globalThis)).not.toContain('SuppressedError');
  }
});

describe.each(disposableStacks)('DisposableStack: %s', (_, Stack) => {
  test('disposes in the reverse order, each with the right receiver and arguments', () => {
    const log: unknown[][] = [];
    const stack = new Stack();
    const resource = {
      [Symbol.dispose](...args: unknown[]) {
        log.push([this, ...args]);
      },
    };
    stack.use(resource);
    stack.adopt('adopted', function (this: unknown, ...args: unknown[]) {
      log.push([this, ...args]);
    });
    stack.defer(function (this: unknown, ...args: unknown[]) {
      log.push([this, ...args]);
    });
    stack.use(resource);
    expect(stack.dispose()).toBe(undefined);
    expect(log).toEqual([[resource], [undefined], [undefined, 'adopted'], [resource]]);
  });

  test('use and adopt return their value, and defer returns nothing', () => {
    using stack = new Stack();
    const resource = { [Symbol.dispose]() {} };
    expect(stack.use(resource)).toBe(resource);
    expect(stack.use(null)).toBe(null);
    expect(stack.use(undefined)).toBe(undefined);
    expect(stack.adopt(5, () => {})).toBe(5);
    expect(stack.defer(() => {})).toBe(undefined);
  });

  test('the method is looked up once, when the resource is added', () => {
    const first = vi.fn();
    const lookups: string[] = [];
    const resource = {
      method: first,
      get [Symbol.dispose]() {
        lookups.push('looked up');
        return this.method;
      },
    };
    const stack = new Stack();
    stack.use(resource);
    resource.method = vi.fn();
    stack.dispose();
    expect(lookups).toHaveLength(1);
    expect(first).toHaveBeenCalledTimes(1);
  });

  test('takes functions as resources', () => {
    const resource = Object.assign(() => {}, { [Symbol.dispose]: vi.fn() });
    const stack = new Stack();
    stack.use(resource);
    stack.dispose();
    expect(resource[Symbol.dispose]).toHaveBeenCalledTimes(1);
  });

  test('disposes once, also when a disposal disposes of the stack itself', () => {
    const log: string[] = [];
    const stack = new Stack();
    stack.defer(() => log.push('outer'));
    stack.defer(() => {
      log.push(`disposed: ${stack.disposed}`);
      stack.dispose();
    });
    expect(stack.disposed).toBe(false);
    stack.dispose();
    stack[Symbol.dispose]();
    expect(stack.disposed).toBe(true);
    expect(log).toEqual(['disposed: true', 'outer']);
  });

  test.each([1, 'text', true, Symbol('s'), 1n])('use refuses %s, which is no object', (value) => {
    using stack = new Stack();
    expect(() => stack.use(value as never)).toThrow(TypeError);
  });

  test.each([
    {},
    { [Symbol.dispose]: undefined },
    { [Symbol.dispose]: null },
    { [Symbol.dispose]: 'no function' },
    { [Symbol.dispose]: {} },
  ])('use refuses an object without a dispose method: %o', (value) => {
    using stack = new Stack();
    expect(() => stack.use(value as never)).toThrow(TypeError);
  });

  test('adopt and defer refuse a callback that is no function, and keep nothing', () => {
    using stack = new Stack();
    for (const callback of [undefined, null, {}, 'f', 1]) {
      expect(() => stack.adopt({}, callback as never)).toThrow(TypeError);
      expect(() => stack.defer(callback as never)).toThrow(TypeError);
    }
  });

  test('after disposal, adding and moving throw a ReferenceError before they check their arguments', () => {
    const stack = new Stack();
    stack.dispose();
    expect(() => stack.use(1 as never)).toThrow(ReferenceError);
    expect(() => stack.use(null)).toThrow(ReferenceError);
    expect(() => stack.adopt(1, 'f' as never)).toThrow(ReferenceError);
    expect(() => stack.defer('f' as never)).toThrow(ReferenceError);
    expect(() => stack.move()).toThrow(ReferenceError);
  });

  test('move passes all resources to a new stack and leaves the old one disposed', () => {
    const log: string[] = [];
    class Derived extends Stack {}
    const stack = new Derived();
    stack.defer(() => log.push('a'));
    stack.defer(() => log.push('b'));
    const heir = stack.move();
    expect([stack.disposed, heir.disposed]).toEqual([true, false]);
    expect(Object.getPrototypeOf(heir)).toBe(Stack.prototype);
    stack.dispose();
    expect(log).toEqual([]);
    heir.defer(() => log.push('c'));
    heir.dispose();
    expect(log).toEqual(['c', 'b', 'a']);
  });

  test('a disposal that throws does not stop the others, and a single error is thrown as it is', () => {
    const log: string[] = [];
    const error = new Error('b');
    const stack = new Stack();
    stack.defer(() => log.push('a'));
    stack.defer(() => {
      throw error;
    });
    stack.defer(() => log.push('c'));
    expect(thrownBy(() => stack.dispose())).toBe(error);
    expect(log).toEqual(['c', 'a']);
    expect(stack.disposed).toBe(true);
  });

  test('several errors are thrown as a chain, the last outermost; undefined counts as an error', () => {
    const stack = new Stack();
    for (const error of ['third', undefined, 'first']) {
      stack.defer(() => {
        throw error;
      });
    }
    const outer = thrownBy(() => stack.dispose()) as SuppressedError;
    expect(outer).toBeInstanceOf(SuppressedError);
    expect(outer.error).toBe('third');
    expect(outer.suppressed).toBeInstanceOf(SuppressedError);
    expect([outer.suppressed.error, outer.suppressed.suppressed]).toEqual([undefined, 'first']);
    for (const property of ['error', 'suppressed', 'message']) {
      expect(Object.getOwnPropertyDescriptor(outer, property)).toMatchObject({
        writable: true,
        enumerable: false,
        configurable: true,
      });
    }
  });

  test('a single undefined that was thrown is thrown', () => {
    const stack = new Stack();
    stack.defer(() => {
      throw undefined;
    });
    expect(thrownBy(() => stack.dispose())).toBe(undefined);
  });

  test('has the shape of a built-in class', () => {
    const { prototype } = Stack;
    expect([Stack.name, Stack.length]).toEqual(['DisposableStack', 0]);
    expect(() => Reflect.apply(Stack, undefined, [])).toThrow(TypeError);
    expect(prototype[Symbol.dispose]).toBe(prototype.dispose);
    expect(Object.prototype.toString.call(new Stack())).toBe('[object DisposableStack]');
    expect(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)).toEqual({
      value: 'DisposableStack',
      writable: false,
      enumerable: false,
      configurable: true,
    });
    const arity = { use: 1, adopt: 2, defer: 1, move: 0, dispose: 0 } as const;
    for (const [name, length] of Object.entries(arity)) {
      const method = Reflect.get(prototype, name);
      expect([method.name, method.length]).toEqual([name, length]);
      expect(Object.getOwnPropertyDescriptor(prototype, name)).toMatchObject({
        writable: true,
        enumerable: false,
        configurable: true,
      });
    }
    expect(Object.getOwnPropertyDescriptor(prototype, Symbol.dispose)).toMatchObject({
      writable: true,
      enumerable: false,
      configurable: true,
    });
    const disposed = Object.getOwnPropertyDescriptor(prototype, 'disposed');
    expect(disposed).toMatchObject({ set: undefined, enumerable: false, configurable: true });
    expect(disposed?.get?.name).toBe('get disposed');
    expect(Reflect.ownKeys(new Stack())).toEqual([]);
    expect(Reflect.ownKeys(prototype).map(String).sort()).toEqual(
      [
        'Symbol(Symbol.toStringTag)',
        String(Symbol.dispose),
        'adopt',
        'constructor',
        'defer',
        'dispose',
        'disposed',
        'move',
        'use',
      ].sort(),
    );
  });

  test('its methods refuse a foreign receiver', () => {
    const impostor = Object.create(Stack.prototype) as InstanceType<typeof Stack>;
    expect(() => impostor.dispose()).toThrow(TypeError);
    expect(() => impostor.disposed).toThrow(TypeError);
    expect(() => impostor.use(null)).toThrow(TypeError);
    expect(() => impostor.adopt(1, () => {})).toThrow(TypeError);
    expect(() => impostor.defer(() => {})).toThrow(TypeError);
    expect(() => impostor.move()).toThrow(TypeError);
  });
});

test.each(disposableStacks)(
  '%s: a `new.target` without a prototype gives an instance of the class',
  (_, Stack) => {
    const target = Object.assign(function Target() {}, { prototype: null });
    const made: unknown = Reflect.construct(Stack, [], target);
    expect(Object.getPrototypeOf(made)).toBe(Stack.prototype);
  },
);
