/**
 * Compares `openSnapshot` and `census` with Chromium's DevTools: `npm run oracle:devtools -- FILE…`. Without a file, each Node of
 * `NODES` (executables, separated by colons) and this one writes a snapshot. Kinds of plain objects are not compared, since
 * DevTools names them after their properties, and marks objects of the host as detached; nor are sizes of arrays and of the engine's own objects, which DevTools adds to
 * their owners.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSnapshot } from '../../../../src/node/profile/index.js';
import { census } from '../../../../src/profile/index.js';
import { type InstalledNode, nodes as installedNodes } from '../../../kit/node-versions.js';
import { openInDevTools } from './devtools.js';

const PROGRAM = fileURLToPath(new URL('../fixtures/program.cjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tenure-devtools-files-'));
const named = process.argv.slice(2);

try {
  for (const file of named.length > 0 ? named : installedNodes.map(written)) {
    const { nodes, differences } = await compare(file);
    if (differences.length > 0) process.exitCode = 1;
    console.log(`${file}: ${nodes} nodes, ${differences.length} differences`);
    for (const difference of differences.slice(0, 10)) console.log(`  ${difference}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

function written({ major, executable }: InstalledNode): string {
  const file = join(folder, `node-${major}.heapsnapshot`);
  execFileSync(executable, [PROGRAM, file]);
  return file;
}

async function compare(file: string): Promise<{ nodes: number; differences: string[] }> {
  const snapshot = await openSnapshot(file);
  const counted = census(snapshot);
  const dominators = counted.dominators();
  const theirs = await openInDevTools(file);
  const differences: string[] = [];
  const check = (node: number, what: string, ours: unknown, expected: unknown): void => {
    if (ours !== expected)
      differences.push(`node ${node}: ${what} ${ours}, DevTools has ${expected}`);
  };
  check(0, 'node count', snapshot.nodeCount, theirs.nodeCount);
  check(0, 'total size', counted.total.size, theirs.totalSize);
  for (let node = 0; node < snapshot.nodeCount; node++) {
    const type = snapshot.typeOf(node);
    check(node, 'id', snapshot.idOf(node), theirs.id(node));
    check(node, 'name', snapshot.nameOf(node), theirs.rawName(node).replace(/^Detached /, ''));
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
  return { nodes: snapshot.nodeCount, differences };
}
