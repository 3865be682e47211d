/**
 * A cache that several processes share, over a store, a bus and a lock. `tenure/integrations/redis` has a bus and a lock for
 * Redis.
 *
 * @module
 */
export type { ClusterLease, ClusterLock, LockRequest } from '../cluster-lock.js';
export type { BusListener, InvalidationBus } from '../invalidation-bus.js';
export type { SharedCache, SharedState } from '../shared-port.js';
export type { SharedStore } from '../shared-store.js';
export { type SharedCacheOptions, sharedCache } from './shared-cache.js';
export { SharedLoadError } from './shared-load-error.js';
export { SharedStoreError } from './shared-store-error.js';
