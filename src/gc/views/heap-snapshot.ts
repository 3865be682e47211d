/**
 * A heap as plain data at one moment, for pictures, for sending, and for comparing two moments. The snapshot shares
 * nothing with the heap, so it does not change. `JSON.stringify` writes it as it is.
 */
import type { Collector, NodeColour } from '../collector.js';
import type { WeakReferences } from '../deallocation/weak-references.js';
import type { HeapState } from '../heap-state.js';
import type { Handle } from '../memory/handle.js';
import { generationOf, type NodeGeneration } from '../memory/node-generation.js';
import { FLAG_FINALIZED } from '../memory/node-store.js';
import { rootsOf } from './reachability.js';

/** Node of a {@link HeapSnapshot}. */
export interface SnapshotNode {
  /** Name of the node, in the heap and in the snapshot. */
  readonly handle: Handle;
  /** Kind of the node. */
  readonly kind: string;
  /** Generation of the node. */
  readonly generation: NodeGeneration;
  /** Number of references: edges and holds. */
  readonly refcount: number;
  /** Memory that the node stands for, in bytes. */
  readonly size: number;
  /** True if the finalizer of the node has run. */
  readonly finalized: boolean;
  /** True if the node is held from outside the heap or is in `gc.garbage`. */
  readonly isRoot: boolean;
  /** Targets of the edges, in order. */
  readonly edges: readonly Handle[];
  /** Colour of the node; only during an incremental collection. */
  readonly colour?: NodeColour;
  /** Target of a weak reference, or `null` once the target is dead or dying; only for weak references. */
  readonly target?: Handle | null;
}

/** Result of {@link Heap.snapshot}: every live node, in memory order. */
export interface HeapSnapshot {
  /** Nodes, including weak references. */
  readonly nodes: readonly SnapshotNode[];
}

/** Returns the heap as plain data. O(nodes and edges). */
export function takeSnapshot(
  state: HeapState,
  weak: WeakReferences,
  collector: Collector,
): HeapSnapshot {
  const { store, kinds } = state;
  const roots = new Set(rootsOf(state));
  const nodes: SnapshotNode[] = [];
  store.visit((index) => {
    const colour = collector.colour(index);
    const node: SnapshotNode = {
      handle: state.handles.of(index),
      kind: kinds.name(store.kindId(index)),
      generation: generationOf(store, index),
      refcount: store.refcount[index] as number,
      size: store.size(index),
      finalized: store.hasFlag(index, FLAG_FINALIZED),
      isRoot: roots.has(index),
      edges: state.handles.all(store.edges.targets(index)),
      ...(colour === null ? {} : { colour }),
    };
    if (!weak.isWeak(index)) {
      nodes.push(node);
      return;
    }
    const target = weak.target(index);
    nodes.push({ ...node, target: target === 0 ? null : state.handles.of(target) });
  });
  return { nodes };
}
