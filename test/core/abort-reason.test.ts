import { expect, test } from 'vitest';
import { abortReason } from '../../src/core/abort-reason.js';

test('gives the reason of a signal, whatever it is', () => {
  for (const reason of [new Error('x'), null, 0, '']) {
    expect(abortReason(AbortSignal.abort(reason))).toBe(reason);
  }
});

test('gives an AbortError for a signal without a reason', () => {
  expect(abortReason({ aborted: true } as AbortSignal)).toMatchObject({ name: 'AbortError' });
});

test('gives an AbortError for a signal whose reason throws, with what it throws', () => {
  const cause = new Error('no reason');
  const signal = {
    aborted: true,
    get reason(): unknown {
      throw cause;
    },
  };
  expect(abortReason(signal as AbortSignal)).toMatchObject({ name: 'AbortError', cause });
});
