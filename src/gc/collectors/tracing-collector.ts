/**
 * Mark and sweep: marks the nodes that the roots reach, and deletes the others. This collector has no generations.
 * Every collection is a full one, counts as one of generation 2, and moves the survivors there. Generation 0 holds what
 * was allocated since.
 *
 * Source: John McCarthy, *Recursive Functions of Symbolic Expressions and Their Computation by Machine*, 1960.
 */

import { type CollectionResult, NOTHING_COLLECTED } from '../collection-result.js';
import type { Collector } from '../collector.js';
import type { HeapState } from '../heap-state.js';
import { FIRST_NODE, GENERATION_0, OLDEST, UNREACHABLE } from '../memory/generation-lists.js';
import { COLLECTING } from '../memory/node-store.js';
import { runCollection } from './collection.js';
import type { Marker } from './marker.js';
import { isTracingDue, recordSurvivors } from './tracing-trigger.js';
import type { UnreachableSet } from './unreachable-set.js';

export class TracingCollector implements Collector {
  readonly name: 'mark-sweep' | 'parallel';
  readonly #state: HeapState;
  readonly #unreachableSet: UnreachableSet;
  readonly #marker: Marker;

  constructor(
    name: 'mark-sweep' | 'parallel',
    state: HeapState,
    unreachableSet: UnreachableSet,
    marker: Marker,
  ) {
    this.name = name;
    this.#state = state;
    this.#unreachableSet = unreachableSet;
    this.#marker = marker;
  }

  collectIfDue(): void {
    if (!isTracingDue(this.#state)) return;
    this.#state.counters.lastTrigger = 'threshold';
    this.#collect();
  }

  collect(): number {
    if (this.#state.collecting) return 0;
    this.#state.counters.lastTrigger = 'explicit';
    const { collected, uncollectable } = this.#collect();
    return collected + uncollectable;
  }

  step(): 'done' {
    this.collect();
    return 'done';
  }

  colour(): null {
    return null;
  }

  abandon(): void {}

  dispose(): void {
    this.#marker.dispose();
  }

  #collect(): CollectionResult {
    return runCollection(this.#state, 2, () => this.#run());
  }

  #run(): CollectionResult {
    const { counts, counters, trace, store, clock } = this.#state;
    counts.fill(0);
    trace?.phase('mark', 2);
    const startedAt = clock.now();
    const marks = this.#marker.mark();
    counters.markMillis = clock.now() - startedAt;
    trace?.phase('sweep', 2);
    const examined = this.#sweep(marks);
    const survivors = store.lists.length(OLDEST);
    recordSurvivors(this.#state, examined);
    trace?.promote(OLDEST, 2);
    if (survivors === examined) return NOTHING_COLLECTED;
    return this.#unreachableSet.collect(2, OLDEST);
  }

  /**
   * Moves unmarked nodes to `UNREACHABLE`, and the others to the oldest generation. Returns the number of nodes before.
   */
  #sweep(marks: Uint8Array): number {
    const { lists, gcWord, end } = this.#state.store;
    const { listOf } = lists;
    for (let i = FIRST_NODE; i < end; i++) {
      if (marks[i] !== 0) continue;
      const list = listOf[i] as number;
      if (list < GENERATION_0 || list > OLDEST) continue;
      gcWord[i] = COLLECTING;
      lists.move(UNREACHABLE, i);
    }
    lists.merge(GENERATION_0, OLDEST);
    return lists.length(OLDEST) + lists.length(UNREACHABLE);
  }
}
