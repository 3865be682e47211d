/** The invariants of a simulated heap, which hold between any two operations. */

import type { WeakReferences } from '../deallocation/weak-references.js';
import type { HeapState } from '../heap-state.js';
import { GENERATION_0, PERMANENT, STILL_UNREACHABLE } from '../memory/generation-lists.js';

/** Throws an `Error` that names the first broken invariant. */
export function assertHeapInvariants(state: HeapState, weak: WeakReferences): void {
  const { store, counters } = state;
  const listed = nodesInLists(state);
  const incoming = new Int32Array(store.end);
  for (const index of listed) {
    for (const target of store.edges.targets(index)) {
      check(listed.has(target), index, `has an edge to the dead node ${target}`);
      incoming[target] = (incoming[target] as number) + 1;
    }
  }
  let live = 0;
  let own = 0;
  store.visit((index) => {
    live++;
    check(listed.has(index), index, 'is alive and in no generation');
    const isSetAside = (store.lists.listOf[index] as number) > PERMANENT;
    check(
      isSetAside || store.gcWord[index] === 0,
      index,
      'is marked by a collection that has ended',
    );
    const accounted = (incoming[index] as number) + (store.holds[index] as number);
    const references = store.refcount[index] as number;
    check(references >= accounted, index, 'has more edges and holds than references');
    own += references - accounted;
    if (weak.isWeak(index)) checkWeak(index, weak);
  });
  for (const index of state.pinned) check(listed.has(index), index, 'is worked on and dead');
  for (const index of state.garbage) check(listed.has(index), index, 'is garbage and dead');
  if (own !== state.ownReferences) {
    throw new Error(`${own} references are neither edges nor holds, ${state.ownReferences} known`);
  }
  if (live !== counters.live || live !== listed.size) {
    throw new Error(`${live} live nodes, ${counters.live} counted, ${listed.size} listed`);
  }
}

function nodesInLists({ store: { lists }, barrier }: HeapState): Set<number> {
  const nodes = new Set<number>();
  // Between two steps, a collection may have set nodes aside.
  const last = barrier === null ? PERMANENT : STILL_UNREACHABLE;
  for (let list = GENERATION_0; list <= last; list++) {
    const before = nodes.size;
    let previous = list;
    lists.visit(list, (index) => {
      check(lists.links[2 * index + 1] === previous, index, 'does not point back');
      check(lists.listOf[index] === list, index, 'does not know its generation');
      check(!nodes.has(index), index, 'is in two lists');
      nodes.add(index);
      previous = index;
    });
    if (nodes.size - before !== lists.length(list)) {
      throw new Error(
        `list ${list} has ${nodes.size - before} nodes, ${lists.length(list)} counted`,
      );
    }
  }
  return nodes;
}

function checkWeak(reference: number, weak: WeakReferences): void {
  const target = weak.target(reference);
  if (target === 0) return;
  check(
    weak.referencesTo(target).includes(reference),
    reference,
    "is missing from its target's references",
  );
}

function check(holds: boolean, index: number, problem: string): void {
  if (!holds) throw new Error(`node ${index} ${problem}`);
}
