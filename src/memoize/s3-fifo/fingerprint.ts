/**
 * Fingerprints of keys: 32 bits in place of a key, so that the ghost queue can remember keys that have left the cache.
 *
 * Within a process a key always has one fingerprint, even when its level in the key trie is removed and added again. Two keys
 * may have one fingerprint in common, so a user of fingerprints must tolerate a false match. An object is represented by a
 * number, which is dropped when the object is collected.
 */
import { KeyLevel } from '../keys/key-level.js';
import type { Key } from '../keys/key-trie.js';

/** 2^32 divided by the golden ratio (Fibonacci hashing). It maps consecutive numbers to distant ones. */
const GOLDEN = 0x9e3779b1;

const double = new DataView(new ArrayBuffer(8));
const identities = new WeakMap<WeakKey, number>();
let nextIdentity = 1;

/** The fingerprint of a key. O(1) for each argument, O(length) for a string. */
export function fingerprint(key: Key): number {
  if (!(key instanceof KeyLevel)) return ofEdge(key);
  let mixed = 0;
  for (let level = key; level.parent !== undefined; level = level.parent) {
    mixed = mix(mixed ^ ofEdge(level.edge));
  }
  return mix(mixed + 1);
}

function ofEdge(edge: unknown): number {
  if (typeof edge === 'string') return ofString(edge, 1);
  if (typeof edge === 'number') return ofNumber(edge);
  if (typeof edge === 'object' && edge !== null)
    return ofObject((edge as WeakRef<WeakKey>).deref());
  return ofString(typeof edge === 'symbol' ? (edge.description ?? '') : String(edge), 2);
}

function ofString(text: string, seed: number): number {
  let mixed = seed;
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), 0x01000193);
  return mix(mixed);
}

function ofNumber(number: number): number {
  const integer = number | 0;
  if (integer === number) return mix(integer);
  double.setFloat64(0, number);
  return mix(double.getInt32(0) ^ Math.imul(double.getInt32(4), GOLDEN));
}

/** The hash of an object's number. A collected object is never asked for again, so any number does for it. */
function ofObject(object: WeakKey | undefined): number {
  if (object === undefined) return 0;
  let identity = identities.get(object);
  if (identity === undefined) {
    identity = nextIdentity++;
    identities.set(object, identity);
  }
  return mix(~identity);
}

/** The finalizer of MurmurHash3: every bit of the input can change every bit of the result. */
function mix(bits: number): number {
  let mixed = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
