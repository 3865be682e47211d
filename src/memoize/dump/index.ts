/**
 * Dumps of a cache: its results as plain records, which another process can restore.
 *
 * @module
 */
export { type DumpedArgs, type DumpedEntry, dump, restore } from './dump.js';
