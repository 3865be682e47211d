/**
 * What a census counts: the objects of a heap as columns, one value for each node. The simulated heap and a heap snapshot of
 * V8 both give it, so one census serves both. A snapshot of V8 may have tens of millions of nodes. The census therefore asks
 * for numbers, and reads a name only for a row that it prints.
 */
import type { GraphColumns } from '../gc/views/dominator-tree.js';

/** Objects of one heap at one moment. Its nodes are the integers from 0 to `nodeCount` − 1. */
export interface CensusColumns {
  /** Which sort of heap this is. Only censuses of one sort can be compared with each other. */
  readonly heap: 'simulated' | 'v8' | (string & {});
  /** Where the sizes come from, and how exact they are: `'exact (simulated)'`. Each census prints it. */
  readonly source: string;
  /** Number of nodes. */
  readonly nodeCount: number;
  /** Names of the kinds. Several indices may have one name. */
  readonly kinds: readonly string[];
  /** References by node. Those that are not strong keep nothing alive. */
  readonly graph: GraphColumns;
  /** Nodes that are alive by themselves. */
  readonly roots: readonly number[];
  /** Gives the kind of a node, as an index of {@link kinds}. O(1). */
  kindIndexOf(node: number): number;
  /** Gives the size of a node alone, in bytes. O(1). */
  sizeOf(node: number): number;
  /** Gives what names a node in every census of the same heap: a handle, or the id that V8 has given to an object. O(1). */
  identityOf(node: number): number;
  /** Gives the number by which callers name a node: a handle, or its number in a snapshot of V8. O(1). */
  handleOf(node: number): number;
  /** Gives the node that a caller names; `undefined` if there is none. */
  nodeOf(handle: number): number | undefined;
  /** Gives the line of a node; `undefined` for a node without one. */
  siteOf?(node: number): string | undefined;
  /** Gives the generation of a node: `'0'`, `'1'`, `'2'`, `'permanent'`. Absent where a heap has none. */
  generationOf?(node: number): string;
  /** Gives the name of a reference, by its index in {@link graph}: `.items`, `[3]`. Absent where references have no names. */
  edgeNameOf?(edge: number): string | undefined;
  /**
   * Gives the path to a node that explains it best, from a root on; empty if there is none. Absent where the shortest path
   * over strong references does.
   */
  pathTo?(node: number): readonly ColumnStep[];
}

/** A step of a path: a node, and the name of the reference that leads to it. */
export interface ColumnStep {
  /** The node that the step leads to. */
  readonly node: number;
  /** Name of the reference that leads to it. */
  readonly via?: string | undefined;
}

/** A heap that a census can count, as a heap snapshot of V8. */
export interface CensusSource {
  /** Gives the objects of the heap as columns. The columns do not change afterwards. */
  censusColumns(): CensusColumns;
}
