/**
 * The part of a heap that an export draws: a limited number of nodes, and the edges between them. A picture of
 * thousands of nodes shows nothing, so the picture is limited, breadth first.
 *
 * With a focus, it follows edges in both directions. The nodes that refer to the focus tell as much as its targets.
 * Without a focus, it begins at the roots, so that what it shows is connected, and then adds other nodes. The picture
 * states the number of hidden nodes.
 */
import { plural } from '../../core/plural.js';
import { type Handle, indexOfHandle } from '../memory/handle.js';
import type { HeapSnapshot, SnapshotNode } from '../views/heap-snapshot.js';
import type { PictureColourBy } from './node-fill.js';

/** All edges from one node to another, drawn as one. */
export interface PictureEdge {
  readonly from: Handle;
  readonly to: Handle;
  readonly count: number;
  /** True for the edge from a weak reference to its target. */
  readonly weak: boolean;
}

export interface HeapPicture {
  /** Nodes in memory order. */
  readonly nodes: readonly SnapshotNode[];
  readonly edges: readonly PictureEdge[];
  /** Number of nodes of the heap that the picture does not show. */
  readonly hidden: number;
  readonly focus: Handle | undefined;
  readonly colourBy: PictureColourBy;
}

export interface PictureOptions {
  readonly focus: Handle | undefined;
  /** Maximum number of steps from the focus to a node. */
  readonly radius: number;
  readonly maxNodes: number;
  readonly colourBy: PictureColourBy;
}

export function pictureOf({ nodes }: HeapSnapshot, cut: PictureOptions): HeapPicture {
  const chosen = chooseNodes(nodes, cut);
  const shown = nodes.filter(({ handle }) => chosen.has(handle));
  return {
    nodes: shown,
    edges: shown.flatMap((node) => edgesOf(node, chosen)),
    hidden: nodes.length - shown.length,
    focus: cut.focus,
    colourBy: cut.colourBy,
  };
}

/** Returns the name of a node in pictures. It is the slot of the node, which no other live node has. */
export function pictureName(handle: Handle): string {
  return `n${indexOfHandle(handle)}`;
}

/** Returns the text about a node besides its kind. */
export function pictureFacts(node: SnapshotNode): string {
  const facts = [pictureName(node.handle), plural(node.refcount, 'ref')];
  if (node.size > 0) facts.push(`${node.size} B`);
  if (node.isRoot) facts.push('root');
  if (node.finalized) facts.push('finalized');
  if (node.target === null) facts.push('dead');
  return facts.join(' · ');
}

/** Returns the text about the hidden nodes. */
export function hiddenNote(hidden: number): string {
  return `${plural(hidden, 'more node')} not shown`;
}

function chooseNodes(nodes: readonly SnapshotNode[], cut: PictureOptions): Set<Handle> {
  const { focus, radius, maxNodes } = cut;
  const neighbours = focus === undefined ? neighboursAlongEdges(nodes) : neighboursBothWays(nodes);
  const chosen = new Set<Handle>();
  const spread = (from: readonly Handle[]): void => {
    let ring = from;
    for (let distance = 0; ring.length > 0 && distance <= radius; distance++) {
      const further: Handle[] = [];
      for (const handle of ring) {
        if (chosen.has(handle)) continue;
        if (chosen.size === maxNodes) return;
        chosen.add(handle);
        for (const next of neighbours.get(handle) ?? []) further.push(next);
      }
      ring = further;
    }
  };
  if (focus !== undefined) {
    spread([focus]);
    return chosen;
  }
  spread(nodes.filter(({ isRoot }) => isRoot).map(({ handle }) => handle));
  for (const { handle } of nodes) spread([handle]);
  return chosen;
}

function neighboursAlongEdges(nodes: readonly SnapshotNode[]): Map<Handle, readonly Handle[]> {
  return new Map(nodes.map((node) => [node.handle, targetsOf(node)]));
}

function neighboursBothWays(nodes: readonly SnapshotNode[]): Map<Handle, readonly Handle[]> {
  const neighbours = new Map(nodes.map((node) => [node.handle, targetsOf(node)]));
  for (const node of nodes) {
    for (const target of targetsOf(node)) neighbours.get(target)?.push(node.handle);
  }
  return neighbours;
}

function targetsOf({ edges, target }: SnapshotNode): Handle[] {
  return target === undefined || target === null ? [...edges] : [target];
}

function edgesOf(node: SnapshotNode, shown: ReadonlySet<Handle>): PictureEdge[] {
  const counts = new Map<Handle, number>();
  for (const to of targetsOf(node)) {
    if (shown.has(to)) counts.set(to, (counts.get(to) ?? 0) + 1);
  }
  const weak = node.target !== undefined;
  return [...counts].map(([to, count]) => ({ from: node.handle, to, count, weak }));
}
