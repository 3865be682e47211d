/** Figures of a simulated heap. */

import { MillisHistogram } from '../core/histogram.js';
import type { CollectorName } from './collector.js';
import { DEFAULT_KIND } from './memory/kind-names.js';

/** Cause of the last collection. */
export type LastTrigger = 'none' | 'threshold' | 'explicit';

/** Reason why the last marking of a `parallel` collector used one thread; `none` if it used several. */
export type SerialReason = 'none' | 'small-heap' | 'no-threads' | 'threads-late';

/** Figures that only some collectors have. */
export interface CollectorStats {
  /** Name of the collector. */
  readonly name: CollectorName;
  /** Number of markings by one thread: all of `mark-sweep`, some of `parallel`. */
  readonly serialMarks: number;
  /** Number of markings in which other threads took part. */
  readonly parallelMarks: number;
  /** Reason why the last marking of `parallel` was serial. */
  readonly serialReason: SerialReason;
  /** Duration of the last marking of `mark-sweep` or `parallel`, in milliseconds. */
  readonly markMillis: number;
  /** Number of steps of `incremental`. */
  readonly steps: number;
}

/**
 * Result of {@link Heap.stats}. A figure counts from the creation of the heap, unless its description says otherwise.
 */
export interface HeapStats {
  /** Number of nodes allocated. */
  readonly allocated: number;
  /** Number of nodes that died when their reference count reached 0. */
  readonly freedByRefcount: number;
  /** Number of nodes that died when a collection broke their cycle. */
  readonly freedByCycle: number;
  /** Number of live nodes now. */
  readonly live: number;
  /** Maximum number of live nodes at one time. */
  readonly peakLive: number;
  /** Sum of the sizes of the live nodes now, in bytes. */
  readonly bytesLive: number;
  /** Number of live nodes now, by kind. */
  readonly liveByKind: ReadonlyMap<string, number>;
  /** Number of nodes in generations 0, 1 and 2 now. Frozen nodes are in none of them. */
  readonly liveByGeneration: readonly [number, number, number];
  /** Number of nodes that moved from generation 0, and from generation 1, to an older one. */
  readonly promoted: readonly [number, number];
  /** Share (0 to 1) of the examined nodes that survived the last collection of each generation; 1 before the first. */
  readonly survivalRate: readonly [number, number, number];
  /** Survivors of the last full collection, and of collections of generation 1 since. */
  readonly longLived: {
    /** Number of survivors of the last full collection. */
    readonly total: number;
    /** Number of nodes that reached generation 2 since. */
    readonly pending: number;
  };
  /** Number of nodes that collections found but could not free. */
  readonly uncollectable: number;
  /** Number of nodes in `gc.garbage` now. */
  readonly garbageLength: number;
  /** Number of finalizers that ran. */
  readonly finalizersRun: number;
  /** Number of nodes that finalizers resurrected, and of nodes that those reach. */
  readonly resurrections: number;
  /** Number of callbacks of weak references that ran. */
  readonly weakCallbacks: number;
  /** Number of phantom references that were put in their queues. */
  readonly phantomQueued: number;
  /** Number of errors that finalizers, callbacks and the trace threw. */
  readonly unraisable: number;
  /** Pauses of the mutator, by the heap's clock. A pause is a collection, or a step of an incremental one. */
  readonly pauses: {
    /** Number of pauses. */
    readonly count: number;
    /** Sum of all pauses, in milliseconds. */
    readonly totalMillis: number;
    /** Duration that half of the pauses did not exceed, in milliseconds; up to 9 % too high. */
    readonly p50Millis: number;
    /** Duration that 99 % of the pauses did not exceed, in milliseconds; up to 9 % too high. */
    readonly p99Millis: number;
    /** Longest pause, in milliseconds. */
    readonly maxMillis: number;
  };
  /** Cause of the last collection. */
  readonly lastTrigger: LastTrigger;
  /** Figures that only some collectors have. */
  readonly collector: CollectorStats;
}

/** CPython's statistics of one generation. */
export interface GenerationStats {
  /** Number of collections of the generation. */
  readonly collections: number;
  /** Number of nodes that its collections freed. */
  readonly collected: number;
  /** Number of nodes that its collections found but could not free. */
  readonly uncollectable: number;
}

/** Counters behind {@link HeapStats}. */
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
  /** Live nodes by the number of their kind. The entry of the default kind stays 0: it is the rest. */
  readonly liveByKind: (number | undefined)[] = [0];
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
    this.liveByKind[kindId] = (this.liveByKind[kindId] ?? 0) + 1;
  }

  recordFree(kindId: number, size: number): void {
    this.freed++;
    this.removeFromLive(kindId, size);
  }

  /** Removes a node from the figures about live nodes. */
  removeFromLive(kindId: number, size: number): void {
    if (size !== 0) this.bytesLive -= size;
    if (kindId !== DEFAULT_KIND) this.liveByKind[kindId] = (this.liveByKind[kindId] as number) - 1;
  }

  /** Counts a live node under another kind. */
  moveKind(from: number, to: number): void {
    if (from !== DEFAULT_KIND) this.liveByKind[from] = (this.liveByKind[from] as number) - 1;
    if (to !== DEFAULT_KIND) this.liveByKind[to] = (this.liveByKind[to] ?? 0) + 1;
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
