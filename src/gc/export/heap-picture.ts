/**
 * The part of a heap that is drawn: at most so many nodes, and the edges between them. A picture of thousands of nodes shows
 * nothing, so it is cut, breadth first: from the focus both along edges and against them, since who refers to a node is as
 * telling as what it refers to; without a focus from the roots, so that what is shown hangs together, and then whatever
 * else there is. How many nodes were left out is part of the picture.
 */
import { type Handle, indexOfHandle } from '../memory/handle.js';
import type { HeapSnapshot, SnapshotNode } from '../views/heap-snapshot.js';
import type { PictureColours } from './node-fill.js';

/** All edges from one node to another, drawn as one. */
export interface PictureEdge {
  readonly from: Handle;
  readonly to: Handle;
  readonly count: number;
  /** From a weak reference to its target. */
  readonly weak: boolean;
}

export interface HeapPicture {
  /** In the order in which they lie in memory. */
  readonly nodes: readonly SnapshotNode[];
  readonly edges: readonly PictureEdge[];
  /** How many nodes of the heap are not shown. */
  readonly hidden: number;
  readonly focus: Handle | undefined;
  readonly colours: PictureColours;
}

export interface PictureOptions {
  readonly focus: Handle | undefined;
  /** How many steps from the focus a node may be away. */
  readonly radius: number;
  readonly maxNodes: number;
  readonly colours: PictureColours;
}

export function pictureOf({ nodes }: HeapSnapshot, cut: PictureOptions): HeapPicture {
  const chosen = chooseNodes(nodes, cut);
  const shown = nodes.filter(({ handle }) => chosen.has(handle));
  return {
    nodes: shown,
    edges: shown.flatMap((node) => edgesOf(node, chosen)),
    hidden: nodes.length - shown.length,
    focus: cut.focus,
    colours: cut.colours,
  };
}

/** The node's name in pictures: of its place, which no other node has at the same time. */
export function pictureName(handle: Handle): string {
  return `n${indexOfHandle(handle)}`;
}

/** What is said of a node besides its kind. */
export function pictureFacts(node: SnapshotNode): string {
  const facts = [pictureName(node.handle), plural(node.refcount, 'ref')];
  if (node.size > 0) facts.push(`${node.size} B`);
  if (node.isRoot) facts.push('root');
  if (node.finalized) facts.push('finalized');
  if (node.target === null) facts.push('dead');
  return facts.join(' · ');
}

/** What is said of the nodes that are not shown. */
export function hiddenNote(hidden: number): string {
  return `${plural(hidden, 'more node')} not shown`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
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
