import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { guardedCall } from '../../src/core/guarded-call.js';
import { settle } from '../kit/settle.js';

let printed: MockInstance<typeof console.error>;

beforeEach(() => {
  printed = vi.spyOn(console, 'error').mockImplementation(() => {});
});

afterEach(() => {
  printed.mockRestore();
});

const error = new Error('broken');
const broken = (): never => {
  throw error;
};

test('a call gives what it returns', () => {
  expect(guardedCall('here', () => 5)).toBe(5);
  expect(printed).not.toHaveBeenCalled();
});

test.each<[string, () => unknown]>([
  ['that throws', broken],
  ['that rejects', async () => broken()],
  // biome-ignore lint/suspicious/noThenProperty: this is a thenable that throws when it is subscribed to.
  ['that returns a broken thenable', () => ({ then: broken })],
  [
    'that returns an object whose properties throw',
    () => new Proxy({}, { get: (_, key) => (key === 'then' ? broken() : undefined) }),
  ],
])('a call %s is printed with the place, once, and throws nothing', async (_, call) => {
  guardedCall('the place', call);
  await settle();
  expect(printed).toHaveBeenCalledTimes(1);
  expect(String(printed.mock.calls[0]?.[0])).toContain('the place');
  expect(printed.mock.calls[0]).toContain(error);
});
