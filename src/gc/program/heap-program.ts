/**
 * Heap programs: small scripts over root registers, and what a heap does while it runs one. The same programs run on CPython
 * itself, so that every count, every event and every list order can be compared.
 */

/** One operation: its name, then numbers: registers, places, sizes. */
export type HeapOp = readonly [name: string, ...operands: number[]];

/** A script for {@link runHeapProgram}. */
export interface HeapProgram {
  /** Its name. */
  readonly name: string;
  /**
   * How many root registers there are.
   *
   * @defaultValue 16
   */
  readonly regs?: number;
  /**
   * Whether allocations may collect.
   *
   * @defaultValue true
   */
  readonly enabled?: boolean;
  /**
   * The collector's thresholds.
   *
   * @defaultValue [700, 10, 10]
   */
  readonly threshold?: readonly [number, number, number];
  /**
   * How many weak references a node may have.
   *
   * @defaultValue 8
   */
  readonly maxWeak?: number;
  /** What finalizers and callbacks do, by number. */
  readonly actions?: readonly (readonly HeapOp[])[];
  /** What the program does. */
  readonly ops: readonly HeapOp[];
}

/** An event: a letter or a word, then what it tells. */
export type HeapProgramEvent = readonly [string, ...unknown[]];

/** What a heap did while it ran a program. */
export interface HeapObservation {
  /** The program's name. */
  readonly name: string;
  /** For each operation: its number, the events during it in order, and the collector's counts after it. */
  readonly obs: readonly {
    /** The operation's number, from 0. */
    readonly op: number;
    /** What happened during it, in order. */
    readonly ev: readonly HeapProgramEvent[];
    /** The collector's counts after it. */
    readonly n: readonly [number, number, number];
  }[];
}
