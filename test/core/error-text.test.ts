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

test('an error without a message is told by the errors that it has, or by its code: TimelordUK/jspurefix#182', () => {
  const refused = ['::1', '127.0.0.1'].map(
    (host) => new Error(`connect ECONNREFUSED ${host}:5432`),
  );
  const code = 'ECONNREFUSED';
  const both = 'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432';
  const ofConnect = Object.assign(new AggregateError(refused), { code });
  expect(errorText(ofConnect)).toBe(`AggregateError: ${both}`);
  expect(errorText(new AggregateError([ofConnect, 'x', new Error('x')]))).toBe(
    `AggregateError: ${code}; x`,
  );
  expect(errorText(Object.assign(new Error(), { code }))).toBe(`Error: ${code}`);
  expect(errorText(new AggregateError([]))).toBe('AggregateError');
  const circle = new AggregateError([]);
  circle.errors.push(circle);
  expect(errorText(circle)).toBe('AggregateError');
});

test('an object that is no error is told by its message or its code: Vizzuality/node-varnish#9', () => {
  expect(errorText({ code: 'ABORT_RECONNECT', message: 'too many attempts' })).toBe(
    'too many attempts',
  );
  expect(errorText({ code: 40 })).toBe('40');
  expect(errorText({ reason: 'x' })).toBe('[object Object]');
  expect(errorText(new AggregateError([{ message: 'no' }]))).toBe('AggregateError: no');
});
