/**
 * A leak, before and after its repair, by census. A service keeps a listener for each request. `npx tsx
 * examples/profile/before-and-after.ts` prints what 100 requests leave behind, what holds it, and how much that retains.
 */
import { pathToFileURL } from 'node:url';
import { type Handle, Heap } from 'tenure/gc';
import { type Census, census } from 'tenure/profile';

/** A service as a simulated heap: a bus with listeners, and a cache with a bound. */
class Service {
  readonly heap = new Heap();
  readonly #bus: Handle = this.heap.alloc({ kind: 'bus', size: 64 });
  readonly #cache: Handle = this.heap.alloc({ kind: 'cache', size: 64 });
  readonly #removesListeners: boolean;

  constructor(removesListeners: boolean) {
    this.#removesListeners = removesListeners;
  }

  handle(): void {
    const { heap } = this;
    heap.scope((locals) => {
      const request = locals.adopt(heap.alloc({ kind: 'request', size: 2_000 }));
      const listener = locals.adopt(heap.alloc({ kind: 'listener', size: 56 }));
      heap.link(listener, request); // The listener's closure holds the request.
      heap.link(this.#bus, listener);
      const entry = locals.adopt(heap.alloc({ kind: 'entry', size: 100 }));
      heap.link(this.#cache, entry);
      if (heap.edgeCount(this.#cache) > 10) heap.unlink(this.#cache, 0);
      if (this.#removesListeners) heap.unlink(this.#bus, heap.edgeCount(this.#bus) - 1);
    });
  }
}

/** Gives what 100 requests leave behind, after 20 that fill the cache. */
export function leftBehind(removesListeners: boolean): {
  readonly grown: Census;
  readonly now: Census;
} {
  const service = new Service(removesListeners);
  for (let i = 0; i < 20; i++) service.handle();
  const before = census(service.heap);
  for (let i = 0; i < 100; i++) service.handle();
  const now = census(service.heap);
  return { grown: now.minus(before), now };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { grown, now } = leftBehind(false);
  const [request] = grown.row('request').handles();
  console.log(`before the repair\n${grown}\n`);
  console.log(`what holds a request: ${now.paths(request as number)[0]}`);
  console.log(`all listeners retain ${now.row('listener').retained().bytes} bytes\n`);
  console.log(`after the repair\n${leftBehind(true).grown}`);
}
