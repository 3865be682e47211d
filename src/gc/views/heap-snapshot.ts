/**
 * A heap as plain data, at one moment: what pictures are drawn from, what goes over a wire, what two moments are compared
 * by. It shares nothing with the heap, so it does not change, and it survives `JSON.stringify` as it is.
 */
import type { Collector, NodeColour } from '../collector.js';
import type { WeakReferences } from '../deallocation/weak-references.js';
import type { HeapState } from '../heap-state.js';
import type { Handle } from '../memory/handle.js';
import { generationOf, type NodeGeneration } from '../memory/node-generation.js';
import { FLAG_FINALIZED } from '../memory/node-store.js';
import { rootsOf } from './reachability.js';

/** One node of a {@link HeapSnapshot}. */
export interface SnapshotNode {
  /** Names the node, in the heap and in the snapshot. */
  readonly handle: Handle;
  /** What it stands for. */
  readonly kind: string;
  /** The generation that it is in. */
  readonly generation: NodeGeneration;
  /** How many references it has: edges and holds. */
  readonly refcount: number;
  /** How much memory it stands for, in bytes. */
  readonly size: number;
  /** Whether its finalizer has run. */
  readonly finalized: boolean;
  /** Whether it is held from outside the heap, or by `gc.garbage`. */
  readonly isRoot: boolean;
  /** Where its edges lead, in order. */
  readonly edges: readonly Handle[];
  /** During an incremental collection only: how far it has come with the node. */
  readonly colour?: NodeColour;
  /** Of a weak reference only: its target, or `null` once that is dead or dying. */
  readonly target?: Handle | null;
}

/** What {@link Heap.snapshot} returns: every live node, in the order in which they lie in memory. */
export interface HeapSnapshot {
  /** The nodes, weak references among them. */
  readonly nodes: readonly SnapshotNode[];
}

/** O(nodes and edges). */
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
