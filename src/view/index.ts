/**
 * Views of memory that copy nothing, after Python's memoryview, and a pool of buffers.
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
export type { BufferLease } from './buffer-lease.js';
export { BufferPool, type BufferPoolOptions } from './buffer-pool.js';
export type { BufferPoolStats } from './buffer-stock.js';
export type { BytesPlace, BytesSource, CountingSource } from './byte-source.js';
export type { ItemList } from './compare-items.js';
export type { ByteOrder } from './copy-items.js';
export { Exporter, type ExporterOptions } from './exporter.js';
export type { Format, Item, NativeFormat, NativeItem } from './format.js';
export type { AnyItem } from './item.js';
export { MemoryView } from './memory-view.js';
export { memoryview } from './memoryview.js';
export type { ClassesPerDoubling } from './size-classes.js';
export {
  ReadonlyViewError,
  ViewDetachedError,
  ViewError,
  ViewExportedError,
  ViewFormatError,
  ViewRangeError,
  ViewReleasedError,
  ViewStructureError,
} from './view-errors.js';
export type { ViewIterator } from './view-iterator.js';
