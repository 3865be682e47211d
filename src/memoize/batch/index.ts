/**
 * Loads of many argument lists by one call.
 *
 * @module
 */
export { type BatchedOptions, batched, type LoadMany } from './batched.js';
