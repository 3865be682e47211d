/**
 * What needs Node: scopes of resources that travel in the async context, scopes for HTTP requests, and the watch over pools of other
 * packages.
 *
 * @example
 * ```ts
 * import { ResourceScope } from 'tenure/node';
 *
 * const log: string[] = [];
 * await ResourceScope.run('job', async (scope) => {
 *   scope.defer(() => log.push('released'));
 *   log.push('working');
 * });
 * log; // => ['working', 'released']
 * ```
 *
 * @module
 */
export {
  AlreadyWatchedError,
  InvalidArgumentError,
  TenureError,
  type TenureErrorOptions,
} from '../core/errors.js';
export { ContextEndedError } from '../scope/context-errors.js';
export type { AsyncEnterable, Enterable } from '../scope/enterable.js';
export type { Failure } from '../scope/run-block.js';
export type { PeerName } from './foreign-pools/peer-package.js';
export type { PatchedPackage } from './foreign-pools/peer-packages.js';
export {
  type ForeignPoolOptions,
  type ForeignPoolsWatch,
  watchForeignPools,
} from './foreign-pools/watch-foreign-pools.js';
export { type HttpScopeOptions, httpScopes, type ScopeOpener } from './http-scopes.js';
export { ResourceScope, type ResourceScopeOptions, type ScopeWatcher } from './resource-scope.js';
