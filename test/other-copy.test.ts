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
  ['census.minus', 'a census', () => here.census(graph).minus(there.census(new there.Heap()))],
  [
    'snapshot.compareTo',
    'a snapshot of traces',
    () => here.TraceSnapshot.load(DUMP).compareTo(there.TraceSnapshot.load(DUMP), 'line'),
  ],
])('%s refuses %s of another copy of the package, and says why', (where, what, call) => {
  const copy = '(this|another) copy of tenure \\(`npm ls tenure` lists the copies\\)';
  expect(call).toThrow(
    expect.objectContaining({
      code: 'TENURE_INVALID_ARGUMENT',
      message: expect.stringMatching(new RegExp(`^${where}: .*${what} of ${copy}`)),
    }),
  );
});
