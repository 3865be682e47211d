/** Makes collectors by name. */

import type { Collector } from '../collector.js';
import type { HeapOptions } from '../heap-options.js';
import type { HeapState } from '../heap-state.js';
import { canShareMemory } from '../memory/column.js';
import { makeCPythonCollector } from './cpython-collector.js';
import { IncrementalCollector } from './incremental-collector.js';
import { SerialMarker } from './marker.js';
import { availableHelpers, ParallelMarker } from './parallel-marker.js';
import { TracingCollector } from './tracing-collector.js';
import type { UnreachableSet } from './unreachable-set.js';

/** Makes the collector that the options of a heap ask for. */
export type CollectorMaker = (
  state: HeapState,
  unreachableSet: UnreachableSet,
  options: HeapOptions,
) => Collector;

/** Makes the collector that the options name. */
export function makeCollector(
  state: HeapState,
  unreachableSet: UnreachableSet,
  options: HeapOptions,
): Collector {
  const { collector = 'cpython' } = options;
  switch (collector) {
    case 'cpython':
      return makeCPythonCollector(state, unreachableSet);
    case 'mark-sweep':
      return new TracingCollector(collector, state, unreachableSet, new SerialMarker(state));
    case 'incremental':
      return new IncrementalCollector(state, unreachableSet, options.step ?? { millis: 1 });
    case 'parallel': {
      const { parallelFrom: fromNodes = 250_000 } = options;
      const helpers = canShareMemory ? (options.helpers ?? availableHelpers()) : 0;
      const marker = new ParallelMarker(state, { helpers, fromNodes });
      return new TracingCollector(collector, state, unreachableSet, marker);
    }
  }
}
