/**
 * Set-up and tear-down in one place.
 *
 * - Stacks of disposables, and `runWith` and `RunStack`, whose members see the error of the block.
 * - Context managers out of generators, `suppress` and `nullContext`.
 * - `closing` for values that have a `close` method but are not disposable.
 * - `RefCounted` and `RefCountedMap` for values that are shared by count.
 * - `MutableDisposable` and `DisposableMap` for values that are replaced.
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
  type LoanCounts,
  type NodeId,
  type NodeKind,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../core/probe.js';
export {
  type AsyncContextManager,
  type AsyncFunction,
  asyncContextManager,
} from './async-context-manager.js';
export { AsyncDisposableStack } from './async-disposable-stack.js';
export type { AsyncManagedContext } from './async-managed-context.js';
export { AsyncRunStack, runWithAsync } from './async-run-stack.js';
export { type Closable, type Closing, closing, type MethodName } from './closing.js';
export { ContextEndedError, NeverYieldedError, YieldedTwiceError } from './context-errors.js';
export { type ContextManager, contextManager } from './context-manager.js';
export { DisposableMap } from './disposable-map.js';
export { DisposableStack } from './disposable-stack.js';
export type { AsyncEnterable, Enterable } from './enterable.js';
export type { EnteringContext } from './entering-context.js';
export type { ManagedContext } from './managed-context.js';
export { MutableDisposable } from './mutable-disposable.js';
export { RefCounted } from './ref-counted.js';
export {
  RefCountedClosedError,
  RefCountedMapFullError,
  RefCountedReentrantError,
  RefCountedTimeoutError,
} from './ref-counted-errors.js';
export { RefCountedMap } from './ref-counted-map.js';
export type {
  AcquireOptions,
  EndOptions,
  RefCountedMapOptions,
  RefCountedOptions,
  SharedOptions,
} from './ref-counted-options.js';
export type { BlockOutcome, Failure, OutcomeOf, RunOutcome } from './run-block.js';
export { RunStack, runWith } from './run-stack.js';
export { type ScopeResources, scopeResources } from './scope-watch.js';
export type { ValueContext } from './shared-cell.js';
export type { SharedLease } from './shared-lease.js';
export { type ErrorClass, nullContext, type Suppression, suppress } from './suppress.js';
export { SuppressedError } from './suppressed-error.js';
export type { AnyFunction } from './wrapped-function.js';
