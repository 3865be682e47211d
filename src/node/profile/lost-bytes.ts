/**
 * Bytes of lost loans. The simulated heap counts loans and has no sizes of its own. So the caller gives the size of a loan, or
 * V8 tells what the resources retain. V8 does not tell which resource a loan has, so some of many give a range.
 */
import type { Census } from '../../profile/census/census.js';
import type { DominatorTree } from '../../profile/census/census-dominators.js';

/** Bytes of the lost loans of one component. `least` is `most` if they are known exactly. */
export interface LostBytes {
  /** The least that they can be. */
  readonly least: number;
  /** The most that they can be. */
  readonly most: number;
  /** Where the figures come from: `retained in V8 by the 10 Client`. */
  readonly source: string;
}

/** Gives the bytes of lost loans that have `bytesPerLoan` each, as the caller says. */
export function givenBytes(lostLoans: number, bytesPerLoan: number): LostBytes | undefined {
  if (lostLoans === 0) return undefined;
  const bytes = lostLoans * bytesPerLoan;
  return { least: bytes, most: bytes, source: `given, ${bytesPerLoan} B a loan` };
}

/**
 * Gives the bytes that the resources of lost loans retain. `objects` are all resources of the component, lost or not.
 * `undefined` if there are fewer objects than loans.
 *
 * The lost ones retain at least the sum of the smallest ones, each alone. They retain at most what all retain together,
 * without what the smallest others retain alone.
 */
export function retainedByLost(lostLoans: number, objects: Census): LostBytes | undefined {
  const { rows, total } = objects;
  if (lostLoans === 0 || lostLoans > total.count) return undefined;
  const name = rows[0]?.label as string;
  const all = objects.retained().bytes;
  if (lostLoans === total.count) {
    return { least: all, most: all, source: `retained in V8 by the ${total.count} ${name}` };
  }
  const source = `retained in V8 by ${lostLoans} of the ${total.count} ${name}`;
  const tree = objects.dominators();
  const nodes = [...objects.handles()];
  const sizes = Float64Array.from(nodes, (node) => tree.retained(node).bytes).sort();
  if (retainEachOther(nodes, tree)) {
    // Sums would count some of them twice.
    return { least: sizes[lostLoans - 1] as number, most: all, source };
  }
  return {
    least: sum(sizes.subarray(0, lostLoans)),
    most: all - sum(sizes.subarray(0, total.count - lostLoans)),
    source,
  };
}

/** Whether one of the nodes retains another one. O(nodes of the heap). */
function retainEachOther(nodes: readonly number[], tree: DominatorTree): boolean {
  const members = new Set(nodes);
  const free = new Set<number>();
  for (const node of nodes) {
    for (let at = tree.dominatorOf(node); at !== null && !free.has(at); ) {
      if (members.has(at)) return true;
      free.add(at);
      at = tree.dominatorOf(at);
    }
  }
  return false;
}

function sum(sizes: Float64Array): number {
  return sizes.reduce((total, size) => total + size, 0);
}
