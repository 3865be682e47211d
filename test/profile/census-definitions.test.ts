/**
 * Compares a census with naive definitions, on random heaps. Heapy itself (guppy3) cannot be the oracle where the index of
 * Python's packages is out of reach.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Handle, Heap } from '../../src/gc/index.js';
import { census } from '../../src/profile/index.js';

interface Graph {
  readonly edges: readonly (readonly number[])[];
  readonly held: readonly boolean[];
  readonly sizes: readonly number[];
}

const KINDS = ['a', 'b', 'c'];

const graphs: fc.Arbitrary<Graph> = fc.integer({ min: 1, max: 12 }).chain((count) => {
  const each = { minLength: count, maxLength: count };
  return fc.record({
    edges: fc.array(fc.array(fc.nat(count - 1), { maxLength: 4 }), each),
    held: fc.array(
      fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
      each,
    ),
    sizes: fc.array(fc.nat(100), each),
  });
});

const kindOf = (at: number) => KINDS[at % KINDS.length] as string;

/** Builds a heap in which the nodes of `graph` that nothing holds are dead or wait to be collected. */
function build({ sizes, edges, held }: Graph): { heap: Heap; nodes: Handle[] } {
  const heap = new Heap();
  const nodes = sizes.map((size, i) => heap.alloc({ size, kind: kindOf(i) }));
  for (const [i, targets] of edges.entries()) {
    for (const target of targets) heap.link(nodes[i] as Handle, nodes[target] as Handle);
  }
  for (const [i, isHeld] of held.entries()) if (!isHeld) heap.drop(nodes[i] as Handle);
  return { heap, nodes };
}

function reachable(graph: Graph, without: ReadonlySet<number> = new Set()): Set<number> {
  const found = new Set<number>();
  const visit = (at: number): void => {
    if (without.has(at) || found.has(at)) return;
    found.add(at);
    for (const target of graph.edges[at] as readonly number[]) visit(target);
  };
  for (const [at, held] of graph.held.entries()) if (held) visit(at);
  return found;
}

/** All paths from a held node to `goal` that visit no node twice, as text. */
function allPaths(graph: Graph, goal: number): number[][] {
  const paths: number[][] = [];
  const walk = (path: number[]): void => {
    const at = path.at(-1) as number;
    if (at === goal) paths.push(path);
    else {
      for (const target of new Set(graph.edges[at])) {
        if (!path.includes(target)) walk([...path, target]);
      }
    }
  };
  for (const [at, held] of graph.held.entries()) if (held) walk([at]);
  return paths;
}

test('counts, sizes and sums are those of the live nodes', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { heap, nodes } = build(graph);
      const live = nodes.flatMap((node, at) => (heap.isAlive(node) ? [at] : []));
      const all = census(heap);
      let cumulative = 0;
      for (const row of all.rows) {
        const members = live.filter((at) => kindOf(at) === row.label);
        cumulative += row.size;
        expect(row.count).toBe(members.length);
        expect(row.size).toBe(members.reduce((sum, at) => sum + (graph.sizes[at] as number), 0));
        expect(row.cumulative).toBe(cumulative);
      }
      expect(all.total.count).toBe(live.length);
      expect(all.rows).toEqual(all.rows.toSorted((x, y) => y.size - x.size));
      const found = reachable(graph);
      expect(new Set(census(heap, { only: 'reachable' }).handles())).toEqual(
        new Set([...found].map((at) => nodes[at])),
      );
    }),
    { numRuns: 500 },
  );
});

test('referrers are the kinds of all live nodes with a reference', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { heap, nodes } = build(graph);
      const live = nodes.flatMap((node, at) => (heap.isAlive(node) ? [at] : []));
      const byReferrers = census(heap).by('referrers');
      for (const at of live) {
        const holders = live.filter((from) => graph.edges[from]?.includes(at)).map(kindOf);
        const names = [...new Set(holders)].sort();
        if (graph.held[at]) names.unshift('(root)');
        const label = names.length === 0 ? '(nothing)' : names.join(', ');
        expect([...byReferrers.row(label).handles()]).toContain(nodes[at]);
      }
      expect(byReferrers.total).toEqual(census(heap).total);
    }),
    { numRuns: 500 },
  );
});

test('paths are all of the shortest ones, once each', () => {
  fc.assert(
    fc.property(graphs, fc.nat(11), (graph, goal) => {
      const { heap, nodes } = build(graph);
      const node = nodes[goal];
      if (node === undefined || !heap.isAlive(node)) return;
      const every = allPaths(graph, goal);
      const least = Math.min(...every.map((path) => path.length));
      const expected = every.filter((path) => path.length === least).map(String);
      const found = census(heap)
        .paths(node, Number.POSITIVE_INFINITY)
        .map(({ steps }) => String(steps.map(({ handle }) => nodes.indexOf(handle as Handle))));
      expect(found.toSorted()).toEqual(expected.toSorted());
    }),
    { numRuns: 1_000 },
  );
});

test('a node, or a group, retains exactly what cannot be reached without it', () => {
  fc.assert(
    fc.property(graphs, fc.uniqueArray(fc.nat(11), { maxLength: 4 }), (graph, chosen) => {
      const { heap, nodes } = build(graph);
      const all = census(heap);
      const alive = reachable(graph);
      const sum = (without: ReadonlySet<number>): { nodes: number; bytes: number } => {
        const left = reachable(graph, without);
        const dead = [...alive].filter((at) => !left.has(at));
        return {
          nodes: dead.length,
          bytes: dead.reduce((bytes, at) => bytes + (graph.sizes[at] as number), 0),
        };
      };
      for (const [at, node] of nodes.entries()) {
        if (!heap.isAlive(node)) continue;
        expect(all.retained(node)).toEqual(sum(new Set([at])));
        expect(all.retained(node)).toEqual(heap.retainedSize(node));
      }
      const group = new Set(chosen.filter((at) => heap.isAlive(nodes[at] ?? (0 as Handle))));
      const others = [...all.handles()].filter(
        (handle) => !group.has(nodes.indexOf(handle as Handle)),
      );
      const selection = all.minus(onlyThese(heap, others));
      expect(selection.total.count).toBe(group.size);
      expect(selection.retained()).toEqual(sum(group));
    }),
    { numRuns: 500 },
  );
});

test('the dominator tree is that of the heap', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const { heap } = build(graph);
      const tree = census(heap).dominators();
      const expected = heap.dominators();
      for (const [node, above] of expected) expect(tree.dominatorOf(node)).toBe(above);
      const walked: number[] = [];
      const walk = (handle: number | null): void => {
        for (const child of tree.childrenOf(handle)) {
          walked.push(child);
          expect(tree.dominatorOf(child)).toBe(handle);
          walk(child);
        }
      };
      walk(null);
      expect(walked.toSorted()).toEqual([...expected.keys()].toSorted());
    }),
    { numRuns: 500 },
  );
});

test('sets obey the laws of sets', () => {
  const moments = fc.tuple(fc.array(fc.nat(9)), fc.array(fc.nat(9)), fc.array(fc.nat(9)));
  fc.assert(
    fc.property(moments, (choices) => {
      const heap = new Heap();
      const nodes = Array.from({ length: 10 }, () => heap.alloc({ size: 1 }));
      const [a, b, c] = choices.map((chosen) =>
        onlyThese(
          heap,
          [...new Set(chosen)].map((at) => nodes[at] as Handle),
        ),
      );
      if (a === undefined || b === undefined || c === undefined) throw new Error('unreachable');
      const members = (set: { handles(): Iterable<number> }) => [...set.handles()].sort();
      expect(members(a.or(b))).toEqual(members(b.or(a)));
      expect(members(a.and(b))).toEqual(members(b.and(a)));
      expect(members(a.minus(b).or(a.and(b)))).toEqual(members(a));
      expect(members(a.minus(b.or(c)))).toEqual(members(a.minus(b).minus(c)));
      expect(members(a.and(b.or(c)))).toEqual(members(a.and(b).or(a.and(c))));
      expect(a.or(b).total.count).toBe(a.total.count + b.minus(a).total.count);
    }),
    { numRuns: 300 },
  );
});

/** A census of these nodes of a heap, at a moment of its own. */
function onlyThese(heap: Heap, handles: readonly number[]): ReturnType<typeof census> {
  const { nodes } = heap.snapshot();
  return census({
    snapshot: () => ({
      nodes: nodes
        .filter(({ handle }) => handles.includes(handle))
        .map((node) => ({ ...node, edges: [] })),
    }),
  });
}
