/**
 * A census of a heap: how many objects of which kind there are, and how large they are. It is a set of objects, as Heapy has
 * it. Sets of one heap can be subtracted, intersected and united, and each can be divided by another property.
 */
import { instanceOf } from '../../core/class-name.js';
import { InvalidArgumentError } from '../../core/errors.js';
import { printAs } from '../../core/inspect.js';
import {
  aFunction,
  checkArgument,
  checkOptions,
  countOrInfinity,
  type OptionCheck,
  oneOf,
} from '../../core/options.js';
import type { RetainedSize } from '../../gc/views/dominators.js';
import type { CensusSource } from '../census-source.js';
import { DominatorTree } from './census-dominators.js';
import { type CensusPart, membership, merged, selected } from './census-part.js';
import { type CensusBy, classify, HEADINGS } from './classify.js';
import { DEFAULT_ROWS, formatCensus } from './format-census.js';
import { columnsOf, type SimulatedHeap, type SiteOf } from './heap-columns.js';
import { HeapGraph } from './heap-graph.js';
import { type CensusRow, type CensusTotal, partition, totalOf } from './partition.js';
import { type CensusPath, shortestPaths } from './root-paths.js';

/** Options of {@link census}. */
export interface CensusOptions {
  /**
   * Census to start from: only objects that it lacks are counted. Heapy's `setrelheap`.
   *
   * @default none: all objects are counted
   */
  readonly since?: Census;
  /**
   * What the objects of one row have in common.
   *
   * @default 'kind'
   */
  readonly by?: CensusBy;
  /**
   * Counts only objects that a root reaches, or only objects that wait to be collected. Heapy's `heap` and `heapu`.
   *
   * @default all objects
   */
  readonly only?: 'reachable' | 'unreachable';
  /**
   * Gives the line of a node of a simulated heap, for `by: 'site'` and for paths.
   *
   * @default the heap's own method `site`, if it has one
   */
  readonly siteOf?: SiteOf;
}

const BY = oneOf('kind', 'referrers', 'site', 'generation');

/** Options of {@link Census.toString}. */
export interface CensusFormat {
  /**
   * Maximum number of rows to print. `Infinity` prints all.
   *
   * @default 10
   */
  readonly maxRows?: number;
}

/**
 * Counts the objects of a simulated heap, or of a heap snapshot of V8, by kind, and gives Heapy's table. O(nodes and edges).
 *
 * @example
 * ```ts
 * import { Heap } from 'tenure/gc';
 * import { census } from 'tenure/profile';
 *
 * const heap = new Heap();
 * const cache = heap.alloc({ kind: 'cache', size: 32 });
 * const before = census(heap);
 * for (let i = 0; i < 3; i++) heap.link(cache, heap.alloc({ kind: 'entry', size: 64 }));
 *
 * const grown = census(heap, { since: before });
 * grown.rows; // => [{ label: 'entry', count: 3, size: 192, cumulative: 192 }]
 * grown.by('referrers').rows.map((row) => row.label); // => ['(root), cache']
 * census(heap).toString().split('\n')[2]; // => '     0      3  75      192  86       192  86 entry'
 * ```
 *
 * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option, a heap that cannot be
 * counted, or a heap that lacks what `by` asks for.
 */
export function census(heap: SimulatedHeap | CensusSource, options: CensusOptions = {}): Census {
  const { since, by, only, siteOf } = checkOptions<CensusOptions>('census', options, {
    since: aCensus,
    by: BY,
    only: oneOf('reachable', 'unreachable'),
    siteOf: aFunction,
  });
  const graph = new HeapGraph(columnsOf(heap, siteOf));
  const all = new Census([{ graph, members: selected(graph, only) }], by ?? 'kind');
  return since === undefined ? all : all.minus(since);
}

/**
 * A set of objects of a heap at one moment, in rows. Made by {@link census}.
 *
 * A census does not change with its heap. It keeps its heap's columns, 60 to 100 bytes a node, until it is dropped.
 *
 * @example
 * ```ts
 * import { Heap } from 'tenure/gc';
 * import { census } from 'tenure/profile';
 *
 * const heap = new Heap();
 * const [pool, lease] = [heap.alloc({ kind: 'pool', size: 8 }), heap.alloc({ kind: 'lease', size: 100 })];
 * heap.link(pool, lease);
 * heap.drop(lease);
 * const all = census(heap);
 * all.paths(lease).map(String); // => ['pool -> lease']
 * all.retained(pool); // => { nodes: 2, bytes: 108 }
 * all.dominators().dominatorOf(lease) === pool; // => true
 * all.minus(all.row('lease')).rows.map((row) => row.label); // => ['pool']
 * ```
 */
export class Census {
  readonly #parts: readonly CensusPart[];
  readonly #by: CensusBy;
  #rows: readonly CensusRow[] | undefined;

  /** @internal */
  constructor(parts: readonly CensusPart[], by: CensusBy) {
    this.#parts = parts;
    this.#by = by;
    for (const { graph } of parts) classify(graph, by); // Throws now if the heap lacks what `by` asks for.
  }

  /** Rows, the largest first. O(nodes) at first. */
  get rows(): readonly CensusRow[] {
    this.#rows ??= partition(this.#parts, this.#by);
    return this.#rows;
  }

  /** Sums over all rows. O(nodes) at first. */
  get total(): CensusTotal {
    return totalOf(this.rows);
  }

  /** Where the sizes come from, and how exact they are. */
  get source(): string {
    return this.#parts[0]?.graph.columns.source as string;
  }

  /** Gives each object, as callers of its heap name it. */
  *handles(): IterableIterator<number> {
    for (const { graph, members } of this.#parts) {
      for (let node = 0; node < graph.columns.nodeCount; node++) {
        if (members.has(node)) yield graph.columns.handleOf(node);
      }
    }
  }

  /**
   * Divides the same objects by another property.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown property, or one that the heap lacks.
   */
  by(property: CensusBy): Census {
    checkArgument('census.by', 'property', property, BY);
    return new Census(this.#parts, property);
  }

  /**
   * Gives the objects of one row, by its index or its label. Empty for a label that no row has.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an index beyond the rows.
   */
  row(row: number | string): Census {
    const label = typeof row === 'string' ? row : this.rows[row]?.label;
    if (label === undefined) {
      throw new InvalidArgumentError(
        `census.row: \`row\` must be a label, or an index below ${this.rows.length}, got ${row}.`,
      );
    }
    return this.#filter((graph) => {
      const classes = classify(graph, this.#by);
      return (node) => classes.labels[classes.of(node)] === label;
    });
  }

  /**
   * Gives the objects of this census that `other` lacks.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a census of another sort of heap.
   */
  minus(other: Census): Census {
    const isMember = membership(this.#comparable('minus', other).#parts);
    return this.#filter((graph) => (node) => !isMember(graph, node));
  }

  /**
   * Gives the objects that both censuses have. Sizes are those of this census.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a census of another sort of heap.
   */
  and(other: Census): Census {
    const isMember = membership(this.#comparable('and', other).#parts);
    return this.#filter((graph) => (node) => isMember(graph, node));
  }

  /**
   * Gives the objects that at least one of both censuses has. Sizes of common objects are those of this census.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for a census of another sort of heap.
   */
  or(other: Census): Census {
    const added = this.#comparable('or', other).minus(this);
    return new Census(merged([...this.#parts, ...added.#parts]), this.#by);
  }

  /**
   * Gives the shortest paths from a root to an object, all of one length. Empty if no root reaches it. A snapshot of V8 gives
   * one path, through the global objects if it can.
   *
   * `maxPaths` is the maximum number of paths, by default 10.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an object that the heap does not have.
   */
  paths(handle: number, maxPaths: number = 10): CensusPath[] {
    checkArgument('census.paths', 'maxPaths', maxPaths, countOrInfinity(1));
    const { graph, node } = this.#find('paths', handle);
    return shortestPaths(graph, node, maxPaths);
  }

  /** Gives the dominator tree of the whole heap at the moment of this census. O(edges · log nodes) at first. */
  dominators(): DominatorTree {
    const { graph } = this.#parts[0] as CensusPart;
    return new DominatorTree(graph, (handle) => resolve('dominators', graph, handle));
  }

  /**
   * Gives what would die with one object; without an argument, with all objects of this census together. Objects that no
   * root reaches are not counted. O(edges · log nodes) for one object at first, O(edges) for all.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an object that the heap does not have.
   */
  retained(handle?: number): RetainedSize {
    if (handle !== undefined) {
      const { graph } = this.#find('retained', handle);
      return new DominatorTree(graph, (it) => resolve('retained', graph, it)).retained(handle);
    }
    let nodes = 0;
    let bytes = 0;
    for (const { graph, members } of this.#parts) {
      graph.retainedBy(members).visit((node) => {
        nodes++;
        bytes += graph.columns.sizeOf(node);
      });
    }
    return { nodes, bytes };
  }

  /**
   * Gives Heapy's table, and where its sizes come from.
   *
   * @throws {@link InvalidArgumentError} (`TENURE_INVALID_ARGUMENT`) for an unknown or malformed option.
   */
  toString(options: CensusFormat = {}): string {
    const { maxRows = DEFAULT_ROWS } = checkOptions<CensusFormat>('census.toString', options, {
      maxRows: countOrInfinity(0),
    });
    return formatCensus(this.rows, this.total, HEADINGS[this.#by], this.source, maxRows);
  }

  #filter(belongsIn: (graph: HeapGraph) => (node: number) => boolean): Census {
    const parts = this.#parts.map(({ graph, members }) => ({
      graph,
      members: members.filter(belongsIn(graph)),
    }));
    return new Census(parts, this.#by);
  }

  #comparable(method: string, other: Census): Census {
    checkArgument(`census.${method}`, 'other', other, aCensus);
    const [mine, theirs] = [this, other].map((it) => it.#parts[0]?.graph.columns.heap);
    if (mine === theirs) return other;
    throw new InvalidArgumentError(
      `census.${method}: both censuses must be of one heap, got one of a ${mine} heap and one of a ${theirs} heap.`,
    );
  }

  #find(method: string, handle: number): { graph: HeapGraph; node: number } {
    for (const { graph } of this.#parts) {
      const node = graph.columns.nodeOf(handle);
      if (node !== undefined) return { graph, node };
    }
    throw unknownHandle(method, handle);
  }

  static {
    // biome-ignore lint/complexity/noThisInStatic: tsc replaces the class's name by an alias that is not set yet
    const prototype: Census = this.prototype;
    printAs(prototype, (self) => self.toString());
  }
}

function resolve(method: string, graph: HeapGraph, handle: number): number {
  const node = graph.columns.nodeOf(handle);
  if (node === undefined) throw unknownHandle(method, handle);
  return node;
}

function unknownHandle(method: string, handle: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `census.${method}: ${String(handle)} names no object of this heap at the moment of the census.`,
  );
}

const aCensus: OptionCheck = instanceOf(Census, 'a census', 'a census, as `census()` returns it');
