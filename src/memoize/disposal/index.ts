/**
 * Disposal of cached results: a result is closed when it has left the cache and no caller leases it.
 *
 * @module
 */
export type { SharedLease } from '../../scope/shared-value.js';
export type { Disposal, DisposeCallback } from '../disposal-port.js';
export type { RemovalCause } from '../stores/store.js';
export { disposal } from './disposal.js';
