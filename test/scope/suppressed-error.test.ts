import { describe, expect, test } from 'vitest';
import { SuppressedError } from '../../src/scope/index.js';
import { OwnSuppressedError } from '../../src/scope/own-suppressed-error.js';
import { suppressedErrors } from './implementations.js';

const hidden = { writable: true, enumerable: false, configurable: true };

test("the exported class is the platform's if there is one, and our own otherwise", () => {
  const platform = (globalThis as { SuppressedError?: unknown }).SuppressedError;
  expect(SuppressedError).toBe(platform ?? OwnSuppressedError);
});

describe.each(suppressedErrors)('SuppressedError: %s', (_, Suppressed) => {
  test('carries both errors and the message, as properties that do not enumerate', () => {
    const error = new Suppressed('later', 'earlier', 'both');
    expect(Object.getOwnPropertyDescriptor(error, 'error')).toEqual({ value: 'later', ...hidden });
    expect(Object.getOwnPropertyDescriptor(error, 'suppressed')).toEqual({
      value: 'earlier',
      ...hidden,
    });
    expect(Object.getOwnPropertyDescriptor(error, 'message')).toEqual({ value: 'both', ...hidden });
    expect(Object.keys(error)).toEqual([]);
    expect(error.stack?.startsWith('SuppressedError: both')).toBe(true);
  });

  test('has no own message if none is given, and turns a given message into a string', () => {
    expect(Object.hasOwn(new Suppressed(1, 2), 'message')).toBe(false);
    expect(new Suppressed(1, 2).message).toBe('');
    expect(new Suppressed(1, 2, 42 as never).message).toBe('42');
    expect(Object.hasOwn(new Suppressed(1, 2, 'm'), 'cause')).toBe(false);
  });

  test('can be called without new, and extended', () => {
    const called = Suppressed(1, 2, 'm');
    expect(called).toBeInstanceOf(Suppressed);
    expect([called.error, called.suppressed, called.message]).toEqual([1, 2, 'm']);
    class Derived extends Suppressed {}
    const derived = new Derived(1, 2);
    expect(derived).toBeInstanceOf(Derived);
    expect(derived).toBeInstanceOf(Suppressed);
  });

  test('is an error, of the shape of the built-in kinds', () => {
    expect(new Suppressed(1, 2)).toBeInstanceOf(Error);
    expect(Object.getPrototypeOf(Suppressed)).toBe(Error);
    expect([Suppressed.name, Suppressed.length]).toEqual(['SuppressedError', 3]);
    expect(Object.getOwnPropertyDescriptor(Suppressed, 'prototype')).toEqual({
      value: Suppressed.prototype,
      writable: false,
      enumerable: false,
      configurable: false,
    });
    expect(Object.getPrototypeOf(Suppressed.prototype)).toBe(Error.prototype);
    expect(Object.getOwnPropertyDescriptors(Suppressed.prototype)).toEqual({
      constructor: { value: Suppressed, ...hidden },
      name: { value: 'SuppressedError', ...hidden },
      message: { value: '', ...hidden },
    });
    expect(Object.prototype.toString.call(new Suppressed(1, 2))).toBe('[object Error]');
  });

  test('a `new.target` without a prototype gives an instance of the class', () => {
    const target = Object.assign(function Target() {}, { prototype: null });
    const made: unknown = Reflect.construct(Suppressed, [1, 2], target);
    expect(Object.getPrototypeOf(made)).toBe(Suppressed.prototype);
  });
});
