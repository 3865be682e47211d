/**
 * Set-up and tear-down in one place.
 *
 * - Stacks of disposables.
 * - Context managers out of generators.
 * - `closing` for values that have a `close` method but are not disposable.
 * - `RefCounted` for values that are shared by count.
 *
 * @example
 * ```ts
 * import { contextManager, DisposableStack } from 'tenure/scope';
 *
 * const log: string[] = [];
 * const opened = contextManager(function* (name: string) {
 *   log.push(`open ${name}`);
 *   try {
 *     yield name;
 *   } finally {
 *     log.push(`close ${name}`);
 *   }
 * });
 * {
 *   using stack = new DisposableStack();
 *   for (const name of ['a', 'b']) stack.use(opened(name));
 * }
 * log; // => ['open a', 'open b', 'close b', 'close a']
 * ```
 *
 * @module
 */
export type { Clock, TimerHandle } from '../core/clock.js';
export {
  AlreadyWatchedError,
  InvalidArgumentError,
  TenureError,
  type TenureErrorOptions,
} from '../core/errors.js';
export {
  type ComponentStats,
  type EntryPoint,
  type NodeId,
  type NodeKind,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../core/probe.js';
export { asyncContextManager } from './async-context-manager.js';
export { AsyncDisposableStack } from './async-disposable-stack.js';
export type { AsyncManagedContext } from './async-managed-context.js';
export { type Closable, type Closing, closing, type MethodName } from './closing.js';
export { ContextEndedError, NeverYieldedError, YieldedTwiceError } from './context-errors.js';
export { contextManager } from './context-manager.js';
export { DisposableStack } from './disposable-stack.js';
export type { ManagedContext, RunOutcome } from './managed-context.js';
export { RefCounted } from './ref-counted.js';
export {
  RefCountedClosedError,
  RefCountedMapFullError,
  RefCountedReentrantError,
} from './ref-counted-errors.js';
export { RefCountedMap } from './ref-counted-map.js';
export type {
  AcquireOptions,
  EndOptions,
  RefCountedMapOptions,
  RefCountedOptions,
  SharedOptions,
} from './ref-counted-options.js';
export type { ValueContext } from './shared-cell.js';
export type { SharedLease } from './shared-lease.js';
export { SuppressedError } from './suppressed-error.js';
