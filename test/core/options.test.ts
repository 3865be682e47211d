import { expect, test } from 'vitest';
import { InvalidArgumentError } from '../../src/core/errors.js';
import {
  aBoolean,
  aFunction,
  aName,
  anAbortSignal,
  checkArgument,
  checkOptions,
  integer,
  millis,
  numberAtLeast,
  type OptionCheck,
  type OptionTable,
  objectWith,
  oneOf,
  option,
  optional,
  resolveOptions,
} from '../../src/core/options.js';

interface Options {
  readonly max?: number;
  readonly name?: string;
}

const check = (options: unknown): void =>
  void checkOptions<Options>('createThing', options, { max: integer(1), name: aName });

test('known and well-formed options pass; an undefined option counts as absent', () => {
  check({});
  check({ max: 1, name: 'a' });
  check({ max: undefined });
});

test.each([
  [{ mx: 1 }, 'createThing: unknown option `mx`. Known options: max, name.'],
  [{ toString: 1 }, 'createThing: unknown option `toString`.'],
  [{ max: 0 }, 'createThing: `max` must be an integer ≥ 1, got 0.'],
  [{ max: '5' }, 'createThing: `max` must be an integer ≥ 1, got "5".'],
  [{ max: null }, 'createThing: `max` must be an integer ≥ 1, got null.'],
  [{ name: '' }, 'createThing: `name` must be a non-empty string, got "".'],
  [{ name: [] }, 'got an array.'],
  [{ name: () => {} }, 'got a function.'],
  [{ name: {} }, 'got an object.'],
  [null, 'createThing: options must be a plain object, got null.'],
  ['max', 'createThing: options must be a plain object, got "max".'],
])('an error names the wrong option: %j', (options, message) => {
  expect(() => check(options)).toThrow(message);
  expect(() => check(options)).toThrow(InvalidArgumentError);
  expect(() => check(options)).toThrow(TypeError);
});

test.each<[string, OptionCheck, unknown[], unknown[]]>([
  ['integer', integer(0, 9), [0, 9], [-1, 10, 0.5, Number.NaN, '3', 2n]],
  ['numberAtLeast', numberAtLeast(0.5), [0.5, Number.POSITIVE_INFINITY], [0.4, Number.NaN, '1']],
  ['millis', millis, [0, 1.5, Number.POSITIVE_INFINITY], [-1, Number.NaN, '1']],
  ['aFunction', aFunction, [() => {}, class {}], [{}, null]],
  ['aBoolean', aBoolean, [true, false], [0, 'true', null]],
  ['aName', aName, ['a'], ['', 1]],
  ['oneOf', oneOf('a', 'b'), ['a', 'b'], ['c', 1]],
  [
    'objectWith',
    objectWith('now'),
    [{ now: () => 1 }, Date],
    [{}, () => 1, { now: 1 }, null, 'now'],
  ],
  ['anAbortSignal', anAbortSignal, [new AbortController().signal], [{}, null, 'signal']],
])('%s accepts and refuses', (_name, ofCheck, good, bad) => {
  for (const value of good) expect(ofCheck(value), String(value)).toBeUndefined();
  for (const value of bad) expect(ofCheck(value), String(value)).toEqual(expect.any(String));
});

test('an error names the wrong argument', () => {
  expect(() => checkArgument('pool.use', 'fn', 1, aFunction)).toThrow(
    'pool.use: `fn` must be a function, got 1.',
  );
});

test('one row per option gives its check and its default', () => {
  const table: OptionTable<{ max: number; name: string | undefined }> = {
    max: option(integer(1), 10),
    name: optional(aName),
  };
  expect(resolveOptions('make', {}, table)).toEqual({ max: 10, name: undefined });
  expect(resolveOptions('make', { max: 2, name: undefined }, table)).toEqual({ max: 2 });
  expect(() => resolveOptions('make', { max: 0 }, table)).toThrow(
    'make: `max` must be an integer ≥ 1',
  );
  expect(() => resolveOptions('make', { maxx: 1 }, table)).toThrow('Known options: max, name.');
  expect(() => resolveOptions('make', null, table)).toThrow('make: options must be a plain object');
});
