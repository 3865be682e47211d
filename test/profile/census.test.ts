import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { type Handle, Heap } from '../../src/gc/index.js';
import { type CensusColumns, type CensusSource, census } from '../../src/profile/index.js';
import { heapAtRest } from '../kit/heap-at-rest.js';

/** A cache that holds sessions, each with a user, and a list that nothing holds. */
function service(): { heap: Heap; cache: Handle; sessions: Handle[] } {
  const heap = new Heap();
  const cache = heap.alloc({ kind: 'cache', size: 100 });
  const sessions = Array.from({ length: 3 }, () => {
    const session = heap.alloc({ kind: 'session', size: 40 });
    const user = heap.alloc({ kind: 'user', size: 10 });
    heap.link(cache, session);
    heap.link(session, user);
    heap.drop(session);
    heap.drop(user);
    return session;
  });
  const list = heap.alloc({ kind: 'list', size: 56 });
  heap.link(list, list);
  heap.drop(list);
  return { heap, cache, sessions };
}

test('prints the table of Heapy, and where its sizes come from', () => {
  const { heap } = service();
  expect(census(heap).toString()).toBe(
    [
      'Partition of a set of 8 objects. Total size = 306 bytes.',
      ' Index  Count   %     Size   % Cumulative  % Kind',
      '     0      3  38      120  39       120  39 session',
      '     1      1  12      100  33       220  72 cache',
      '     2      1  12       56  18       276  90 list',
      '     3      3  38       30  10       306 100 user',
      'Source: exact (simulated)',
    ].join('\n'),
  );
  expect(census(heap).toString({ maxRows: 1 })).toContain('session\n<3 more rows>\nSource');
  expect(inspect(census(heap))).toBe(census(heap).toString());
});

test('rounds a half percent to the even digit, as Heapy does', () => {
  const heap = new Heap();
  for (const kind of ['a', 'b', 'c', 'c', 'c', 'd', 'd', 'd']) heap.alloc({ kind, size: 1 });
  expect(census(heap).toString().split('\n').slice(2, 6)).toEqual([
    '     0      3  38        3  38         3  38 c',
    '     1      3  38        3  38         6  75 d',
    '     2      1  12        1  12         7  88 a',
    '     3      1  12        1  12         8 100 b',
  ]);
});

test('counts an empty heap', () => {
  expect(census(new Heap()).total).toEqual({ count: 0, size: 0 });
  expect(census(new Heap()).toString()).toContain('Partition of a set of 0 objects.');
});

test('tells what waits to be collected from what is reachable', () => {
  const { heap } = service();
  expect(census(heap, { only: 'unreachable' }).rows.map(({ label }) => label)).toEqual(['list']);
  expect(census(heap, { only: 'reachable' }).total).toEqual({ count: 7, size: 250 });
  heap.gc.collect();
  expect(census(heap).total).toEqual({ count: 7, size: 250 });
});

test('counts what came since another census, also if slots are used again', () => {
  const { heap, cache } = service();
  const before = census(heap);
  heap.unlink(cache, 0);
  const added = heap.alloc({ kind: 'session', size: 40 }); // In the slot of the session that died.
  const since = census(heap, { since: before });
  expect([...since.handles()]).toEqual([added]);
  expect([
    ...before
      .minus(census(heap))
      .by('kind')
      .rows.map(({ label }) => label),
  ]).toEqual(['session', 'user']);
});

test('divides by the kinds of referrers, and names roots and objects that nothing refers to', () => {
  const { heap, cache, sessions } = service();
  const shared = heap.alloc({ kind: 'config', size: 1 });
  heap.link(cache, shared);
  heap.link(sessions[0] as Handle, shared);
  heap.drop(shared);
  heap.addRoot(sessions[1] as Handle);
  const rows = census(heap).by('referrers').rows;
  expect(rows.map(({ label, count }) => `${label} ×${count}`)).toEqual([
    '(root) ×1',
    'cache ×2',
    'list ×1',
    '(root), cache ×1',
    'session ×3',
    'cache, session ×1',
  ]);
});

test('divides by generation', () => {
  const { heap } = service();
  heap.gc.collect(0);
  heap.alloc({ kind: 'new' });
  expect(
    census(heap, { by: 'generation' })
      .rows.map(({ label, count }) => [label, count])
      .sort(),
  ).toEqual([
    ['0', 1],
    ['1', 7],
  ]);
});

test('divides by site, which the caller or the heap gives', () => {
  const { heap, cache, sessions } = service();
  const siteOf = (node: Handle) => (sessions.includes(node) ? 'orders.ts:7:3' : undefined);
  const bySite = census(heap, { by: 'site', siteOf });
  expect(bySite.rows.map(({ label, count }) => [label, count])).toEqual([
    ['(no site)', 5],
    ['orders.ts:7:3', 3],
  ]);
  expect(bySite.paths(sessions[0] as Handle).map(String)).toEqual([
    'cache -> session (orders.ts:7:3)',
  ]);
  const withSites = {
    snapshot: () => heap.snapshot(),
    site: (node: Handle) => (node === cache ? 'a.ts:1:1' : ''),
  };
  expect(census(withSites, { by: 'site' }).row('a.ts:1:1').total.count).toBe(1);
});

test('refuses to divide by what the heap does not know', () => {
  expect(() => census(twoNodes(), { by: 'site' })).toThrow(/knows no site .* pass `siteOf`/);
  expect(() => census(twoNodes(), { by: 'generation' })).toThrow(/count a simulated heap/);
  expect(() => census(new Heap()).by('colour' as never)).toThrow(/`property` must be one of/);
});

test('does not change with its heap', () => {
  const { heap, sessions } = service();
  const before = census(heap);
  const user = heap.edges(sessions[0] as Handle)[0] as Handle;
  heap[Symbol.dispose]();
  expect(before.total.count).toBe(8);
  expect(before.paths(user).map(String)).toEqual(['cache -> session -> user']);
});

test('gives all shortest paths, and no more than asked for', () => {
  const heap = new Heap();
  const root = heap.alloc({ kind: 'root' });
  const goal = heap.alloc({ kind: 'goal' });
  for (const kind of ['a', 'b', 'c']) {
    const way = heap.alloc({ kind });
    heap.link(root, way);
    heap.link(way, goal);
    heap.link(way, goal); // A second reference is no second path.
    heap.drop(way);
  }
  heap.drop(goal);
  const all = census(heap);
  expect(all.paths(goal).map(String)).toEqual([
    'root -> a -> goal',
    'root -> b -> goal',
    'root -> c -> goal',
  ]);
  expect(all.paths(goal, 2)).toHaveLength(2);
  expect(() => all.paths(goal, 0)).toThrow(/`maxPaths` must be an integer ≥ 1/);
  expect(() => all.paths(7 as Handle)).toThrow(/7 names no object/);
});

test('gives the dominator tree from the top', () => {
  const { heap, cache, sessions } = service();
  const tree = census(heap).dominators();
  expect(tree.childrenOf(null)).toEqual([cache]);
  expect(tree.childrenOf(cache)).toEqual(sessions);
  expect(tree.dominatorOf(sessions[2] as Handle)).toBe(cache);
  expect(tree.dominatorOf(cache)).toBe(null);
  expect(tree.retained(cache)).toEqual({ nodes: 7, bytes: 250 });
});

test('gives what a group retains together: more than the sum of its members', () => {
  const heap = new Heap();
  const [a, b] = [heap.alloc({ kind: 'holder' }), heap.alloc({ kind: 'holder' })];
  const shared = heap.alloc({ kind: 'shared', size: 1_000 });
  heap.link(a, shared);
  heap.link(b, shared);
  heap.drop(shared);
  const all = census(heap);
  expect([all.retained(a).bytes, all.retained(b).bytes]).toEqual([0, 0]);
  expect(all.row('holder').retained()).toEqual({ nodes: 3, bytes: 1_000 });
});

test('unites two moments, and counts what both have once', () => {
  const heap = new Heap();
  const lasting = heap.alloc({ kind: 'lasting', size: 1 });
  const first = heap.alloc({ kind: 'first', size: 2 });
  const before = census(heap);
  heap.drop(first);
  heap.alloc({ kind: 'second', size: 4 });
  const after = census(heap);
  const both = after.or(before);
  expect(both.total).toEqual({ count: 3, size: 7 });
  expect(both.minus(after).rows.map(({ label }) => label)).toEqual(['first']);
  expect([...before.and(after).handles()]).toEqual([lasting]);
  expect(both.or(both).total).toEqual(both.total);
  expect(both.paths(first)).toHaveLength(1);
});

test('refuses to compare heaps of two sorts', () => {
  expect(() => census(new Heap()).minus(census(twoNodes()))).toThrow(
    /one of a simulated heap and one of a v8 heap/,
  );
  expect(() => census(new Heap()).and({} as never)).toThrow(/`other` must be a census/);
});

test('refuses what is no heap, and unknown options', () => {
  expect(() => census(null as never)).toThrow(/`heap` must be a Heap/);
  expect(() => census(new Heap(), { since: {} as never })).toThrow(/`since` must be a census/);
  expect(() => census(new Heap()).row(0)).toThrow(/index below 0/);
});

test('follows only strong references of a snapshot, names references, and takes the paths that it explains', () => {
  const [a, b] = [
    census(twoNodes()),
    census(twoNodes({ pathTo: (node) => [{ node, via: '.x' }] })),
  ];
  expect(a.paths(1)).toEqual([]);
  expect(a.retained(0)).toEqual({ nodes: 1, bytes: 8 });
  expect(b.paths(1).map(String)).toEqual(['.x -> Leaf']);
  expect(
    census(twoNodes({ weak: false }))
      .paths(1)
      .map(String),
  ).toEqual(['Root -> .leaf -> Leaf']);
});

/** A heap as a snapshot of V8 gives it, with one reference from node 0 to node 1. */
function twoNodes({
  weak = true,
  ...more
}: { weak?: boolean } & Pick<CensusColumns, 'pathTo'> = {}): CensusSource {
  return {
    censusColumns: () => ({
      heap: 'v8',
      source: 'a test',
      nodeCount: 2,
      kinds: ['Root', 'Leaf'],
      graph: {
        firstEdge: Uint32Array.of(0, 1, 1),
        targets: Uint32Array.of(1),
        strong: Uint8Array.of(weak ? 0 : 1),
      },
      roots: [0],
      kindIndexOf: (node) => node,
      sizeOf: () => 8,
      identityOf: (node) => 2 * node + 1,
      handleOf: (node) => node,
      nodeOf: (handle) => (handle < 2 ? handle : undefined),
      edgeNameOf: () => '.leaf',
      ...more,
    }),
  };
}

test('keeps columns of a heap, and no object for each of its nodes', async () => {
  const NODES = 50_000;
  const heap = new Heap();
  for (let i = 0; i < NODES; i++) heap.alloc({ kind: 'node', size: 8 });
  census(heap).rows;
  const inUse = async (): Promise<number> =>
    (await heapAtRest()) + process.memoryUsage().arrayBuffers;
  const before = await inUse();
  const counted = census(heap);
  expect(counted.rows).toMatchObject([{ count: NODES, size: 8 * NODES }]);
  expect((await inUse()) - before).toBeLessThan(70 * NODES);
  expect(counted.total.count).toBe(NODES);
});
