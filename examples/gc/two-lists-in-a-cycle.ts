/**
 * Two lists in a cycle, which reference counting cannot free. `npx tsx examples/gc/two-lists-in-a-cycle.ts` prints what
 * CPython 3.11 prints for the same steps. `two-lists-in-a-cycle.py`, beside this file, has those steps.
 *
 * The two compare steps, not the bare numbers of `gc.get_count()`. A new heap is empty, and a Python interpreter is
 * not: it allocates for itself. So a Python script also counts its own tuples and the allocations of the interpreter,
 * and other versions give other numbers. For that reason, the Python script counts from a moment without other
 * allocations.
 *
 * Three facts that descriptions of this example often get wrong:
 *
 * - Deleting the names does not lower the count, since nothing dies.
 * - `collect()` returns the number of unreachable lists, not of freed ones.
 * - With `DEBUG_SAVEALL` it frees nothing. The lists stay whole in `gc.garbage`, and each collection finds them again
 *   until the flag is cleared.
 */
import { DEBUG_SAVEALL, Heap } from 'tenure/gc';

const heap = new Heap();
const { gc } = heap;
gc.disable();

const a = heap.alloc({ kind: 'list' }); // a = []
const b = heap.alloc({ kind: 'list' }); // b = []
console.log('two lists allocated:', gc.getCount()[0]);
heap.link(a, b); // a.append(b)
heap.link(b, a); // b.append(a)
console.log('linked to each other:', gc.getCount()[0]);

gc.setDebug(DEBUG_SAVEALL);
heap.drop(a); // del a
heap.drop(b); // del b
console.log('both names deleted:', gc.getCount()[0]);
console.log('collect() with DEBUG_SAVEALL:', gc.collect());
const [first, second] = gc.garbage;
const mutual =
  first !== undefined &&
  second !== undefined &&
  heap.edgeAt(first, 0) === second &&
  heap.edgeAt(second, 0) === first;
console.log('gc.garbage:', gc.garbage.length, 'lists, each in the other:', mutual);

gc.garbage.clear();
const foundAgain = gc.collect();
console.log('collect() once more, garbage cleared:', foundAgain, 'and', gc.garbage.length, 'saved');

gc.setDebug(0);
gc.garbage.clear();
console.log('collect() without DEBUG_SAVEALL:', gc.collect());
console.log('gc.garbage:', gc.garbage.length, 'lists');
