import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SerialMarker } from '../../src/gc/collectors/marker.js';
import { ParallelMarker } from '../../src/gc/collectors/parallel-marker.js';
import { HeapState } from '../../src/gc/heap-state.js';
import { type Handle, Heap } from '../../src/gc/index.js';
import { GENERATION_0 } from '../../src/gc/memory/generation-lists.js';
import { collectGarbage } from '../kit/collect-garbage.js';
import { settle } from '../kit/settle.js';

/** Builds the state of a heap with random edges. The first nodes are held. */
function randomState(seed: number, nodes: number, edgesPerNode: number, held: number): HeapState {
  const state = new HeapState(undefined, {
    clock: { now: () => 0 },
    thresholds: [0, 0, 0],
    trigger: 'allocation',
    onUnraisable: () => {},
    onDebug: () => {},
    shared: true,
  });
  const { store } = state;
  const indices = Array.from({ length: nodes }, () => {
    const index = store.allocateSlot(0, 0);
    state.counters.recordAllocation(0, 0);
    store.lists.append(GENERATION_0, index);
    return index;
  });
  let random = seed;
  for (const [i, index] of indices.entries()) {
    if (i >= held) store.holds[index] = 0;
    const edges = Math.floor(next() * 2 * edgesPerNode + 0.5);
    for (let j = 0; j < edges; j++) {
      store.edges.push(index, indices[Math.floor(next() * nodes)] as number);
    }
  }
  return state;

  function next(): number {
    random = (Math.imul(random, 1_103_515_245) + 12_345) & 0x7fffffff;
    return random / 0x8000_0000;
  }
}

test('several threads mark what one thread marks, for any graph and any order of arrival', () => {
  for (const chunkEntries of [2, 64]) {
    const options = { helpers: 3, fromNodes: 0, chunkEntries, waitMillis: 10_000 };
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(0.4, 0.6, 1, 2, 5), fc.nat(50), (seed, edges, held) => {
        const state = randomState(seed, 5_000, edges, held);
        const parallel = new ParallelMarker(state, options);
        try {
          for (let round = 0; round < 3; round++) {
            const marks = parallel.mark().slice(0, state.store.end);
            expect(marks).toEqual(new SerialMarker(state).mark().slice(0, state.store.end));
          }
          expect(state.counters).toMatchObject({ parallelMarks: 3, serialReason: 'none' });
        } finally {
          parallel.dispose();
        }
      }),
      { numRuns: 12 },
    );
  }
}, 60_000);

test('all nodes of a heap that grew between two collections are marked', () => {
  const state = randomState(1, 2_000, 2, 1);
  const parallel = new ParallelMarker(state, { helpers: 1, fromNodes: 0, waitMillis: 10_000 });
  try {
    parallel.mark();
    const { store } = state;
    let last = 16;
    for (let i = 0; i < 50_000; i++) {
      const index = store.allocateSlot(0, 0);
      state.counters.recordAllocation(0, 0);
      store.holds[index] = 0;
      store.edges.push(last, index);
      last = index;
    }
    expect(parallel.mark()[last]).toBe(1);
    expect(state.counters.parallelMarks).toBe(2);
  } finally {
    parallel.dispose();
  }
});

test('a small heap is marked by one thread, which starts no other and counts the reason', () => {
  using heap = new Heap({ collector: 'parallel' });
  heap.alloc();
  heap.gc.collect();
  expect(heap.stats().collector).toMatchObject({
    serialMarks: 1,
    parallelMarks: 0,
    serialReason: 'small-heap',
  });
});

test('without helpers one thread marks, and counts the reason', () => {
  using heap = new Heap({ collector: 'parallel', helpers: 0, parallelFrom: 0 });
  const [kept, lost] = [heap.alloc(), heap.alloc()];
  heap.link(lost, lost);
  heap.drop(lost);
  expect(heap.gc.collect()).toBe(1);
  expect(heap.isAlive(kept)).toBe(true);
  expect(heap.stats().collector).toMatchObject({ serialMarks: 1, serialReason: 'no-threads' });
});

test('a collection does not wait for threads, and they help once they have started', async () => {
  using heap = new Heap({ collector: 'parallel', helpers: 2, parallelFrom: 1_000 });
  const nodes: Handle[] = [];
  for (let i = 0; i < 20_000; i++) {
    const node = heap.alloc();
    const parent = nodes[Math.floor(i / 2)];
    if (parent !== undefined) {
      heap.link(parent, node);
      heap.drop(node);
    }
    nodes.push(node);
  }
  do {
    expect(heap.gc.collect()).toBe(0);
    await settle();
  } while (heap.stats().collector.serialReason !== 'none');
  expect(heap.stats().collector.parallelMarks).toBeGreaterThan(0);
  expect(heap.stats().live).toBe(20_000);
  heap.assertInvariants();
});

test('threads of a heap that is not disposed of do not keep the process alive', async () => {
  const program = fileURLToPath(new URL('threads-at-exit.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program]);
  expect(stdout).toBe('1\n');
});

/** Returns the number of threads of this process, if the system tells it. */
function threadCount(): number {
  return readdirSync('/proc/self/task').length;
}

test.runIf(existsSync('/proc/self/task'))(
  'threads end when their heap is disposed of, or when V8 collects it',
  async () => {
    // Node starts threads of its own at their first use. Start them now, so that they are not counted later.
    await Promise.all(Array.from({ length: 16 }, () => stat('/proc/self')));
    for (const end of ['dispose', 'forget'] as const) {
      const before = threadCount();
      let heap: Heap | undefined = new Heap({ collector: 'parallel', helpers: 2, parallelFrom: 0 });
      heap.alloc();
      heap.gc.collect();
      expect(threadCount()).toBeGreaterThanOrEqual(before + 2);
      if (end === 'dispose') heap[Symbol.dispose]();
      heap = undefined;
      while (threadCount() > before) {
        if (end === 'forget') await collectGarbage();
        await settle();
      }
    }
  },
);
