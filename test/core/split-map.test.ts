import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { SplitMap } from '../../src/core/split-map.js';

/** Spreads small numbers over all hashes. */
const spread = (key: number): number => Math.imul(key, 0x9e3779b1) >>> 1;

test('behaves like a Map under any sequence of operations, across splits', () => {
  const operation = fc.record({ key: fc.nat(6_000), kind: fc.constantFrom('set', 'set', 'take') });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), fc.nat(5_000), (operations, filled) => {
      const map = new SplitMap<number, number>(spread);
      const model = new Map<number, number>();
      const set = (key: number, value: number): void => {
        map.set(key, value);
        model.set(key, value);
      };
      for (let key = 0; key < filled; key++) set(key, -key);
      for (const [value, { key, kind }] of operations.entries()) {
        if (kind === 'set') set(key, value);
        else {
          expect(map.take(key)).toBe(model.get(key));
          model.delete(key);
        }
        expect(map.get(key)).toBe(model.get(key));
        expect(map.size).toBe(model.size);
      }
      for (const [key, value] of model) expect(map.take(key)).toBe(value);
      expect(map.size).toBe(0);
    }),
    { numRuns: 30 },
  );
});

test('keys with one hash are told apart', () => {
  const map = new SplitMap<string, number>(() => 7);
  for (let i = 0; i < 5_000; i++) map.set(`key ${i}`, i);
  expect(map.size).toBe(5_000);
  expect([map.get('key 0'), map.get('key 4999'), map.get('key 5000')]).toEqual([
    0,
    4_999,
    undefined,
  ]);
});

test('no operation moves more than some thousand keys', () => {
  const map = new SplitMap<number, number>(spread);
  using sets = vi.spyOn(Map.prototype, 'set');
  let most = 0;
  for (let key = 0; key < 200_000; key++) {
    sets.mockClear();
    map.set(key, key);
    most = Math.max(most, sets.mock.calls.length);
  }
  expect(most).toBeGreaterThan(100); // A split moves keys, and the spy sees it.
  expect(most).toBeLessThan(3_000);
});
