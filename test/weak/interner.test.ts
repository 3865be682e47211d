import { expect, test } from 'vitest';
import { InvalidArgumentError, interner, wasCollected } from '../../src/weak/index.js';
import { collectGarbage } from '../kit/collect-garbage.js';

interface Point {
  readonly x: number;
  readonly y: number;
}

const point = interner(({ x, y }: Point) => `${x},${y}`);

test('equal values give one object', () => {
  const first = point({ x: 1, y: 2 });
  expect(point({ x: 1, y: 2 })).toBe(first);
  expect(point({ x: 2, y: 1 })).not.toBe(first);
});

test('an object is kept while other code holds it, and collected after that', async () => {
  const kept = point({ x: 3, y: 3 });
  await collectGarbage();
  expect(point({ x: 3, y: 3 })).toBe(kept);
  expect(await wasCollected(() => point({ x: 4, y: 4 }))).toBe(true);
  const again = { x: 4, y: 4 };
  expect(point(again)).toBe(again);
});

test('what key throws reaches the caller, and wrong arguments are refused', () => {
  const broken = interner(() => {
    throw new Error('no key');
  });
  expect(() => broken({})).toThrow('no key');
  expect(() => interner('id' as never)).toThrow(InvalidArgumentError);
  expect(() => interner(() => 1)(7 as never)).toThrow(InvalidArgumentError);
});
