import { expect, test } from 'vitest';
import { errorText } from '../../src/core/error-text.js';

test('gives name and message of an error, and the text of another value, without secrets', () => {
  expect(errorText(new TypeError('no'))).toBe('TypeError: no');
  expect(errorText('postgres://me:hidden@host')).toBe('postgres://me:***@host');
  expect([undefined, null, 5n, Symbol('s')].map(errorText)).toEqual([
    'undefined',
    'null',
    '5',
    'Symbol(s)',
  ]);
});

test('gives a text for values that throw when they are printed', () => {
  const thrower = new Proxy(new Error('x'), {
    get: () => {
      throw new Error('no');
    },
  });
  for (const value of [Object.create(null), thrower]) {
    expect(errorText(value)).toBe('an error without a text');
  }
});
