import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { isError } from '../../src/core/is-error.js';

test('errors of this realm, of another realm and of the DOM are errors', () => {
  class Own extends RangeError {}
  for (const error of [
    new Error('a'),
    new Own('b'),
    new DOMException('c'),
    new AggregateError([]),
  ]) {
    expect(isError(error)).toBe(true);
  }
  expect(isError(runInNewContext('new TypeError("foreign")'))).toBe(true);
  expect(runInNewContext('new TypeError("foreign")') instanceof Error).toBe(false);
});

test('nothing else is an error, not even a proxy that throws', () => {
  for (const value of [undefined, null, 1, 'Error', {}, { message: 'x', stack: 'y' }, () => {}]) {
    expect(isError(value)).toBe(false);
  }
  const broken = () => {
    throw new Error('trap');
  };
  expect(isError(new Proxy({}, { get: broken, getPrototypeOf: broken }))).toBe(false);
});
