/**
 * Collectors find the nodes that no root reaches any more. All collectors share the operations of the mutator, and the
 * code that deletes what they found. They differ in how they find unreachable nodes, and in how long they stop the
 * mutator.
 *
 * | collector | finds by | stops the mutator for | barrier |
 * |---|---|---|---|
 * | `cpython` | subtracting inner references, by generation | the generations collected | none |
 * | `mark-sweep` | marking from the roots | the whole heap | none |
 * | `incremental` | marking from the roots, in steps | one step | Dijkstra's |
 * | `parallel` | marking from the roots, on several threads | the whole heap, for less time | none |
 *
 * Under each collector, the mutator keeps reference counts. They free at once everything that is in no cycle.
 */
import type { Generation } from './memory/generation-lists.js';

/** Name of a collector, which finds unreachable nodes. */
export type CollectorName = 'cpython' | 'mark-sweep' | 'incremental' | 'parallel';

/**
 * Colour of a node during an incremental collection. White: not reached yet. Grey: reached, edges not followed yet.
 * Black: reached, all edges followed.
 */
export type NodeColour = 'white' | 'grey' | 'black';

/** Limits of one step of an incremental collection. The step ends at the first limit that it reaches. */
export interface StepBudget {
  /**
   * Number of nodes and edges that the step may visit.
   *
   * @default Infinity
   */
  readonly objects?: number;
  /**
   * Duration of the step in milliseconds, by the heap's clock. Finalizers and callbacks that are due are not
   * interrupted.
   *
   * @default Infinity
   */
  readonly millis?: number;
}

/** Receives each change that the mutator makes during a collection. */
export interface WriteBarrier {
  /** Reports that a node was allocated, and is held. */
  allocated(index: number): void;
  /** Reports a new reference from outside the heap. */
  held(target: number): void;
  /** Reports that an edge was added, or that its target changed. */
  stored(source: number, target: number): void;
  /** Reports that the edge at `place` was removed, and that the edges after it moved up. */
  removed(source: number, place: number): void;
}

export interface Collector {
  readonly name: CollectorName;
  /** Collects, or does a step, if enough was allocated since the last time. */
  collectIfDue(): void;
  /** Collects a generation and all younger ones. Returns the number of nodes that were found unreachable. */
  collect(generation: Generation): number;
  /** Continues the current collection, or begins one. A collector without steps does the whole collection. */
  step(budget: StepBudget): 'done' | 'more';
  /** Returns the colour of a node in the current collection, or `null`. */
  colour(index: number): NodeColour | null;
  /** Gives up the current collection, if there is one. A later collection finds what this one has not. */
  abandon(): void;
  /** Ends the threads that the collector runs. */
  dispose(): void;
}
