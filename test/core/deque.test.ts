import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deque } from '../../src/core/deque.js';
import { collectGarbage } from '../kit/collect-garbage.js';

test('behaves like an array under any sequence of operations, across growth and wrap-around', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.nat(), fc.constantFrom('pop', 'shift')), { maxLength: 300 }),
      (steps) => {
        const deque = new Deque<number>();
        const model: number[] = [];
        for (const step of steps) {
          if (step === 'pop') expect(deque.pop()).toBe(model.pop());
          else if (step === 'shift') expect(deque.shift()).toBe(model.shift());
          else {
            deque.push(step as number);
            model.push(step as number);
          }
          expect(deque.length).toBe(model.length);
          expect(deque.first()).toBe(model[0]);
        }
        expect([...deque]).toEqual(model);
      },
    ),
  );
});

test('keeps no removed item alive', async () => {
  const deque = new Deque<object>();
  const refs = (() => {
    deque.push({});
    deque.push({});
    return [new WeakRef(deque.shift() as object), new WeakRef(deque.pop() as object)];
  })();
  await collectGarbage();
  expect(refs.map((ref) => ref.deref())).toEqual([undefined, undefined]);
  expect(deque.length).toBe(0);
});
