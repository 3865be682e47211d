/**
 * Memory profiles: who holds what, in a table as Heapy prints it.
 *
 * @module
 */
export { InvalidArgumentError, TenureError, type TenureErrorOptions } from '../core/errors.js';
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
export { profileMemory } from './measure/profile-memory.js';
