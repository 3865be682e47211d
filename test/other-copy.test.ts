/** Two copies of the package in one program: two versions, or a bundle beside the modules. An error says so where they cannot work together. */
import { afterAll, expect, test, vi } from 'vitest';
import * as here from '../src/index.js';

vi.resetModules();
const there: typeof here = await import('../src/index.js');

afterAll(() => vi.resetModules());

const graph = new here.Heap();
const DUMP = JSON.stringify({ format: 1, tracebackLimit: 1, traces: [] });

test.each<[string, string, () => unknown]>([
  [
    'PhantomReference',
    'a ReferenceQueue',
    () => new here.PhantomReference({}, new there.ReferenceQueue<string>(), 'gone'),
  ],
  [
    'heap.phantom',
    'a ReferenceQueue',
    () => graph.phantom(graph.alloc(), new there.ReferenceQueue<string>(), 'gone'),
  ],
  ['memoryview', 'a MemoryView', () => here.memoryview(there.memoryview(new Uint8Array(4)))],
  ['memoryview', 'an Exporter', () => here.memoryview(new there.Exporter(4))],
  [
    'MemoryView.assign',
    'a MemoryView',
    () => here.memoryview(new Uint8Array(4)).assign(there.memoryview(new Uint8Array(4)) as never),
  ],
  ['census.minus', 'a Census', () => here.census(graph).minus(there.census(new there.Heap()))],
  [
    'snapshot.compareTo',
    'a TraceSnapshot',
    () => here.TraceSnapshot.load(DUMP).compareTo(there.TraceSnapshot.load(DUMP), 'line'),
  ],
])('%s refuses %s of another copy of the package, and says why', (where, what, call) => {
  expect(call).toThrow(
    expect.objectContaining({
      code: 'TENURE_INVALID_ARGUMENT',
      message: expect.stringMatching(
        new RegExp(`^${where}: .*, got ${what} of another copy of tenure: use one copy`),
      ),
    }),
  );
});

test('an object of this copy at a wrong place is named, too', () => {
  expect(() => here.memoryview(new here.ReferenceQueue() as never)).toThrow(
    'got a ReferenceQueue. ',
  );
});
