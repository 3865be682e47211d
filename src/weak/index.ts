/**
 * Weak references: `ref` and `finalize` after Python's `weakref`, and a map that holds its values weakly.
 *
 * @example
 * ```ts
 * import { finalize, ref, WeakValueMap } from 'tenure/weak';
 *
 * const image = { name: 'logo.png' };
 * ref(image).deref()?.name; // => 'logo.png'
 * finalize(image, (name) => console.log(`${name} is gone`), image.name).detach()?.args; // => ['logo.png']
 * new WeakValueMap<string, object>().set('logo', image).size; // => 1
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
export { type Finalizer, type FinalizerCall, finalize } from './finalize.js';
export { type Ref, ref } from './ref.js';
export { WeakValueMap, type WeakValueMapStats } from './weak-value-map.js';
export type { WeakValueMapOptions } from './weak-value-map-options.js';
