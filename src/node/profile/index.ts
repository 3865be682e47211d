/**
 * Memory profiles of V8's own heap: snapshots, counted with the census of `tenure/profile`, and sampled allocations.
 *
 * @example
 * ```ts
 * import { sample } from 'tenure/profile/v8';
 *
 * const sampling = sample({ intervalBytes: 4096, live: false });
 * for (let i = 0; i < 1000; i++) JSON.parse('[1,2,3,4,5,6,7,8]');
 * const profile = await sampling.stop();
 * profile.source.startsWith('allocated, dead or alive; sampled every 4 KiB'); // => true
 * ```
 *
 * @module
 */
export type { Clock, TimerHandle } from '../../core/clock.js';
export { InvalidArgumentError, TenureError, type TenureErrorOptions } from '../../core/errors.js';
export type { GraphColumns } from '../../gc/views/dominator-tree.js';
export type { CensusColumns, CensusSource, ColumnStep } from '../../profile/census-source.js';
export type { LeakReport } from '../../watchdog/leak-report.js';
export type { LostBytes } from './lost-bytes.js';
export { memoryFile } from './memory-file.js';
export {
  BadSnapshotError,
  ProfileTooLargeError,
  SamplingError,
  SnapshotChangedError,
  SnapshotNotWrittenError,
} from './profile-errors.js';
export {
  AllocationProfile,
  type FunctionRow,
  type ProfileTextFormat,
} from './sampling/allocation-profile.js';
export type { ProfiledFunction } from './sampling/call-tree.js';
export { type SampleOptions, type Sampling, sample } from './sampling/sample.js';
export {
  type HolderCount,
  type SideBySide,
  type SideBySideOptions,
  type SideBySideRow,
  sideBySide,
} from './side-by-side.js';
export type { ScriptNames, SnapshotLocation } from './snapshot/location-table.js';
export { type OpenSnapshotOptions, openSnapshot } from './snapshot/open-snapshot.js';
export { estimateSnapshot, type SnapshotEstimate } from './snapshot/snapshot-estimate.js';
export {
  type SnapshotInfo,
  type TakeSnapshotOptions,
  takeSnapshot,
} from './snapshot/take-snapshot.js';
export { type SnapshotEdge, type SnapshotStep, V8Snapshot } from './snapshot/v8-snapshot.js';
