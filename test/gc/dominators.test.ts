import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Handle, Heap, StaleHandleError } from '../../src/gc/index.js';

interface Graph {
  readonly edges: readonly (readonly number[])[];
  readonly held: readonly boolean[];
  readonly sizes: readonly number[];
}

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 14 }).chain((count) =>
  fc.record({
    edges: fc.array(fc.array(fc.nat(count - 1), { maxLength: 4 }), {
      minLength: count,
      maxLength: count,
    }),
    held: fc.array(
      fc.nat(3).map((n) => n === 0),
      { minLength: count, maxLength: count },
    ),
    sizes: fc.array(fc.nat(100), { minLength: count, maxLength: count }),
  }),
);

/** Builds a heap with the nodes of `graph`. A self-loop keeps each node that nothing else would keep alive. */
function build(graph: Graph): { heap: Heap; nodes: Handle[] } {
  const heap = new Heap();
  const nodes = graph.sizes.map((size) => heap.alloc({ size }));
  for (const [i, targets] of graph.edges.entries()) {
    for (const target of targets) heap.link(nodes[i] as Handle, nodes[target] as Handle);
  }
  for (const [i, held] of graph.held.entries()) {
    if (!held) heap.drop(nodes[i] as Handle);
  }
  return { heap, nodes };
}

function reachable(graph: Graph, without: number): Set<number> {
  const found = new Set<number>();
  const visit = (at: number): void => {
    if (at === without || found.has(at)) return;
    found.add(at);
    for (const target of graph.edges[at] as readonly number[]) visit(target);
  };
  for (const [at, held] of graph.held.entries()) if (held) visit(at);
  return found;
}

test('d dominates n exactly if n cannot be reached without d', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { heap, nodes } = build(graph);
      const dominators = heap.dominators();
      const all = reachable(graph, -1);
      expect(new Set(dominators.keys())).toEqual(new Set([...all].map((at) => nodes[at])));
      for (const d of all) {
        const left = reachable(graph, d);
        for (const n of all) {
          const above: (Handle | null | undefined)[] = [];
          for (
            let at: Handle | null | undefined = nodes[n];
            at != null && !above.includes(at);
            at = dominators.get(at)
          ) {
            above.push(at);
          }
          expect(above.includes(nodes[d])).toBe(!left.has(n));
        }
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a node retains exactly what cannot be reached without it', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { heap, nodes } = build(graph);
      const all = reachable(graph, -1);
      for (const [at, node] of nodes.entries()) {
        if (!heap.isAlive(node)) continue;
        const left = reachable(graph, at);
        const retained = [...all].filter((other) => !left.has(other));
        expect(heap.retainedSize(node)).toEqual({
          nodes: retained.length,
          bytes: retained.reduce((sum, other) => sum + (graph.sizes[other] as number), 0),
        });
      }
    }),
    { numRuns: 500 },
  );
});

test('the flow graph of Lengauer and Tarjan has the dominators of their paper', () => {
  const edges: Record<string, string> = {
    R: 'ABC',
    A: 'D',
    B: 'ADE',
    C: 'FG',
    D: 'L',
    E: 'H',
    F: 'I',
    G: 'IJ',
    H: 'EK',
    I: 'K',
    J: 'I',
    K: 'IR',
    L: 'H',
  };
  const heap = new Heap();
  const nodes = new Map(Object.keys(edges).map((kind) => [kind, heap.alloc({ kind })]));
  for (const [from, targets] of Object.entries(edges)) {
    for (const to of targets) heap.link(nodes.get(from) as Handle, nodes.get(to) as Handle);
  }
  for (const [kind, node] of nodes) if (kind !== 'R') heap.drop(node);
  const dominators = [...heap.dominators()].map(
    ([node, above]) => `${heap.kind(node)}${above === null ? '' : heap.kind(above)}`,
  );
  expect(dominators.sort().join(' ')).toBe('AR BR CR DR ER FC GC HR IR JG KR LD R');
});

test('weak references keep nothing alive, and gc.garbage keeps its nodes alive', () => {
  const heap = new Heap();
  const [owner, owned] = [heap.alloc(), heap.alloc()];
  heap.link(owner, owned);
  const weak = heap.weakref(owned);
  heap.drop(owned);
  expect(heap.dominators()).toEqual(
    new Map<Handle, Handle | null>([
      [owner, null],
      [owned, owner],
      [weak, null],
    ]),
  );
  const stuck = heap.alloc({ legacy: true, finalizer: () => {} });
  heap.link(stuck, stuck);
  heap.drop(stuck);
  expect(heap.retainedSize(stuck)).toEqual({ nodes: 0, bytes: 0 });
  heap.gc.collect();
  expect(heap.retainedSize(stuck)).toEqual({ nodes: 1, bytes: 0 });
});

test('a chain of 200,000 nodes with edges back does not overflow the stack', () => {
  const heap = new Heap();
  const head = heap.alloc({ size: 1 });
  let last = head;
  for (let i = 1; i < 200_000; i++) {
    const next = heap.alloc({ size: 1 });
    heap.link(last, next);
    heap.link(next, last);
    heap.drop(next);
    last = next;
  }
  expect(heap.retainedSize(head)).toEqual({ nodes: 200_000, bytes: 200_000 });
  expect(heap.retainedSize(last)).toEqual({ nodes: 1, bytes: 1 });
});

test('a dead node retains nothing, and its handle is stale', () => {
  const heap = new Heap();
  const node = heap.alloc();
  heap.drop(node);
  expect(() => heap.retainedSize(node)).toThrow(StaleHandleError);
});
