/**
 * Compares the collectors of the heap on the same graphs. It prints the time of a full collection, and how much faster
 * several threads mark than one. Then it prints the pauses of an incremental collection under a running mutator. All
 * times are medians of a few rounds, and the collectors take turns.
 *
 * Run with `npx tsx bench/gc/collectors.ts [nodes] [rounds]`, on an idle machine with at least two cores.
 */
import { type Handle, Heap, type HeapOptions } from '../../src/gc/index.js';
import { graph, median, timed } from './graphs.js';

const NODES = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = Number(process.argv[3] ?? 7);
const MANUAL = [0, 0, 0] as const;

interface Candidate {
  readonly name: string;
  readonly options: HeapOptions;
}

const ALONE: Candidate = {
  name: 'parallel, alone',
  options: { collector: 'parallel', helpers: 0 },
};
const HELPED: Candidate = { name: 'parallel', options: { collector: 'parallel' } };
const CANDIDATES: readonly Candidate[] = [
  { name: 'cpython', options: { collector: 'cpython' } },
  { name: 'mark-sweep', options: { collector: 'mark-sweep' } },
  { name: 'incremental', options: { collector: 'incremental' } },
  ALONE,
  HELPED,
];

/** Builds a heap whose first node is held and reaches all others. */
function liveHeap(options: HeapOptions, nodes: number): Heap {
  const heap = new Heap({ ...options, thresholds: MANUAL });
  for (const node of graph(heap, nodes).slice(1)) heap.drop(node);
  heap.gc.collect();
  return heap;
}

function compareFullCollections(): void {
  const runs = CANDIDATES.map((candidate) => ({
    candidate,
    heap: liveHeap(candidate.options, NODES),
    wholes: [] as number[],
    marks: [] as number[],
  }));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { heap, wholes, marks } of runs) {
      wholes.push(timed(() => heap.gc.collect()));
      marks.push(heap.stats().collector.markMillis);
    }
  }
  console.log(`full collection of ${NODES} live nodes, one root, median of ${ROUNDS}`);
  for (const { candidate, wholes, marks } of runs) {
    const marking = median(marks) > 0 ? `  marking ${median(marks).toFixed(1)} ms` : '';
    console.log(
      `${candidate.name.padEnd(16)} ${median(wholes).toFixed(1).padStart(7)} ms${marking}`,
    );
  }
  const [alone, helped] = [ALONE, HELPED].map((wanted) => {
    const run = runs.find(({ candidate }) => candidate === wanted);
    return median(run?.marks ?? []);
  }) as [number, number];
  const { parallelMarks } = (runs.at(-1) as (typeof runs)[0]).heap.stats().collector;
  console.log(
    `marking with helpers: ${(alone / helped).toFixed(2)}× as fast as alone` +
      ` (${parallelMarks} of ${ROUNDS + 1} had helpers)`,
  );
  for (const { heap } of runs) heap[Symbol.dispose]();
}

/** Runs a mutator that keeps a million nodes alive, and replaces one after the other with new cycles. */
function stepsUnderLoad(): void {
  using heap = new Heap({ collector: 'incremental', step: { millis: 1 } });
  const nodes: Handle[] = graph(heap, NODES);
  heap.gc.collect();
  const before = heap.stats();
  const pauses: number[] = [];
  let steps = before.collector.steps;
  let random = 1;
  while (heap.stats().collector.steps < before.collector.steps + 3_000) {
    for (let i = 0; i < 64; i++) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
      const place = random % NODES;
      const startedAt = performance.now();
      const node = heap.alloc();
      const { steps: now } = heap.stats().collector;
      if (now > steps) pauses.push(performance.now() - startedAt);
      steps = now;
      heap.link(node, node);
      heap.link(node, nodes[(place + 1) % NODES] as Handle);
      heap.drop(nodes[place] as Handle);
      nodes[place] = node;
    }
  }
  const { pauses: told } = heap.stats();
  const sorted = pauses.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.floor(share * (sorted.length - 1))] as number).toFixed(2);
  console.log(
    `\nincremental, 1 ms a step, ${NODES} nodes, ${pauses.length} steps under a mutator:` +
      ` p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms` +
      ` (counters: p99 ${told.p99Millis.toFixed(2)} ms)`,
  );
}

// Warm up on small heaps.
for (const { options } of CANDIDATES) {
  for (let i = 0; i < 20; i++) {
    using heap = liveHeap({ ...options, parallelFrom: 0 }, 20_000);
    heap.gc.collect();
  }
}
compareFullCollections();
stepsUnderLoad();
