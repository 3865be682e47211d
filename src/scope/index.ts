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
export { InvalidArgumentError, TenureError, type TenureErrorOptions } from '../core/errors.js';
export { asyncContextManager } from './async-context-manager.js';
export { AsyncDisposableStack } from './async-disposable-stack.js';
export type { AsyncManagedContext } from './async-managed-context.js';
export { type Closable, type Closing, closing, type MethodName } from './closing.js';
export { ContextEndedError, NeverYieldedError, YieldedTwiceError } from './context-errors.js';
export { contextManager } from './context-manager.js';
export { DisposableStack } from './disposable-stack.js';
export type { ManagedContext, RunOutcome } from './managed-context.js';
export { RefCounted, type RefCountedOptions } from './ref-counted.js';
export type { SharedLease } from './shared-value.js';
export { SuppressedError } from './suppressed-error.js';
