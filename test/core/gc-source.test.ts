import { constants, type NodeGCPerformanceDetail, PerformanceObserver } from 'node:perf_hooks';
import { expect, test, vi } from 'vitest';
import { hostGcSource } from '../../src/core/gc-source.js';
import { until } from '../kit/until.js';

const CALLS = 100;

test('a collection on demand runs the full collector twice, also when V8 has optimised the wait for its confirmation', async () => {
  let forced = 0;
  const observer = new PerformanceObserver((list) => {
    forced += list.getEntries().filter((entry) => isForced(entry)).length;
  });
  observer.observe({ entryTypes: ['gc'] });
  const source = hostGcSource();
  for (let call = 0; call < CALLS; call++) await source?.collect();
  await until(() => forced >= 2 * CALLS);
  observer.disconnect();
  expect(forced).toBeLessThan(2.05 * CALLS);
});

test('on Bun, the collector is that of Bun', async () => {
  const gc = vi.fn();
  vi.stubGlobal('Bun', { gc });
  hostGcSource()?.collectNow?.();
  vi.unstubAllGlobals();
  expect(gc.mock.calls).toEqual([[true]]);
});

function isForced(entry: PerformanceEntry): boolean {
  const { kind, flags } = (entry as PerformanceEntry & { detail: NodeGCPerformanceDetail }).detail;
  return (
    kind === constants.NODE_PERFORMANCE_GC_MAJOR &&
    ((flags ?? 0) & constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) !== 0
  );
}
