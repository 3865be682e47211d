/**
 * Disposal of cached results: a result is disposed of when it has left the cache and no caller has a lease on it.
 *
 * @module
 */
export type { SharedLease } from '../../scope/shared-lease.js';
export type { Disposal, DisposeCallback } from '../disposal-port.js';
export type { RemovalCause } from '../stores/store.js';
export { disposal } from './disposal.js';
