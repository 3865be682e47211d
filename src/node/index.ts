/**
 * What needs Node: scopes of resources that travel in the async context.
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
export { InvalidArgumentError, TenureError, type TenureErrorOptions } from '../core/errors.js';
export { ContextEndedError } from '../scope/context-errors.js';
export type { AsyncEnterable, Enterable } from '../scope/enterable.js';
export type { Failure } from '../scope/run-block.js';
export { ResourceScope, type ResourceScopeOptions, type ScopeWatcher } from './resource-scope.js';
