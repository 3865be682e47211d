import { expect, test } from 'vitest';
import { memoryview } from '../../src/view/index.js';

const bits = memoryview(new Uint16Array(1));
const shorts = bits.cast('H');
const halves = bits.cast('e');

/** Gives the half float of 16 bits. */
function halfOf(pattern: number): number {
  shorts.set(0, pattern);
  return halves.at(0);
}

/** Gives the 16 bits that a number is stored as. */
function storedBits(value: number): number {
  halves.set(0, value);
  return shorts.at(0);
}

const INFINITE = 0x7c00;

test('every half float is read and stored unchanged', () => {
  const changed: number[] = [];
  for (let pattern = 0; pattern < 2 ** 16; pattern++) {
    const value = halfOf(pattern);
    const isNumber = (pattern & 0x7fff) <= INFINITE;
    if (isNumber === Number.isNaN(value)) changed.push(pattern);
    if (isNumber && storedBits(value) !== pattern) changed.push(pattern);
  }
  expect(changed).toEqual([]);
  const values = [0x3c00, 0xc000, 0x0001, 0x7bff].map(halfOf);
  expect(values).toEqual([1, -2, 2 ** -24, 65_504]);
});

test('a number between two half floats is stored as the nearer, and as the even one of two', () => {
  const wrong: (readonly number[])[] = [];
  for (let pattern = 0; pattern < INFINITE - 1; pattern++) {
    const [low, high] = [halfOf(pattern), halfOf(pattern + 1)];
    const middle = (low + high) / 2;
    const quarter = (high - low) / 4;
    const even = pattern % 2 === 0 ? pattern : pattern + 1;
    const stored = [middle - quarter, middle, middle + quarter, -middle].map(storedBits);
    if (String(stored) !== String([pattern, even, pattern + 1, even | 0x8000])) wrong.push(stored);
  }
  expect(wrong).toEqual([]);
});
