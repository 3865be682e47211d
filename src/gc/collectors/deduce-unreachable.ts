/**
 * The core of the cycle collector: finds the nodes of a list that nothing outside the list keeps alive.
 *
 * The collector copies the reference count of each node of the list, the candidates, to `gcWord`. Then each edge
 * between two candidates subtracts one from its target. A candidate with references left is referred to from outside.
 *
 * A scan then visits the list in order. A candidate with references left stays, and so do the targets of its edges. A
 * candidate without one moves to the unreachable list tentatively. If a later node of the scan reaches it, it moves
 * back, to the end of the list.
 *
 * ```
 *   gcWord    0             not a candidate, or found reachable
 *             4·refs + 1    a candidate; refs references come from outside or from a reachable node
 *             3             tentatively moved to the unreachable list
 * ```
 *
 * The order of finalizers depends on two orders, and both are CPython's: a scan visits edges last to first, and nodes
 * move back and forth in scan order.
 *
 * Source: `deduce_unreachable` in Modules/gcmodule.c of CPython 3.11.
 */
import { FIRST_NODE } from '../memory/generation-lists.js';
import { COLLECTING, type NodeStore, ONE_REFERENCE, TENTATIVE } from '../memory/node-store.js';

const REACHED = ONE_REFERENCE | COLLECTING;
const TENTATIVELY_UNREACHABLE = TENTATIVE | COLLECTING;

/**
 * Keeps in `base` the nodes that are reachable from outside it. Moves the others to `unreachable`, which must be empty.
 */
export function deduceUnreachable(store: NodeStore, base: number, unreachable: number): void {
  const slots = store.end - FIRST_NODE;
  if (2 * store.lists.length(base) > slots) subtractInMemoryOrder(store, base);
  else subtractInListOrder(store, base);
  scan(store, base, unreachable);
  recordLists(store, base, unreachable);
}

/** Subtracts in memory order, which is faster for a list of most nodes. The order of subtraction cannot be observed. */
function subtractInMemoryOrder(store: NodeStore, base: number): void {
  const { gcWord, refcount, end } = store;
  const { listOf } = store.lists;
  for (let i = FIRST_NODE; i < end; i++) {
    if (listOf[i] === base) gcWord[i] = ((refcount[i] as number) << 2) | COLLECTING;
  }
  const { pair, slab } = store.edges;
  for (let i = FIRST_NODE; i < end; i++) {
    if (listOf[i] === base) subtractEdges(i, gcWord, pair, slab);
  }
}

function subtractInListOrder(store: NodeStore, base: number): void {
  const { gcWord, refcount } = store;
  const { links } = store.lists;
  for (let i = links[2 * base] as number; i !== base; i = links[2 * i] as number) {
    gcWord[i] = ((refcount[i] as number) << 2) | COLLECTING;
  }
  const { pair, slab } = store.edges;
  for (let i = links[2 * base] as number; i !== base; i = links[2 * i] as number) {
    subtractEdges(i, gcWord, pair, slab);
  }
}

/**
 * Subtracts one from each target of a node. This function and `scan` decode edges themselves: shared code makes a
 * collection of live nodes 3 % slower, and 45 % slower in an esbuild bundle.
 */
function subtractEdges(
  source: number,
  gcWord: Int32Array,
  pair: Int32Array,
  slab: Int32Array,
): void {
  const first = pair[2 * source] as number;
  if (first < 0) {
    const start = ~first + 1;
    const stop = start + (slab[~first] as number);
    for (let at = start; at < stop; at++) subtractOne(slab[at] as number, gcWord);
  } else if (first > 0) {
    const second = pair[2 * source + 1] as number;
    subtractOne(first, gcWord);
    if (second > 0) subtractOne(second, gcWord);
  }
}

function subtractOne(target: number, gcWord: Int32Array): void {
  const word = gcWord[target] as number;
  if (word !== 0) gcWord[target] = word - ONE_REFERENCE;
}

function scan(store: NodeStore, base: number, unreachable: number): void {
  const { gcWord } = store;
  const { links } = store.lists;
  const { pair, slab } = store.edges;
  let i = links[2 * base] as number;
  while (i !== base) {
    if ((gcWord[i] as number) < ONE_REFERENCE) {
      const next = links[2 * i] as number;
      const previous = links[2 * i + 1] as number;
      links[2 * previous] = next;
      links[2 * next + 1] = previous;
      linkLast(links, unreachable, i);
      gcWord[i] = TENTATIVELY_UNREACHABLE;
      i = next;
      continue;
    }
    const first = pair[2 * i] as number;
    if (first < 0) {
      const start = ~first + 1;
      for (let at = start + (slab[~first] as number) - 1; at >= start; at--) {
        const target = slab[at] as number;
        if (isUnreached(gcWord[target] as number)) reach(target, gcWord, links, base);
      }
    } else if (first > 0) {
      const second = pair[2 * i + 1] as number;
      if (second > 0 && isUnreached(gcWord[second] as number)) reach(second, gcWord, links, base);
      if (isUnreached(gcWord[first] as number)) reach(first, gcWord, links, base);
    }
    gcWord[i] = 0;
    i = links[2 * i] as number;
  }
}

/** Returns true for a candidate that no reachable node has reached so far. */
function isUnreached(word: number): boolean {
  return word !== 0 && word < ONE_REFERENCE;
}

function reach(target: number, gcWord: Int32Array, links: Int32Array, base: number): void {
  if (gcWord[target] === TENTATIVELY_UNREACHABLE) {
    const next = links[2 * target] as number;
    const previous = links[2 * target + 1] as number;
    links[2 * previous] = next;
    links[2 * next + 1] = previous;
    linkLast(links, base, target);
  }
  gcWord[target] = REACHED;
}

function linkLast(links: Int32Array, list: number, index: number): void {
  const last = links[2 * list + 1] as number;
  links[2 * last] = index;
  links[2 * index] = list;
  links[2 * index + 1] = last;
  links[2 * list + 1] = index;
}

/** Records the list of each moved node and the lengths of both lists. The scan changes only the links. */
function recordLists(store: NodeStore, base: number, unreachable: number): void {
  const { gcWord } = store;
  const { links, listOf, lengths } = store.lists;
  let moved = 0;
  for (let i = links[2 * unreachable] as number; i !== unreachable; i = links[2 * i] as number) {
    gcWord[i] = COLLECTING;
    listOf[i] = unreachable;
    moved++;
  }
  lengths[base] = (lengths[base] as number) - moved;
  lengths[unreachable] = (lengths[unreachable] as number) + moved;
}
