/**
 * Compares `openSnapshot` and `census` with Chromium's DevTools: `npm run oracle:devtools -- FILE…`. Without a file, each Node of
 * `nodes` writes a snapshot. `--write` also records a small part of each, and DevTools' figures of it, for the test of recorded
 * snapshots.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSnapshot, type V8Snapshot } from '../../../../src/node/profile/index.js';
import { type InstalledNode, nodes as installedNodes } from '../../../kit/node-versions.js';
import {
  figuresOfClasses,
  type RecordedSnapshot,
  record,
  recordedSnapshots,
  recordSummary,
} from '../recorded/recorded-figures.js';
import { cutSnapshot } from './cut-snapshot.js';
import { type DevToolsSnapshot, openInDevTools, VERSION } from './devtools.js';
import { differencesFrom } from './differences.js';

const PROGRAM = fileURLToPath(new URL('../fixtures/program.cjs', import.meta.url));

/** Classes of the program. */
const CLASSES = ['Leaky', 'Pool', 'Key', 'Value', 'WeakMap', 'Float64Array'];

/** Nodes of a recorded snapshot. */
const RECORDED_NODES = 5_000;

const folder = mkdtempSync(join(tmpdir(), 'tenure-devtools-files-'));
const named = process.argv.slice(2).filter((argument) => argument !== '--write');

try {
  for (const file of named.length > 0 ? named : installedNodes.map(written)) await compare(file);
  if (process.argv.includes('--write')) {
    const summary: Record<string, RecordedSnapshot> = { ...recordedSnapshots() };
    for (const node of installedNodes) summary[node.major] = await recordPart(node);
    recordSummary(summary);
  }
} finally {
  rmSync(folder, { recursive: true });
}

function written({ major, executable }: InstalledNode): string {
  const file = join(folder, `node-${major}.heapsnapshot`);
  execFileSync(executable, [PROGRAM, file]);
  return file;
}

async function compare(file: string): Promise<DevToolsSnapshot> {
  const snapshot = await openSnapshot(file);
  const theirs = await openInDevTools(file);
  const differences = [...differencesFrom(theirs, snapshot), ...misread(theirs, snapshot)];
  if (differences.length > 0) process.exitCode = 1;
  console.log(`${file}: ${snapshot.nodeCount} nodes, ${differences.length} differences`);
  for (const difference of differences.slice(0, 10)) console.log(`  ${difference}`);
  return theirs;
}

/** Compares what stands in the file itself. */
function misread(theirs: DevToolsSnapshot, snapshot: V8Snapshot): string[] {
  const differences: string[] = [];
  for (let node = 0; node < snapshot.nodeCount; node++) {
    const name = theirs.rawName(node).replace(/^Detached /, '');
    if (snapshot.nameOf(node) !== name)
      differences.push(`node ${node}: name, DevTools has ${name}`);
    const id = theirs.id(node);
    if (snapshot.idOf(node) !== id) differences.push(`node ${node}: id, DevTools has ${id}`);
  }
  return differences;
}

/** Cuts what is around the objects of the program out of its snapshot, and records what DevTools says of it. */
async function recordPart({ major, executable }: InstalledNode): Promise<RecordedSnapshot> {
  const whole = written({ major, executable });
  const snapshot = await openSnapshot(whole);
  const kept = CLASSES.flatMap((name) => snapshot.nodesOf(name)).flatMap((node) => [
    ...snapshot.pathTo(node).map((step) => step.node),
    ...below(snapshot, node, 3),
  ]);
  const part = join(folder, `node-${major}-part.heapsnapshot`);
  cutSnapshot(whole, part, [0, ...kept], RECORDED_NODES);
  const theirs = await compare(part);
  record(major, part, theirs);
  return {
    node: execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim(),
    devTools: VERSION,
    nodeCount: theirs.nodeCount,
    totalSize: theirs.totalSize,
    classes: figuresOfClasses(theirs, CLASSES),
  };
}

/** Gives the nodes that a node holds, over at most `steps` references. */
function below(snapshot: V8Snapshot, node: number, steps: number): number[] {
  if (steps === 0) return [];
  return snapshot.edgesOf(node).flatMap(({ to }) => [to, ...below(snapshot, to, steps - 1)]);
}
