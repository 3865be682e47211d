/** Compares a WeakValueMap with a Map under any sequence of operations, while its values are held. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { WeakValueMap } from '../../src/weak/index.js';

const values = Array.from({ length: 4 }, (_, number) => ({ number }));

type Operation =
  | { readonly kind: 'set' | 'insert'; readonly key: unknown; readonly value: number }
  | { readonly kind: 'get' | 'has' | 'delete'; readonly key: unknown }
  | { readonly kind: 'clear' };

const key = fc.constantFrom<unknown>('a', 'b', 1, '1', NaN, 0, -0, undefined, null, values[0]);
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('set', 'insert'),
      key,
      value: fc.nat(values.length - 1),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('get', 'has', 'delete'), key }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'clear' } as const) },
);

function apply(
  map: Map<unknown, object> | WeakValueMap<unknown, object>,
  step: Operation,
): unknown {
  switch (step.kind) {
    case 'set':
      return map.set(step.key, values[step.value] as object) === map;
    case 'insert': {
      if (map instanceof WeakValueMap) {
        return map.getOrInsertComputed(step.key, () => values[step.value] as object);
      }
      if (!map.has(step.key)) map.set(step.key, values[step.value] as object);
      return map.get(step.key);
    }
    case 'clear':
      return map.clear();
    default:
      return map[step.kind](step.key);
  }
}

test('gives what a Map gives', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const map = new Map<unknown, object>();
      const weak = new WeakValueMap<unknown, object>();
      for (const step of operations) {
        expect(apply(weak, step)).toBe(apply(map, step));
        expect(weak.size).toBe(map.size);
      }
      expect([...weak]).toEqual([...map]);
      expect([...weak.keys()]).toEqual([...map.keys()]);
      expect([...weak.values()]).toEqual([...map.values()]);
    }),
    { numRuns: 300 },
  );
});

test('a loop over a map that changes meanwhile gives what a loop over a Map gives', () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 20 }),
      fc.array(operation, { maxLength: 20 }),
      (before, during) => {
        const trace = (map: Map<unknown, object> | WeakValueMap<unknown, object>) => {
          for (const step of before) apply(map, step);
          const seen: unknown[] = [];
          const steps = [...during];
          for (const entry of map) {
            seen.push(entry);
            const step = steps.shift();
            if (step !== undefined) apply(map, step);
          }
          return seen;
        };
        expect(trace(new WeakValueMap<unknown, object>())).toEqual(
          trace(new Map<unknown, object>()),
        );
      },
    ),
    { numRuns: 300 },
  );
});
