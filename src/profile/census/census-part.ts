/** A part of a census: nodes of a heap at one moment. A union of two moments has two parts. */
import type { HeapGraph } from './heap-graph.js';
import type { NodeSet } from './node-set.js';

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
