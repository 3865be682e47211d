/** Heaps as columns for a census. */
import { InvalidArgumentError } from '../../core/errors.js';
import type { HeapExportSource } from '../../gc/export/export-heap.js';
import type { Handle } from '../../gc/memory/handle.js';
import type { CensusColumns, CensusSource } from '../census-source.js';

/** Gives the line of a node of a simulated heap; `undefined` or an empty string for a node without one. */
export type SiteOf = (node: Handle) => string | undefined;

/** A simulated heap, or another object with a snapshot of one. */
export interface SimulatedHeap extends HeapExportSource {
  /** Gives the line of a node; empty if there is none. */
  site?(node: Handle): string;
}

/** Gives the columns of a simulated heap, or of another source. Throws for what is neither. */
export function columnsOf(
  heap: SimulatedHeap | CensusSource,
  siteOf: SiteOf | undefined,
): CensusColumns {
  if (hasMethod(heap, 'censusColumns')) return (heap as CensusSource).censusColumns();
  if (hasMethod(heap, 'snapshot')) return heapColumns(heap as SimulatedHeap, siteOf);
  throw new InvalidArgumentError(
    'census: `heap` must be a Heap, or a snapshot of V8 that `openSnapshot` has read.',
  );
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof (value as Record<string, unknown> | null | undefined)?.[name] === 'function';
}

/**
 * Gives the live nodes of a simulated heap, in memory order. Keeps no object of the snapshot: those have several times the size of the
 * columns. O(nodes and edges).
 */
function heapColumns(heap: SimulatedHeap, siteOf: SiteOf | undefined): CensusColumns {
  const { nodes } = heap.snapshot();
  const handles = Float64Array.from(nodes, ({ handle }) => handle);
  const sizes = Float64Array.from(nodes, ({ size }) => size);
  const generations = nodes.map(({ generation }) => String(generation));
  let indexByHandle: Map<number, number> | undefined;
  const nodeOf = (handle: number): number | undefined => {
    if (indexByHandle === undefined) {
      indexByHandle = new Map();
      for (const [i, each] of handles.entries()) indexByHandle.set(each, i);
    }
    return indexByHandle.get(handle);
  };
  const firstEdge = new Uint32Array(nodes.length + 1);
  const targets: number[] = [];
  for (const [i, { edges }] of nodes.entries()) {
    for (const target of edges) targets.push(nodeOf(target) as number);
    firstEdge[i + 1] = targets.length;
  }
  indexByHandle = undefined; // It is as large as all columns. A caller that names a node has it built again.
  // A node that dies after the snapshot has no site any more, so all sites are read now.
  const read = siteOf ?? heap.site?.bind(heap);
  const sites = read === undefined ? undefined : nodes.map(({ handle }) => read(handle));
  const handleOf = (node: number): number => handles[node] as number;
  return {
    heap: 'simulated',
    source: 'exact (simulated)',
    nodeCount: nodes.length,
    kinds: nodes.map(({ kind }) => kind),
    graph: { firstEdge, targets: Uint32Array.from(targets) },
    roots: nodes.flatMap(({ isRoot }, i) => (isRoot ? [i] : [])),
    kindIndexOf: (node) => node,
    sizeOf: (node) => sizes[node] as number,
    identityOf: handleOf,
    handleOf,
    nodeOf,
    generationOf: (node) => generations[node] as string,
    ...(sites !== undefined && { siteOf: (node: number) => sites[node] || undefined }),
  };
}
