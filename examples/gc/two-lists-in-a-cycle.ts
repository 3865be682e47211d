/**
 * Two lists in a cycle, which reference counting cannot free: what `npx tsx examples/gc/two-lists-in-a-cycle.ts` prints is
 * what CPython 3.11 prints for the same steps (`two-lists-in-a-cycle.py`, beside this file).
 *
 * Compared are the steps, not the bare numbers of `gc.get_count()`. A heap of ours is empty at first, and a Python
 * interpreter is not: it allocates for itself, so a script that prints `gc.get_count()` sees its own tuples and the
 * interpreter's doings as well, and other numbers in another version. The Python side therefore counts from a moment at
 * which all is quiet.
 *
 * Where the usual telling of this example goes wrong: deleting the names does not lower the count, for nothing dies by it;
 * `collect()` returns what it found unreachable, not what it freed; and with `DEBUG_SAVEALL` it frees nothing at all. The
 * lists are in `gc.garbage`, whole, and found again each time, until the flag is taken back.
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
