/** Shortest paths from the roots to a node: Heapy's `shpaths`. */
import { type HeapGraph, UNREACHED } from './heap-graph.js';

/** A step of a {@link CensusPath}. */
export interface CensusStep {
  /** The node, as callers of its heap name it. */
  readonly handle: number;
  /** Kind of the node. */
  readonly kind: string;
  /** Line of the node, if it has one. */
  readonly site?: string;
  /** Name of the reference that leads to the node, if it has one. */
  readonly via?: string;
}

/** A path that keeps a node alive, from a root on. */
export interface CensusPath {
  /** Nodes on the path. The first is a root, the last is the node itself. */
  readonly steps: readonly CensusStep[];
  /** Gives the path in one line: `cache -> .entries -> entry (orders.ts:7:3)`. */
  toString(): string;
}

/** Gives up to `limit` of the shortest paths to `node`, all of one length; none if no root reaches it. */
export function shortestPaths(graph: HeapGraph, node: number, limit: number): CensusPath[] {
  const { columns } = graph;
  if (columns.pathTo !== undefined) {
    const steps = columns.pathTo(node).map((step) => stepOf(graph, step.node, step.via));
    return steps.length === 0 ? [] : [new Path(steps)];
  }
  const distances = graph.distances();
  if (distances[node] === UNREACHED) return [];
  const { first, sources } = graph.referrers();
  const paths: CensusPath[] = [];
  /** From the node back towards a root. */
  const way = [node];
  /** Next referrer to try for each node on the way. */
  const nextReferrer = [first[node] as number];
  while (way.length > 0 && paths.length < limit) {
    const at = way.at(-1) as number;
    const place = nextReferrer.at(-1) as number;
    const isAtRoot = distances[at] === 0;
    if (isAtRoot) paths.push(pathAlong(graph, way));
    if (isAtRoot || place === first[at + 1]) {
      way.pop();
      nextReferrer.pop();
      continue;
    }
    nextReferrer[nextReferrer.length - 1] = place + 1;
    const source = sources[place] as number;
    // Two references from one node to another are one path. Equal sources lie side by side.
    const isRepeated = place > (first[at] as number) && sources[place - 1] === source;
    if (isRepeated || distances[source] !== (distances[at] as number) - 1) continue;
    way.push(source);
    nextReferrer.push(first[source] as number);
  }
  return paths;
}

function pathAlong(graph: HeapGraph, wayBack: readonly number[]): CensusPath {
  const nodes = wayBack.toReversed();
  return new Path(
    nodes.map((node, i) => stepOf(graph, node, nameOfEdge(graph, nodes[i - 1], node))),
  );
}

function stepOf({ columns }: HeapGraph, node: number, via: string | undefined): CensusStep {
  const site = columns.siteOf?.(node);
  return {
    handle: columns.handleOf(node),
    kind: columns.kinds[columns.kindIndexOf(node)] as string,
    ...(site !== undefined && { site }),
    ...(via !== undefined && { via }),
  };
}

function nameOfEdge(graph: HeapGraph, from: number | undefined, to: number): string | undefined {
  if (from === undefined || graph.columns.edgeNameOf === undefined) return undefined;
  let name: string | undefined;
  graph.visitEdges(from, (target, edge) => {
    if (target === to) name ??= graph.columns.edgeNameOf?.(edge);
  });
  return name;
}

class Path implements CensusPath {
  readonly steps: readonly CensusStep[];

  constructor(steps: readonly CensusStep[]) {
    this.steps = steps;
  }

  toString(): string {
    return this.steps
      .flatMap(({ kind, site, via }) => {
        const node = site === undefined ? kind : `${kind} (${site})`;
        return via === undefined ? [node] : [via, node];
      })
      .join(' -> ');
  }
}
