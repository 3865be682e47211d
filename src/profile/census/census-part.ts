/** A part of a census: nodes of a heap at one moment. A union of two moments has two parts. */
import { type HeapGraph, UNREACHED } from './heap-graph.js';
import { NodeSet } from './node-set.js';

export interface CensusPart {
  readonly graph: HeapGraph;
  readonly members: NodeSet;
}

/** Gives a function that tells whether one of the parts has a node with this identity. O(log nodes) a call. */
export function membership(
  parts: readonly CensusPart[],
): (graph: HeapGraph, node: number) => boolean {
  /** Identities of the members at other moments, since nodes of two moments have different numbers. */
  const identities = new Map<CensusPart, IdentitySet>();
  return (graph, node) =>
    parts.some((part) => {
      if (part.graph === graph) return part.members.has(node);
      let set = identities.get(part);
      if (set === undefined) {
        set = new IdentitySet(part);
        identities.set(part, set);
      }
      return set.has(graph.columns.identityOf(node));
    });
}

/** Unites the parts of one moment, since each moment is counted once. */
export function merged(parts: readonly CensusPart[]): CensusPart[] {
  const byGraph = new Map<HeapGraph, CensusPart>();
  for (const { graph, members } of parts) {
    const before = byGraph.get(graph)?.members;
    const { nodeCount } = graph.columns;
    const united =
      before === undefined
        ? members
        : NodeSet.where(nodeCount, (node) => before.has(node) || members.has(node));
    byGraph.set(graph, { graph, members: united });
  }
  return [...byGraph.values()];
}

/** Gives all nodes of a heap, or only those that a root reaches, or only the others. */
export function selected(graph: HeapGraph, only: 'reachable' | 'unreachable' | undefined): NodeSet {
  const { nodeCount } = graph.columns;
  if (only === undefined) return NodeSet.where(nodeCount, () => true);
  const distances = graph.distances();
  return NodeSet.where(
    nodeCount,
    (node) => (distances[node] !== UNREACHED) === (only === 'reachable'),
  );
}

/** Identities as a sorted column: a `Set` ends at 2^24 members. */
class IdentitySet {
  readonly #sorted: Float64Array;

  constructor({ graph: { columns }, members }: CensusPart) {
    let count = 0;
    members.visit(() => count++);
    this.#sorted = new Float64Array(count);
    let at = 0;
    members.visit((node) => {
      this.#sorted[at++] = columns.identityOf(node);
    });
    this.#sorted.sort();
  }

  has(identity: number): boolean {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle] as number) < identity) low = middle + 1;
      else high = middle;
    }
    return this.#sorted[low] === identity;
  }
}
