/**
 * Memory profiles: which line retains memory, which line took what is out, and how many objects of which kind a heap has.
 *
 * @example
 * ```ts
 * import { profileMemory } from 'tenure/profile';
 *
 * const { result, report } = await profileMemory('sum', () => 1 + 2, { gc: false });
 * result; // => 3
 * report.leaks; // => []
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
export { type GcSource, NoCollectorError } from '../core/gc-source.js';
export type { HostMemoryUsage } from '../core/host.js';
export {
  type ComponentStats,
  type EntryPoint,
  type KnownCaller,
  type LoanCounts,
  type Misuse,
  type NodeId,
  type NodeKind,
  type Observation,
  type Observer,
  type Origin,
  observe,
  type Watchable,
} from '../core/probe.js';
export type { HeapExportSource } from '../gc/export/export-heap.js';
export type { Handle } from '../gc/memory/handle.js';
export type { GraphColumns } from '../gc/views/dominator-tree.js';
export type { RetainedSize } from '../gc/views/dominators.js';
export { Census, type CensusFormat, type CensusOptions, census } from './census/census.js';
export { DominatorTree } from './census/census-dominators.js';
export type { CensusBy } from './census/classify.js';
export type { SimulatedHeap, SiteOf } from './census/heap-columns.js';
export type { CensusRow, CensusTotal } from './census/partition.js';
export type { CensusPath, CensusStep } from './census/root-paths.js';
export type { CensusColumns, CensusSource, ColumnStep } from './census-source.js';
export type { Growth } from './measure/growth.js';
export { markMemory } from './measure/mark-memory.js';
export type { MemoryProfile } from './measure/memory-profile.js';
export { MemoryReport, type WarmUp } from './measure/memory-report.js';
export { parseMemorySamples, type RecordedSample } from './measure/memory-samples.js';
export type { MemorySource, MemoryUsage } from './measure/memory-source.js';
export { type PlotOptions, plotMemory } from './measure/plot-memory.js';
export { type ProfileResult, profileMemory } from './measure/profile-memory.js';
export type { MeasureOptions, ProfileOptions } from './measure/profile-options.js';
export {
  type AsyncMethod,
  type ProfiledDecorator,
  type ProfiledOptions,
  profiled,
  profileOf,
} from './measure/profiled.js';
export { MemoryRecording, type RecordOptions, recordMemory } from './measure/record-memory.js';
export type { MemoryRow } from './measure/row-table.js';
export type { MemorySample } from './measure/timeline.js';
export { NoMemoryFiguresError } from './profile-errors.js';
export type { BytesByKind } from './tracer/component-tracer.js';
export type { Statistic, StatisticDiff, TraceGrouping } from './tracer/statistics.js';
export type { Trace, TraceFrame } from './tracer/trace.js';
export type { TraceFilter } from './tracer/trace-filter.js';
export { TraceSnapshot } from './tracer/trace-snapshot.js';
export { NotTracingError, Tracer, type TraceWatchOptions } from './tracer/tracer.js';
export type { TracedMemory } from './tracer/traces.js';
