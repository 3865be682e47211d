/**
 * The simulated heap beside CPython 3.11 itself: the same graphs, the same garbage, full collections of both. Medians of a
 * few rounds; the two take turns, so a slow spell of the machine slows both. Without `python3.11` on the path, the command line
 * prints the heap's own times alone.
 *
 * Run with `npm run bench:one bench/gc/beside-cpython.ts [nodes] [rounds]`, on an idle machine.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Handle, Heap } from '../../src/gc/index.js';
import { isEntry, numberArgument } from '../command-line.js';
import { type BenchOptions, type Group, median, scaled } from '../compare.js';
import { atLeast, type Row } from '../row.js';
import { BenchSkipped } from '../skipped.js';
import { graph, timed } from './graphs.js';

const NODES = 1_000_000;
const ROUNDS = 5;
const WARM_UP_NODES = 20_000;
const WARM_UPS = 20;
const CPYTHON = fileURLToPath(new URL('on-cpython.py', import.meta.url));

/** How many times as fast as CPython each workload is at least. */
const PROMISES: Readonly<Record<string, number>> = {
  live: 5,
  'live, one root': 5,
  'garbage, reordered': 3,
  'garbage, fresh': 1,
  'two-cycles': 1.2,
  'alloc and free': 3,
  'free a chain': 1,
};

/** What is measured besides tenure. */
export const packages = ['CPython'] as const;

export function rows({ rounds, scale = 1 }: BenchOptions): Row[] {
  if (roundOnCPython(1_000) === undefined) throw new BenchSkipped('python3.11 is not on the path');
  const nodes = scaled(NODES, scale);
  return measureBoth(nodes, rounds, scaled(WARM_UP_NODES, scale)).map((group) =>
    atLeast(PROMISES[group.title] ?? 1, named(group, nodes), 'tenure', 'CPython'),
  );
}

function named(group: Group, nodes: number): Group {
  return { ...group, title: `${group.title}, a node of ${nodes.toLocaleString('en')}` };
}

/** Milliseconds of each workload. */
type Times = Readonly<Record<string, number>>;

function manualHeap(): Heap {
  const heap = new Heap();
  heap.gc.disable();
  return heap;
}

function roundOfAll(length: number): Times {
  const times: Record<string, number> = {};
  const old = manualHeap();
  const nodes = graph(old, length);
  old.gc.collect();
  times['live'] = timed(() => old.gc.collect());
  for (const node of nodes.slice(1)) old.drop(node);
  old.gc.collect();
  times['live, one root'] = timed(() => old.gc.collect());
  old.drop(nodes[0] as Handle);
  times['garbage, reordered'] = timed(() => old.gc.collect());

  const young = manualHeap();
  for (const node of graph(young, length)) young.drop(node);
  times['garbage, fresh'] = timed(() => young.gc.collect());

  const pairs = manualHeap();
  for (let i = 0; i < length / 2; i++) {
    const [a, b] = [pairs.alloc(), pairs.alloc()];
    pairs.link(a, b);
    pairs.link(b, a);
    pairs.drop(a);
    pairs.drop(b);
  }
  times['two-cycles'] = timed(() => pairs.gc.collect());

  const churned = manualHeap();
  times['alloc and free'] = timed(() => {
    for (let i = 0; i < length; i++) churned.drop(churned.alloc());
  });

  const chained = manualHeap();
  let head = chained.alloc();
  for (let i = 0; i < length; i++) {
    const node = chained.alloc();
    chained.link(node, head);
    chained.drop(head);
    head = node;
  }
  times['free a chain'] = timed(() => chained.drop(head));
  return times;
}

function roundOnCPython(nodes: number): Times | undefined {
  const { status, stdout } = spawnSync('python3.11', [CPYTHON, String(nodes), '1'], {
    encoding: 'utf8',
  });
  return status === 0 ? (JSON.parse(stdout) as Times) : undefined;
}

/** Nanoseconds a node of each workload, on both heaps. */
function measureBoth(nodes: number, rounds: number, warmUpNodes: number): Group[] {
  // Compiles on a small heap first: V8 compiles a loop over and over that begins cold with a million nodes.
  for (let i = 0; i < WARM_UPS; i++) roundOfAll(warmUpNodes);
  const ours: Times[] = [];
  const theirs: Times[] = [];
  for (let i = 0; i < rounds; i++) {
    ours.push(roundOfAll(nodes));
    const cpython = roundOnCPython(nodes);
    if (cpython !== undefined) theirs.push(cpython);
  }
  return Object.keys(ours[0] ?? {}).map((title) => {
    const nanos = (all: readonly Times[]): number =>
      (median(all.map((times) => times[title] ?? Number.NaN)) * 1e6) / nodes;
    const figures = new Map([['tenure', nanos(ours)]]);
    if (theirs.length > 0) figures.set('CPython', nanos(theirs));
    return { title, unit: 'ns', rounds, figures };
  });
}

if (isEntry(import.meta.url)) {
  const nodes = numberArgument(0, NODES);
  const rounds = numberArgument(1, ROUNDS);
  console.log(`${nodes} nodes, median of ${rounds} rounds, ns a node`);
  for (const { title, figures } of measureBoth(nodes, rounds, WARM_UP_NODES)) {
    const [ours = Number.NaN, theirs] = figures.values();
    const columns = [title.padEnd(20), `tenure ${ours.toFixed(0).padStart(5)}`];
    if (theirs !== undefined) {
      const ratio = (theirs / ours).toFixed(2);
      columns.push(`CPython ${theirs.toFixed(0).padStart(5)}`, `${ratio}×`);
    }
    console.log(columns.join('  '));
  }
}
