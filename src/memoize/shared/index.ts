/**
 * A cache that processes share, over a store, a bus and a lock. `tenure/integrations/redis` makes the bus and the lock.
 *
 * @module
 */
export type { ClusterLease, ClusterLock } from '../cluster-lock.js';
export type { BusListener, InvalidationBus } from '../invalidation-bus.js';
export type { SharedCache } from '../shared-port.js';
export type { SharedStore } from '../shared-store.js';
export { type SharedCacheOptions, sharedCache } from './shared-cache.js';
export { SharedStoreError } from './shared-store-error.js';
