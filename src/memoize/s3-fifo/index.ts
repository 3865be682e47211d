/**
 * The eviction policy S3-FIFO.
 *
 * @module
 */
export type { EvictionPolicy } from '../eviction-policy.js';
export { s3fifo } from './s3-fifo.js';
