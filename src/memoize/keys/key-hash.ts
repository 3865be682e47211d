/** Hashes of keys, for a map that is split over parts. A hash is a whole number from 0 to 2^31 - 1. */
import { KeyLevel, KeyPath } from './key-level.js';
import type { KeyRef } from './key-trie.js';

/** How many characters of a string are hashed at most, evenly spread over it. */
const MAX_CHARACTERS = 64;

/** The offset and the prime of FNV-1a, a hash by Glenn Fowler, Landon Curt Noll and Kiem-Phong Vo. */
const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Gives the hash of a key. O(1). */
export function hashOf(ref: KeyRef): number {
  if (typeof ref === 'string') return hashOfString(ref);
  if (typeof ref === 'number' && (ref | 0) === ref) return mixed(ref);
  if (ref instanceof KeyLevel || ref instanceof KeyPath) return mixed(ref.serial);
  return hashOfString(typeof ref === 'symbol' ? (ref.description ?? '') : String(ref));
}

function hashOfString(text: string): number {
  const { length } = text;
  const stride = Math.ceil(length / MAX_CHARACTERS) || 1;
  let hash = FNV_OFFSET ^ length;
  for (let i = 0; i < length; i += stride) hash = Math.imul(hash ^ text.charCodeAt(i), FNV_PRIME);
  return mixed(hash);
}

/** Spreads the differences of all bits over the low ones: a multiplication by 2^32 over the golden ratio (Donald E. Knuth). */
function mixed(value: number): number {
  const product = Math.imul(value, 0x9e3779b1);
  return (product ^ (product >>> 15)) & 0x7fffffff;
}
