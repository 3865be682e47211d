/**
 * Weak references: helpers after Python's `weakref` and `java.lang.ref`, on the real objects of the program.
 *
 * - References: `ref`, `weakMethod`, `weakListener`, `PhantomReference` with its `ReferenceQueue`.
 * - Clean-up after an object: `finalize`, `Cleaner`, `keepAlive`; `wasCollected` proves in a test that it can happen.
 * - Collections: `WeakValueMap`, `SoftValueMap`, `IterableWeakMap`, `IterableWeakSet`, `interner`.
 *
 * @example
 * ```ts
 * import { finalize, ref, WeakValueMap } from 'tenure/weak';
 *
 * const image = { name: 'logo.png' };
 * ref(image).deref()?.name; // => 'logo.png'
 * finalize(image, (name) => console.log(`${name} is gone`), image.name).detach()?.args; // => ['logo.png']
 * new WeakValueMap([['logo', image]]).size; // => 1
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
export { type GcSource, NoCollectorError } from '../core/gc-source.js';
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
  PhantomReference,
  ReferenceQueue,
  type TagArgument,
  type TakeOptions,
} from '../core/reference-queue.js';
export { type Cleanable, Cleaner, type CleanerOptions } from './cleaner.js';
export { type Finalizer, type FinalizerCall, finalize } from './finalize.js';
export { interner } from './interner.js';
export { IterableWeakMap } from './iterable-weak-map.js';
export { IterableWeakSet } from './iterable-weak-set.js';
export { keepAlive } from './keep-alive.js';
export { type Ref, ref, refsOf } from './ref.js';
export type { SetLike } from './set-like.js';
export { SoftValueMap } from './soft-value-map.js';
export { type WasCollectedOptions, wasCollected } from './was-collected.js';
export type {
  SoftValueMapOptions,
  WeakCollectionOptions,
  WeakValueMapOptions,
} from './weak-collection-options.js';
export type { WeakCollectionStats } from './weak-key-table.js';
export { type EventEmitterLike, type EventTargetLike, weakListener } from './weak-listener.js';
export { type MethodKeyOf, type WeakMethod, weakMethod } from './weak-method.js';
export { WeakValueMap, type WeakValueMapStats } from './weak-value-map.js';
