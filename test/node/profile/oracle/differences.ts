/**
 * Compares `openSnapshot` and `census` with the figures of Chromium's DevTools. Not compared are kinds of plain objects, which DevTools
 * names after their properties, and kinds of objects of the host, which it marks as detached. Neither are sizes of arrays and of
 * the engine's own objects, which DevTools adds to their owners.
 */
import type { V8Snapshot } from '../../../../src/node/profile/index.js';
import { census } from '../../../../src/profile/index.js';

/** What DevTools says about a snapshot. */
export interface DevToolsFigures {
  readonly nodeCount: number;
  readonly totalSize: number;
  retainedSize(node: number): number;
  /** Immediate dominator of a node. */
  dominator(node: number): number;
  /** Number of steps on the shortest path; -1 if there is none. */
  distance(node: number): number;
  className(node: number): string;
  /** Line and column of a node's definition, from 0. */
  location(node: number): { readonly lineNumber: number; readonly columnNumber: number } | null;
}

/** Gives a sentence for each difference. */
export function differencesFrom(theirs: DevToolsFigures, snapshot: V8Snapshot): string[] {
  const counted = census(snapshot);
  const dominators = counted.dominators();
  const differences: string[] = [];
  const check = (node: number, what: string, ours: unknown, expected: unknown): void => {
    if (ours !== expected)
      differences.push(`node ${node}: ${what} ${ours}, DevTools has ${expected}`);
  };
  check(0, 'node count', snapshot.nodeCount, theirs.nodeCount);
  check(0, 'total size', counted.total.size, theirs.totalSize);
  for (let node = 0; node < snapshot.nodeCount; node++) {
    const type = snapshot.typeOf(node);
    check(node, 'dominator', dominators.dominatorOf(node) ?? 0, theirs.dominator(node));
    check(node, 'distance', snapshot.pathTo(node).length - 1, theirs.distance(node));
    // DevTools hangs what only weak references hold below the root.
    if (type !== 'array' && type !== 'hidden' && node !== 0) {
      check(node, 'retained size', counted.retained(node).bytes, theirs.retainedSize(node));
    }
    const isRenamed = snapshot.nameOf(node) === 'Object' || type === 'native';
    if (!isRenamed) check(node, 'kind', snapshot.kindOf(node), theirs.className(node));
    const [ours, other] = [snapshot.locationOf(node), theirs.location(node)];
    check(node, 'line', ours?.line, other === null ? undefined : other.lineNumber + 1);
    check(node, 'column', ours?.column, other === null ? undefined : other.columnNumber + 1);
  }
  return differences;
}
