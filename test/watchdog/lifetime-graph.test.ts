import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../src/gc/index.js';
import { LifetimeGraph, type LifetimeNode } from '../../src/watchdog/lifetime-graph.js';

test('a node is freed with its owner, and not before', () => {
  const graph = new LifetimeGraph(new Heap());
  const root = graph.allocateRoot(graph.classOf('component'));
  const node = graph.allocate(graph.classOf('entry'), root);
  expect(graph.heap.pathFromRoot(node.handle)).toEqual([root.handle, node.handle]);
  graph.releaseRoot(root);
  expect(graph.heap.stats().live).toBe(0);
});

test('a reference holds a node besides its owner; removing one leaves the other', () => {
  const graph = new LifetimeGraph(new Heap());
  const root = graph.allocateRoot(graph.classOf('component'));
  const node = graph.allocate(graph.classOf('resource'), root);
  graph.reference(root, node);
  graph.unreference(root, node);
  expect(graph.heap.refcount(node.handle)).toBe(1);
  graph.unreference(root, node);
  expect(graph.heap.isAlive(node.handle)).toBe(true);
  graph.removeOwner(node);
  expect(graph.heap.isAlive(node.handle)).toBe(false);
});

test('nodes of one owner can be added, removed and referenced in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(20)), { maxLength: 200 }), (steps) => {
      const graph = new LifetimeGraph(new Heap());
      const root = graph.allocateRoot(graph.classOf('component'));
      const born: LifetimeNode[] = [];
      const referenced: LifetimeNode[] = [];
      for (const [what, which] of steps) {
        const node = born[which % (born.length || 1)];
        if (what === 0 || node === undefined)
          born.push(graph.allocate(graph.classOf('entry'), root));
        else if (what === 1) {
          graph.removeOwner(node);
          born.splice(born.indexOf(node), 1);
        } else if (what === 2) {
          graph.reference(root, node);
          referenced.push(node);
        } else {
          graph.unreference(root, node);
          const place = referenced.indexOf(node);
          if (place >= 0) referenced.splice(place, 1);
        }
        for (const kept of born) {
          expect(graph.heap.edgeAt(root.handle, kept.ownerEdge)).toBe(kept.handle);
        }
      }
      const alive = new Set([...born, ...referenced]);
      expect(graph.heap.stats().liveByKind.get('entry') ?? 0).toBe(alive.size);
      expect(graph.heap.edgeCount(root.handle)).toBe(born.length + referenced.length);
      graph.heap.assertInvariants();
    }),
  );
});

test('a cycle that a node leads to is none through the node', () => {
  const graph = new LifetimeGraph(new Heap());
  const root = graph.allocateRoot(graph.classOf('component'));
  const allocate = (kind: string): LifetimeNode => graph.allocate(graph.classOf(kind), root);
  const [outer, first, second] = [allocate('entry'), allocate('value'), allocate('client')];
  graph.reference(outer, first);
  graph.reference(first, second);
  graph.reference(second, first);
  expect(graph.cycleThrough(outer)).toEqual([]);
  expect(graph.cycleThrough(first)).toEqual(['value', 'client', 'value']);
});
