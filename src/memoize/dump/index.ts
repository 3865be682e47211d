/**
 * Dumps of a cache: its results as plain records, which another process can restore.
 *
 * @module
 */
export type { EncodedPrimitive, EncodedSpecial } from '../keys/encoded-args.js';
export { type DumpedEntry, dump, restore } from './dump.js';
