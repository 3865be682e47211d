/** The collectors by name. */

import type { Collector } from '../collector.js';
import type { HeapOptions } from '../heap-options.js';
import type { HeapState } from '../heap-state.js';
import { canShareMemory } from '../memory/column.js';
import { makeCPythonCollector } from './cpython-collector.js';
import { IncrementalCollector } from './incremental-collector.js';
import { SerialMarker } from './marker.js';
import { helpersAvailable, ParallelMarker } from './parallel-marker.js';
import { TracingCollector } from './tracing-collector.js';
import type { Trash } from './trash.js';

/** The collector that the options name. */
export function makeCollector(state: HeapState, trash: Trash, options: HeapOptions): Collector {
  const { collector = 'cpython' } = options;
  switch (collector) {
    case 'cpython':
      return makeCPythonCollector(state, trash);
    case 'mark-sweep':
      return new TracingCollector(collector, state, trash, new SerialMarker(state));
    case 'incremental':
      return new IncrementalCollector(state, trash, options.step ?? { millis: 1 });
    case 'parallel': {
      const { parallelFrom: fromNodes = 250_000 } = options;
      const helpers = canShareMemory ? (options.helpers ?? helpersAvailable()) : 0;
      const marker = new ParallelMarker(state, { helpers, fromNodes });
      return new TracingCollector(collector, state, trash, marker);
    }
  }
}
