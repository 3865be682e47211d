/**
 * Heap programs are small scripts over root registers. The same program runs on a simulated heap and on CPython itself.
 * So tests compare every count, every event and the order of every list.
 */

/** Operation: its name, then numbers, which are registers, places or sizes. */
export type HeapOp = readonly [name: string, ...operands: number[]];

/** Script for {@link runHeapProgram}. */
export interface HeapProgram {
  /** Name of the program. */
  readonly name: string;
  /**
   * Number of root registers.
   *
   * @default 16
   */
  readonly regs?: number;
  /**
   * True if allocations may collect.
   *
   * @default true
   */
  readonly enabled?: boolean;
  /**
   * Thresholds of the collector.
   *
   * @default [700, 10, 10]
   */
  readonly threshold?: readonly [number, number, number];
  /**
   * Maximum number of weak references to a node.
   *
   * @default 8
   */
  readonly maxWeak?: number;
  /** Actions of finalizers and callbacks, by number. */
  readonly actions?: readonly (readonly HeapOp[])[];
  /** Operations of the program. */
  readonly ops: readonly HeapOp[];
}

/** Event: a letter or a word, then its data. */
export type HeapProgramEvent = readonly [string, ...unknown[]];

/** Everything that can be observed of a heap while it runs a program. */
export interface HeapObservation {
  /** Name of the program. */
  readonly name: string;
  /** One entry per operation: its number, its events in order, and the counts of the collector after it. */
  readonly obs: readonly {
    /** Number of the operation, from 0. */
    readonly op: number;
    /** Events during the operation, in order. */
    readonly ev: readonly HeapProgramEvent[];
    /** Counts of the collector after the operation. */
    readonly n: readonly [number, number, number];
  }[];
}
