import { expect, test } from 'vitest';
import { hashOf } from '../../src/memoize/keys/key-hash.js';
import { type KeyRef, KeyTrie, refOf } from '../../src/memoize/keys/key-trie.js';

const KEYS = 16_384;
const PARTS = 64;

function list(keyOf: (i: number) => KeyRef): KeyRef[] {
  return Array.from({ length: KEYS }, (_, i) => keyOf(i));
}

function levels(argOf: (i: number) => unknown): KeyRef[] {
  const trie = new KeyTrie();
  return list((i) => refOf(trie.intern(undefined, [argOf(i), 'page']) as never));
}

test.each<[string, KeyRef[]]>([
  ['small integers', list((i) => i)],
  ['every thousandth integer', list((i) => i * 1_000)],
  ['times in milliseconds', list((i) => 1_700_000_000_000 + i)],
  ['fractions', list((i) => i / 7)],
  ['big integers', list((i) => BigInt(i) * 2n ** 40n)],
  ['names with a number at the end', list((i) => `user:${i}`)],
  ['names with a number in front', list((i) => `${i}/orders`)],
  ['long names', list((i) => `${'x'.repeat(50)}${i}${'y'.repeat(50)}`)],
  ['argument lists', levels((i) => i)],
  ['argument lists with an object', levels((i) => ({ i }))],
])('the hashes of %s are spread over the parts of a map', (_, keys) => {
  const counts = new Array<number>(PARTS).fill(0);
  const hashes = keys.map(hashOf);
  expect(hashes.every((hash) => Number.isInteger(hash) && hash >= 0 && hash < 2 ** 31)).toBe(true);
  for (const hash of hashes) counts[hash % PARTS] = (counts[hash % PARTS] as number) + 1;
  expect(Math.max(...counts)).toBeLessThan((3 * KEYS) / PARTS);
});

test('equal keys have equal hashes', () => {
  const joined = ['user', '7'].join(':');
  expect(hashOf(joined)).toBe(hashOf('user:7'));
  expect(hashOf(-0)).toBe(hashOf(0));
  expect(hashOf(Number.NaN)).toBe(hashOf(0 / 0));
  expect(hashOf(10n ** 30n)).toBe(hashOf(10n ** 15n * 10n ** 15n));
  const symbol = Symbol('key');
  expect(hashOf(symbol)).toBe(hashOf(symbol));
  const level = new KeyTrie().intern(undefined, [1, 2]) as KeyRef;
  expect(hashOf(level)).toBe(hashOf(level));
});
