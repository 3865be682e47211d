import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import {
  AlreadyWatchedError,
  InvalidArgumentError,
  nameErrorClass,
  TenureError,
} from '../../src/core/errors.js';

test('an error has a code, the name of its class and a cause, and the name is no own property', () => {
  const cause = new Error('cause');
  const error = new TenureError('what to do', { code: 'TENURE_X', cause });
  expect(error).toBeInstanceOf(Error);
  expect([error.name, error.code, error.message, error.cause]).toEqual([
    'TenureError',
    'TENURE_X',
    'what to do',
    cause,
  ]);
  expect(Object.keys(error)).toEqual(['code']);
  expect(inspect(error)).toContain('TenureError: what to do');
});

test('an error without a cause has no such property', () => {
  expect('cause' in new TenureError('m', { code: 'TENURE_X' })).toBe(false);
  expect('cause' in new TenureError('m', { code: 'TENURE_X', cause: undefined })).toBe(true);
});

test('a subclass has its own name', () => {
  class Special extends TenureError {
    static {
      nameErrorClass(Special, 'Special');
    }
  }
  expect(new Special('m', { code: 'TENURE_S' }).name).toBe('Special');
  expect(new AlreadyWatchedError('pool "db"')).toMatchObject({
    name: 'AlreadyWatchedError',
    code: 'TENURE_ALREADY_WATCHED',
  });
  expect(new InvalidArgumentError('m')).toMatchObject({
    name: 'InvalidArgumentError',
    code: 'TENURE_INVALID_ARGUMENT',
  });
});
