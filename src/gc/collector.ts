/**
 * What finds the nodes that nothing reaches any more. The heap has one mutator API, and one way to dispose of what was
 * found; collectors differ in how they find it, and in how long they stop the mutator for it.
 *
 * | collector | finds by | stops the mutator for | barrier |
 * |---|---|---|---|
 * | `cpython` | subtracting inner references, by generation | the generations collected | none |
 * | `mark-sweep` | marking from the roots | the whole heap | none |
 * | `incremental` | marking from the roots, in steps | one step | Dijkstra's |
 * | `parallel` | marking from the roots, on several threads | the whole heap, for less time | none |
 *
 * Reference counts go on under each of them: they are the mutator's, and free all that is in no cycle at once.
 */
import type { Generation } from './memory/generation-lists.js';

/** Which collector finds unreachable nodes. */
export type CollectorName = 'cpython' | 'mark-sweep' | 'incremental' | 'parallel';

/**
 * A node during an incremental collection: not reached so far, reached but its edges not yet followed, or reached with all
 * its edges followed.
 */
export type NodeColour = 'white' | 'grey' | 'black';

/** How much one step of an incremental collection may do; it ends at whichever comes first. */
export interface StepBudget {
  /**
   * How many nodes or edges it may look at.
   *
   * @defaultValue Infinity
   */
  readonly objects?: number;
  /**
   * How long it may take, by the heap's clock. Finalizers and callbacks that are due are not interrupted.
   *
   * @defaultValue Infinity
   */
  readonly millis?: number;
}

/** Is told of what the mutator does while a collection is under way. */
export interface WriteBarrier {
  /** A node was allocated, and is held. */
  allocated(index: number): void;
  /** A reference from outside the heap was added. */
  held(target: number): void;
  /** An edge was added, or made to lead here. */
  stored(source: number, target: number): void;
  /** The edge at `place` was removed, and those behind it have moved up. */
  removed(source: number, place: number): void;
}

export interface Collector {
  readonly name: CollectorName;
  /** Collects, or does a step, if the allocations since the last time make it worth while. */
  collectIfDue(): void;
  /** Collects a generation and all younger ones; returns how many nodes were found unreachable. */
  collect(generation: Generation): number;
  /** Goes on with the collection under way, or begins one. A collector without steps does all of it. */
  step(budget: StepBudget): 'done' | 'more';
  /** The colour of a node in the collection under way. */
  colour(index: number): NodeColour | null;
  /** Gives up the collection under way, if there is one; nothing is lost, only found later. */
  abandon(): void;
  /** Ends whatever it keeps running. */
  dispose(): void;
}
