/**
 * Small snapshots of Node 20 to 26, and what Chromium's DevTools says of each of their nodes. `npm run oracle:devtools -- --write`
 * records them anew.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { DevToolsFigures } from '../oracle/differences.js';

/** Figures of the objects of one class of the program. */
export interface RecordedClass {
  readonly count: number;
  /** Sum of what each of them retains alone. */
  readonly retainedSize: number;
  /** Steps from the root to the nearest of them. */
  readonly distance: number;
}

/** What was recorded of one version of Node, in figures that a reader can check. */
export interface RecordedSnapshot {
  readonly node: string;
  readonly devTools: string;
  readonly nodeCount: number;
  readonly totalSize: number;
  readonly classes: Readonly<Record<string, RecordedClass>>;
}

/** Figures of each node; `classes` are indices of `classNames`, and a line is -1 where DevTools knows none. */
interface Columns {
  readonly nodeCount: number;
  readonly totalSize: number;
  readonly retainedSizes: number[];
  readonly dominators: number[];
  readonly distances: number[];
  readonly classNames: string[];
  readonly classes: number[];
  readonly lines: number[];
  readonly columns: number[];
}

/** Gives the path of a recorded file: `snapshot` or `columns` of a major version of Node, gzipped. */
function recordedFile(major: number, what: 'heapsnapshot' | 'columns.json'): string {
  return fileURLToPath(new URL(`node-${major}.${what}.gz`, import.meta.url));
}

const SUMMARY = fileURLToPath(new URL('devtools.json', import.meta.url));

/** Gives what was recorded, by major version of Node. */
export function recordedSnapshots(): Readonly<Record<string, RecordedSnapshot>> {
  return JSON.parse(readFileSync(SUMMARY, 'utf8'));
}

/** Gives the text of a recorded snapshot. */
export function recordedText(major: number): string {
  return gunzipSync(readFileSync(recordedFile(major, 'heapsnapshot'))).toString();
}

/** Gives what DevTools said of a recorded snapshot. */
export function recordedFigures(major: number): DevToolsFigures {
  const text = gunzipSync(readFileSync(recordedFile(major, 'columns.json'))).toString();
  const recorded = JSON.parse(text) as Columns;
  const at = (column: readonly number[], node: number): number => column[node] as number;
  return {
    nodeCount: recorded.nodeCount,
    totalSize: recorded.totalSize,
    retainedSize: (node) => at(recorded.retainedSizes, node),
    dominator: (node) => at(recorded.dominators, node),
    distance: (node) => at(recorded.distances, node),
    className: (node) => recorded.classNames[at(recorded.classes, node)] as string,
    location: (node) =>
      at(recorded.lines, node) < 0
        ? null
        : { lineNumber: at(recorded.lines, node), columnNumber: at(recorded.columns, node) },
  };
}

/** Records a snapshot with its figures. */
export function record(major: number, snapshotFile: string, theirs: DevToolsFigures): void {
  const nodes = Array.from({ length: theirs.nodeCount }, (_, node) => node);
  const classNames = [...new Set(nodes.map(theirs.className))];
  const columns: Columns = {
    nodeCount: theirs.nodeCount,
    totalSize: theirs.totalSize,
    retainedSizes: nodes.map(theirs.retainedSize),
    dominators: nodes.map(theirs.dominator),
    distances: nodes.map(theirs.distance),
    classNames,
    classes: nodes.map((node) => classNames.indexOf(theirs.className(node))),
    lines: nodes.map((node) => theirs.location(node)?.lineNumber ?? -1),
    columns: nodes.map((node) => theirs.location(node)?.columnNumber ?? -1),
  };
  const zip = (data: string | Buffer): Buffer => gzipSync(data, { level: 9 });
  writeFileSync(recordedFile(major, 'heapsnapshot'), zip(readFileSync(snapshotFile)));
  writeFileSync(recordedFile(major, 'columns.json'), zip(JSON.stringify(columns)));
}

/** Records the figures that a reader can check, for all versions. */
export function recordSummary(summary: Readonly<Record<string, RecordedSnapshot>>): void {
  writeFileSync(SUMMARY, `${JSON.stringify(summary, null, 2)}\n`);
}

/** Gives the figures of the objects of some classes. */
export function figuresOfClasses(
  theirs: DevToolsFigures,
  classes: readonly string[],
): Record<string, RecordedClass> {
  const nodes = Array.from({ length: theirs.nodeCount }, (_, node) => node);
  const figures = (name: string): RecordedClass => {
    const own = nodes.filter((node) => theirs.className(node) === name);
    return {
      count: own.length,
      retainedSize: own.reduce((sum, node) => sum + theirs.retainedSize(node), 0),
      distance: Math.min(...own.map(theirs.distance)),
    };
  };
  return Object.fromEntries(classes.map((name) => [name, figures(name)]));
}
