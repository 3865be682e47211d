/**
 * Dumps of a cache: its results as plain records, for the next process.
 *
 * @module
 */
export { type DumpedArgs, type DumpedEntry, dump, restore } from './dump.js';
