/** What keeps many objects alive, in few lines: paths that differ only in the indices of elements are one. */
import type { SnapshotStep, V8Snapshot } from './v8-snapshot.js';

/** Paths of one form. */
export interface PathGroup {
  /** How many objects have such a path. */
  readonly count: number;
  /** The path in one line, with `[*]` for any element. */
  readonly path: string;
  /** One of the objects. */
  readonly example: number;
}

/** Groups that are kept: the largest. */
const MAX_GROUPS = 10;

/** Gives the paths to nodes, by their form, the most frequent first. */
export function groupPaths(snapshot: V8Snapshot, nodes: readonly number[]): PathGroup[] {
  const groups = new Map<string, { count: number; path: string; example: number }>();
  for (const node of nodes) {
    const path = describe(snapshot, snapshot.pathTo(node));
    const group = groups.get(path);
    if (group === undefined) groups.set(path, { count: 1, path, example: node });
    else group.count++;
  }
  return [...groups.values()].sort((a, b) => b.count - a.count).slice(0, MAX_GROUPS);
}

function describe(snapshot: V8Snapshot, steps: readonly SnapshotStep[]): string {
  if (steps.length === 0) return '(only weak references)';
  return steps
    .map(({ node, kind, edge }) => {
      const location = snapshot.locationOf(node);
      const at = location === undefined ? '' : ` (${location.file}:${location.line})`;
      const name = kind === 'Function' ? snapshot.nameOf(node) || kind : kind;
      return edge === undefined ? '(root)' : `${viaOf(edge)} → ${name}${at}`;
    })
    .join(' ');
}

function viaOf({ type, name }: NonNullable<SnapshotStep['edge']>): string {
  if (type === 'element') return '[*]';
  if (type === 'property') return `.${name}`;
  return type === 'context' ? `(${name})` : `<${String(name).replaceAll(/\d+/g, '*')}>`;
}
