/** The figures of a simulated heap. */

import { MillisHistogram } from '../core/histogram.js';
import type { CollectorName } from './collector.js';
import { DEFAULT_KIND } from './memory/kind-names.js';

/** What made the last collection run. */
export type LastTrigger = 'none' | 'threshold' | 'explicit';

/** Why the last marking of a `parallel` collector was done by one thread alone; `none` if it was not. */
export type SerialReason = 'none' | 'small-heap' | 'no-threads' | 'threads-late';

/** What a collector has done that others do not do. */
export interface CollectorStats {
  /** Which collector it is. */
  readonly name: CollectorName;
  /** Markings by one thread: all of `mark-sweep`, some of `parallel`. */
  readonly serialMarks: number;
  /** Markings in which other threads took part. */
  readonly parallelMarks: number;
  /** Why the last marking of `parallel` was serial. */
  readonly serialReason: SerialReason;
  /** How long the last marking of `mark-sweep` or `parallel` took, in milliseconds. */
  readonly markMillis: number;
  /** Steps of `incremental`. */
  readonly steps: number;
}

/** What {@link Heap.stats} shows: everything since the heap was made, unless it says otherwise. */
export interface HeapStats {
  /** Nodes allocated. */
  readonly allocated: number;
  /** Nodes that died when their reference count reached 0. */
  readonly freedByRefcount: number;
  /** Nodes that died when a collection broke their cycle. */
  readonly freedByCycle: number;
  /** Nodes that are alive now. */
  readonly live: number;
  /** The most nodes that were alive at once. */
  readonly peakLive: number;
  /** The sizes of the nodes that are alive now, together, in bytes. */
  readonly bytesLive: number;
  /** Nodes that are alive now, by kind. */
  readonly liveByKind: ReadonlyMap<string, number>;
  /** Nodes in generations 0, 1 and 2 now; frozen ones are in none of them. */
  readonly liveByGeneration: readonly [number, number, number];
  /** Nodes that left generation 0, and generation 1, for an older one. */
  readonly promoted: readonly [number, number];
  /** Share (0 to 1) of the examined nodes that survived the last collection of each generation; 1 before the first. */
  readonly survivalRate: readonly [number, number, number];
  /** Survivors of the last full collection, and of collections of generation 1 since. */
  readonly longLived: {
    /** Survivors of the last full collection. */
    readonly total: number;
    /** Nodes that reached generation 2 since. */
    readonly pending: number;
  };
  /** Nodes that collections found but could not free. */
  readonly uncollectable: number;
  /** Nodes in `gc.garbage` now. */
  readonly garbageLength: number;
  /** Finalizers run. */
  readonly finalizersRun: number;
  /** Nodes that a finalizer brought back, and what they hold. */
  readonly resurrections: number;
  /** Callbacks of weak references run. */
  readonly weakCallbacks: number;
  /** Phantom references put in their queues. */
  readonly phantomQueued: number;
  /** Errors thrown by finalizers, callbacks and the trace. */
  readonly unraisable: number;
  /** How long collections, or the steps of incremental ones, stopped the mutator, by the heap's clock. */
  readonly pauses: {
    /** How many there were. */
    readonly count: number;
    /** All together, in milliseconds. */
    readonly totalMillis: number;
    /** What half of them did not exceed, in milliseconds; up to 9 % too high. */
    readonly p50Millis: number;
    /** What 99 in 100 of them did not exceed, in milliseconds; up to 9 % too high. */
    readonly p99Millis: number;
    /** The longest, in milliseconds. */
    readonly maxMillis: number;
  };
  /** What made the last collection run. */
  readonly lastTrigger: LastTrigger;
  /** What the collector has done that others do not do. */
  readonly collector: CollectorStats;
}

/** CPython's statistics of one generation. */
export interface GenerationStats {
  /** How often it was collected. */
  readonly collections: number;
  /** How many nodes its collections freed. */
  readonly collected: number;
  /** How many nodes its collections found but could not free. */
  readonly uncollectable: number;
}

/** The counters behind {@link HeapStats}. */
export class HeapCounters {
  allocated = 0;
  freed = 0;
  freedByCycle = 0;
  bytesLive = 0;
  uncollectable = 0;
  finalizersRun = 0;
  resurrections = 0;
  weakCallbacks = 0;
  unraisable = 0;
  phantomQueued = 0;
  readonly pauses: MillisHistogram = new MillisHistogram();
  lastTrigger: LastTrigger = 'none';
  serialMarks = 0;
  parallelMarks = 0;
  serialReason: SerialReason = 'none';
  markMillis = 0;
  steps = 0;
  /** Live nodes by the number of their kind's name; the nameless ones are the rest. */
  readonly liveByKind: number[] = [0];
  readonly promoted: [number, number] = [0, 0];
  readonly survivalRate: [number, number, number] = [1, 1, 1];
  readonly generations: [GenerationStats, GenerationStats, GenerationStats] = [
    { collections: 0, collected: 0, uncollectable: 0 },
    { collections: 0, collected: 0, uncollectable: 0 },
    { collections: 0, collected: 0, uncollectable: 0 },
  ];

  get live(): number {
    return this.allocated - this.freed;
  }

  recordAllocation(kindId: number, size: number): void {
    this.allocated++;
    if (size !== 0) this.bytesLive += size;
    if (kindId === DEFAULT_KIND) return;
    this.liveByKind[kindId] = ((this.liveByKind[kindId] as number | undefined) ?? 0) + 1;
  }

  recordFree(kindId: number, size: number): void {
    this.freed++;
    this.removeFromLive(kindId, size);
  }

  /** The part of `died` that differs from node to node. */
  removeFromLive(kindId: number, size: number): void {
    if (size !== 0) this.bytesLive -= size;
    if (kindId !== DEFAULT_KIND) this.liveByKind[kindId] = (this.liveByKind[kindId] as number) - 1;
  }

  recordSurvivors(generation: 0 | 1 | 2, examined: number, survivors: number): void {
    this.survivalRate[generation] = examined === 0 ? 1 : survivors / examined;
    if (generation < 2) this.promoted[generation as 0 | 1] += survivors;
  }

  recordCollection(
    generation: 0 | 1 | 2,
    result: { collected: number; uncollectable: number },
  ): void {
    const before = this.generations[generation];
    this.generations[generation] = {
      collections: before.collections + 1,
      collected: before.collected + result.collected,
      uncollectable: before.uncollectable + result.uncollectable,
    };
    this.uncollectable += result.uncollectable;
  }
}
