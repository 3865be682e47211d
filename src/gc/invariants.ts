/** What has to be true of a simulated heap between any two operations. */
import type { HeapState } from './heap-state.js';
import {
  FLAG_COLLECTING,
  FLAG_UNREACHABLE,
  GENERATION_0,
  KIND_MASK,
  PERMANENT,
  WEAK,
} from './node-store.js';
import { countIncomingEdges, edgesOf, liveNodes } from './reachability.js';

/** Throws an `Error` that says what is wrong, if anything is. */
export function assertHeapInvariants(state: HeapState): void {
  const { store } = state;
  const incoming = countIncomingEdges(store);
  const listed = nodesInLists(state);
  let references = 0;
  let edges = 0;
  let live = 0;
  for (const index of liveNodes(store)) {
    live++;
    const refcount = store.refcount[index] as number;
    references += refcount;
    edges += incoming[index] as number;
    claim(refcount >= (incoming[index] as number), index, 'has more edges to it than references');
    claim(listed.has(index), index, 'is alive and in no generation');
    claim(
      ((store.flags[index] as number) & (FLAG_COLLECTING | FLAG_UNREACHABLE)) === 0,
      index,
      'is marked by a collection that has ended',
    );
    for (const target of edgesOf(store, index)) {
      claim(listed.has(target), index, `has an edge to the dead node ${target}`);
    }
    if (((store.flags[index] as number) & KIND_MASK) === WEAK) checkWeak(state, index);
  }
  if (references !== edges + state.holds) {
    throw new Error(`${references} references, but ${edges} edges and ${state.holds} holds`);
  }
  if (live !== state.counters.live || live !== listed.size) {
    throw new Error(`${live} live nodes, ${state.counters.live} counted, ${listed.size} listed`);
  }
}

function nodesInLists({ store }: HeapState): Set<number> {
  const nodes = new Set<number>();
  for (let list = GENERATION_0; list <= PERMANENT; list++) {
    let length = 0;
    let before = list;
    for (let i = store.next[list] as number; i !== list; i = store.next[i] as number) {
      claim(store.previous[i] === before, i, 'does not point back to its predecessor');
      claim(store.list[i] === list, i, 'does not know its generation');
      claim(!nodes.has(i), i, 'is in two places');
      nodes.add(i);
      before = i;
      length++;
    }
    if (length !== store.listLength[list]) {
      throw new Error(`list ${list} has ${length} nodes, ${store.listLength[list]} counted`);
    }
  }
  return nodes;
}

function checkWeak({ store }: HeapState, weak: number): void {
  const target = store.edgeA[weak] as number;
  if (target === 0) return;
  let found = false;
  for (let i = store.weakHead[target] as number; i !== 0; i = store.edgeB[i] as number) {
    claim(
      store.edgeA[i] === target,
      i,
      `is in the list of weak references to ${target} by mistake`,
    );
    if (i === weak) found = true;
  }
  claim(found, weak, 'is missing from the weak references of its target');
}

function claim(holds: boolean, index: number, complaint: string): void {
  if (!holds) throw new Error(`node ${index} ${complaint}`);
}
