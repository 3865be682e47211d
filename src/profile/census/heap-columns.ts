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

/** Gives the live nodes of a simulated heap, in memory order. O(nodes and edges). */
function heapColumns(heap: SimulatedHeap, siteOf: SiteOf | undefined): CensusColumns {
  const { nodes } = heap.snapshot();
  const indexByHandle = new Map<number, number>(nodes.map(({ handle }, i) => [handle, i]));
  const firstEdge = new Uint32Array(nodes.length + 1);
  const targets: number[] = [];
  for (const [i, { edges }] of nodes.entries()) {
    for (const target of edges) targets.push(indexByHandle.get(target) as number);
    firstEdge[i + 1] = targets.length;
  }
  // A node that dies after the snapshot has no site any more, so all sites are read now.
  const read = siteOf ?? heap.site?.bind(heap);
  const sites = read === undefined ? undefined : nodes.map(({ handle }) => read(handle));
  const handleOf = (node: number): number => nodes[node]?.handle as number;
  return {
    heap: 'simulated',
    source: 'exact (simulated)',
    nodeCount: nodes.length,
    kinds: nodes.map(({ kind }) => kind),
    graph: { firstEdge, targets: Uint32Array.from(targets) },
    roots: nodes.flatMap(({ isRoot }, i) => (isRoot ? [i] : [])),
    kindIndexOf: (node) => node,
    sizeOf: (node) => nodes[node]?.size as number,
    identityOf: handleOf,
    handleOf,
    nodeOf: (handle) => indexByHandle.get(handle),
    generationOf: (node) => String(nodes[node]?.generation),
    ...(sites !== undefined && { siteOf: (node: number) => sites[node] || undefined }),
  };
}
