/**
 * The heap's collectors beside each other, on the same graphs: what a full collection costs, how much faster several threads mark
 * than one, how long the steps of an incremental collection stop a mutator that goes on, and how many bytes a node takes.
 * Medians of a few rounds; the collectors take turns.
 *
 * Run with `npm run bench:one bench/gc/collectors.ts [nodes] [rounds]`, on an idle machine with at least two cores.
 */
import { type Handle, Heap, type HeapOptions } from '../../src/gc/index.js';
import { isEntry, numberArgument } from '../command-line.js';
import { type BenchOptions, figureOf, type Group, median, scaled } from '../compare.js';
import { settledUse } from '../memory-use.js';
import { asMultipleOf, atLeast, atMostFigure, type Row } from '../row.js';
import { graph, timed } from './graphs.js';

const NODES = 1_000_000;
const ROUNDS = 7;
const STEPS = 3_000;
const WARM_UP_NODES = 20_000;
const WARM_UPS = 20;
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

/** No package is measured besides tenure. */
export const packages = [] as const;

export async function rows({ rounds, scale = 1 }: BenchOptions): Promise<Row[]> {
  const nodes = scaled(NODES, scale);
  const { gc } = globalThis;
  const bytes = gc === undefined ? undefined : await bytesOfNode(nodes, gc);
  warmUp(scaled(WARM_UP_NODES, scale));
  const { wholes, marks } = fullCollections(nodes, rounds);
  const steps = stepsUnderLoad(nodes, Math.max(20, STEPS * scale));
  return [
    atLeast(1.6, marks, HELPED.name, ALONE.name),
    ...asMultipleOf(wholes, 'mark-sweep', ['cpython']),
    ...asMultipleOf(wholes, 'incremental', ['cpython']),
    ...asMultipleOf(wholes, HELPED.name, ['cpython']),
    atMostFigure(1.5, steps, 'p99'),
    atMostFigure(5, steps, 'max'),
    ...(bytes === undefined ? [] : [atMostFigure(48, bytes, 'cpython')]),
  ];
}

/** A heap that holds its first node only, and reaches all others from it. */
function liveHeap(options: HeapOptions, nodes: number): Heap {
  const heap = new Heap({ ...options, thresholds: MANUAL });
  for (const node of graph(heap, nodes).slice(1)) heap.drop(node);
  heap.gc.collect();
  return heap;
}

/** Milliseconds of a full collection, and of the marking in it, where a collector marks. */
function fullCollections(
  nodes: number,
  rounds: number,
): { readonly wholes: Group; readonly marks: Group; readonly helpedMarks: number } {
  const runs = CANDIDATES.map((candidate) => ({
    candidate,
    heap: liveHeap(candidate.options, nodes),
    wholes: [] as number[],
    marks: [] as number[],
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { heap, wholes, marks } of runs) {
      wholes.push(timed(() => heap.gc.collect()));
      marks.push(heap.stats().collector.markMillis);
    }
  }
  const helpedMarks = runs.at(-1)?.heap.stats().collector.parallelMarks ?? 0;
  for (const { heap } of runs) heap[Symbol.dispose]();
  const count = nodes.toLocaleString('en');
  const group = (title: string, times: 'wholes' | 'marks'): Group => ({
    title,
    unit: 'ms',
    rounds,
    figures: new Map(runs.map((run) => [run.candidate.name, median(run[times])])),
  });
  return {
    wholes: group(`A full collection of ${count} live nodes, one root`, 'wholes'),
    marks: group(`Marking ${count} live nodes, one root`, 'marks'),
    helpedMarks,
  };
}

/**
 * Milliseconds of the steps that a mutator sees, which keeps all nodes alive and replaces one after the other by a new one in
 * a cycle. The figure `counters: p99` is what the heap says itself.
 */
function stepsUnderLoad(nodes: number, count: number): Group {
  using heap = new Heap({ collector: 'incremental', step: { millis: 1 } });
  const held: Handle[] = graph(heap, nodes);
  heap.gc.collect();
  const before = heap.stats();
  const pauses: number[] = [];
  let steps = before.collector.steps;
  let random = 1;
  while (heap.stats().collector.steps < before.collector.steps + count) {
    for (let i = 0; i < 64; i++) {
      random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
      const place = random % nodes;
      const startedAt = performance.now();
      const node = heap.alloc();
      const { steps: now } = heap.stats().collector;
      if (now > steps) pauses.push(performance.now() - startedAt);
      steps = now;
      heap.link(node, node);
      heap.link(node, held[(place + 1) % nodes] as Handle);
      heap.drop(held[place] as Handle);
      held[place] = node;
    }
  }
  const sorted = pauses.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] as number;
  return {
    title: `Steps of 1 ms over ${nodes.toLocaleString('en')} nodes under a mutator`,
    unit: 'ms',
    figures: new Map([
      ['p50', at(0.5)],
      ['p99', at(0.99)],
      ['max', at(1)],
      ['counters: p99', heap.stats().pauses.p99Millis],
    ]),
  };
}

/** Bytes of a node with two edges, what the heap has laid out for more nodes included. */
async function bytesOfNode(nodes: number, gc: () => void): Promise<Group> {
  const before = await settledUse(gc);
  using heap = liveHeap({ collector: 'cpython' }, nodes);
  const bytes = (await settledUse(gc)) - before;
  return {
    title: `A node with two edges, of ${heap.stats().live.toLocaleString('en')}`,
    unit: 'B',
    figures: new Map([['cpython', bytes / nodes]]),
  };
}

/** Compiles the collectors on small heaps. */
function warmUp(nodes: number): void {
  for (const { options } of CANDIDATES) {
    for (let i = 0; i < WARM_UPS; i++) {
      using heap = liveHeap({ ...options, parallelFrom: 0 }, nodes);
      heap.gc.collect();
    }
  }
}

if (isEntry(import.meta.url)) {
  const nodes = numberArgument(0, NODES);
  const rounds = numberArgument(1, ROUNDS);
  if (globalThis.gc === undefined) console.log('bytes: run with --expose-gc');
  else {
    const bytes = figureOf(await bytesOfNode(nodes, globalThis.gc), 'cpython');
    console.log(`a node with two edges: ${bytes.toFixed(1)} B`);
  }
  warmUp(WARM_UP_NODES);
  const { wholes, marks, helpedMarks } = fullCollections(nodes, rounds);
  console.log(`full collection of ${nodes} live nodes, one root, median of ${rounds}`);
  for (const [name, millis] of wholes.figures) {
    const mark = figureOf(marks, name);
    const marking = mark > 0 ? `  marking ${mark.toFixed(1)} ms` : '';
    console.log(`${name.padEnd(16)} ${millis.toFixed(1).padStart(7)} ms${marking}`);
  }
  const speedUp = figureOf(marks, ALONE.name) / figureOf(marks, HELPED.name);
  console.log(
    `marking with helpers: ${speedUp.toFixed(2)}× as fast as alone` +
      ` (${helpedMarks} of ${rounds + 1} had helpers)`,
  );
  const { title, figures } = stepsUnderLoad(nodes, STEPS);
  const steps = [...figures].map(([name, millis]) => `${name} ${millis.toFixed(2)} ms`);
  console.log(`\n${title}: ${steps.join(', ')}`);
}
