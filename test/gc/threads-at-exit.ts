/** A process that ends without disposing of heaps with threads. `parallel.test.ts` starts it. */
import { Heap } from '../../src/gc/index.js';

const heap = new Heap({ collector: 'parallel', helpers: 2, parallelFrom: 0 });
heap.alloc();
heap.gc.collect();
await new Promise((resolve) => setImmediate(resolve));
heap.gc.collect();
console.log(heap.stats().live);
