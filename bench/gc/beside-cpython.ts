/**
 * Compares the simulated heap with CPython 3.11: full collections of the same graphs and the same garbage. Prints
 * medians of a few rounds. The two take turns, so that a slow moment of the machine affects both. Without `python3.11`
 * on the path, it prints only the times of the heap.
 *
 * Run with `npx tsx bench/gc/beside-cpython.ts [nodes] [rounds]`, on an idle machine.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Handle, Heap } from '../../src/gc/index.js';
import { graph, median, timed } from './graphs.js';

const NODES = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const CPYTHON = fileURLToPath(new URL('on-cpython.py', import.meta.url));

type Times = Record<string, number>;

function manualHeap(): Heap {
  const heap = new Heap();
  heap.gc.disable();
  return heap;
}

function roundOfAll(length: number): Times {
  const times: Times = {};
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

function roundOnCPython(): Times | undefined {
  const { status, stdout } = spawnSync('python3.11', [CPYTHON, String(NODES), '1'], {
    encoding: 'utf8',
  });
  return status === 0 ? (JSON.parse(stdout) as Times) : undefined;
}

// Warm up on a small heap. V8 compiles a loop over and over if its first run has a million nodes.
for (let i = 0; i < 20; i++) roundOfAll(20_000);

const ours: Times[] = [];
const theirs: Times[] = [];
for (let i = 0; i < ROUNDS; i++) {
  ours.push(roundOfAll(NODES));
  const cpython = roundOnCPython();
  if (cpython !== undefined) theirs.push(cpython);
}

console.log(`${NODES} nodes, median of ${ROUNDS} rounds, ns a node`);
for (const name of Object.keys(ours[0] as Times)) {
  const nanos = (all: Times[]): number =>
    (median(all.map((times) => times[name] as number)) * 1e6) / NODES;
  const columns = [name.padEnd(20), `tenure ${nanos(ours).toFixed(0).padStart(5)}`];
  if (theirs.length > 0) {
    const ratio = nanos(theirs) / nanos(ours);
    columns.push(`CPython ${nanos(theirs).toFixed(0).padStart(5)}`, `${ratio.toFixed(2)}×`);
  }
  console.log(columns.join('  '));
}
