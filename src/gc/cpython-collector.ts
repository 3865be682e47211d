/**
 * CPython 3.11's cycle collector, step for step (Modules/gcmodule.c). Reference counts free everything but cycles; the collector finds
 * those without knowing a single root. Within the generations being collected it subtracts from each node's count the
 * references that come from within. What is left over comes from outside, so it is alive, and with it all it reaches.
 *
 * ```
 *   young ──update refs, subtract──▶ scan ──▶ survivors ──▶ older generation
 *                                     └─▶ unreachable
 *                                          ├─▶ legacy finalizers, and what they reach ──▶ uncollectable
 *                                          ├─▶ weak references cleared, callbacks called
 *                                          ├─▶ finalizers called, once per node ever
 *                                          ├─▶ resurrected ──▶ older generation
 *                                          └─▶ edges cleared: reference counting does the rest
 * ```
 *
 * The order within each list, and so of finalizers and callbacks, is CPython's. It comes from how the scan moves nodes back
 * and forth, and from edges being visited last to first.
 *
 * A full collection is skipped while what has survived since the last one is less than a quarter of what survived it, so
 * that a growing heap costs amortised linear time (Martin von Löwis, 2008).
 */
import type { Deallocator } from './deallocator.js';
import { DEBUG_SAVEALL } from './debug-flags.js';
import type { HeapState } from './heap-state.js';
import {
  FINALIZABLE,
  FINALIZED_TRASH,
  FLAG_COLLECTING,
  FLAG_FINALIZED,
  FLAG_UNREACHABLE,
  GENERATION_0,
  KIND_MASK,
  LEGACY,
  OLDEST,
  PENDING_CALLBACKS,
  STILL_UNREACHABLE,
  UNCOLLECTABLE,
  UNREACHABLE,
  WEAK,
} from './node-store.js';
import type { WeakReferences } from './weak-references.js';

/** A generation, the youngest being 0. */
export type Generation = 0 | 1 | 2;

const NOTHING = { collected: 0, uncollectable: 0 };

export class CPythonCollector {
  readonly #state: HeapState;
  readonly #deallocator: Deallocator;
  readonly #weak: WeakReferences;

  constructor(state: HeapState, deallocator: Deallocator, weak: WeakReferences) {
    this.#state = state;
    this.#deallocator = deallocator;
    this.#weak = weak;
  }

  /** Collects the oldest generation whose count is over its threshold, after an allocation. */
  collectIfDue(): void {
    const { counts, thresholds, longLivedPending, longLivedTotal } = this.#state;
    for (let generation = OLDEST - GENERATION_0; generation >= 0; generation--) {
      if ((counts[generation] as number) <= (thresholds[generation] as number)) continue;
      if (generation === 2 && longLivedPending < Math.floor(longLivedTotal / 4)) continue;
      this.#state.counters.lastTrigger = 'threshold';
      this.#collect(generation as Generation);
      return;
    }
  }

  /** Collects a generation and all younger ones; returns how many nodes were found unreachable. */
  collect(generation: Generation): number {
    if (this.#state.collecting) return 0;
    this.#state.counters.lastTrigger = 'explicit';
    const { collected, uncollectable } = this.#collect(generation);
    return collected + uncollectable;
  }

  #collect(generation: Generation): { collected: number; uncollectable: number } {
    const state = this.#state;
    const startedAt = state.clock.now();
    state.collecting = true;
    let result = NOTHING;
    try {
      this.#tell('start', generation, NOTHING);
      result = this.#run(generation);
      state.counters.collected(generation, result, state.clock.now() - startedAt);
      this.#tell('stop', generation, result);
    } finally {
      state.collecting = false;
    }
    return result;
  }

  #tell(phase: 'start' | 'stop', generation: Generation, result: typeof NOTHING): void {
    for (const callback of [...this.#state.callbacks]) {
      this.#state.guard('gc callback', () => callback(phase, { generation, ...result }));
    }
  }

  #run(generation: Generation): { collected: number; uncollectable: number } {
    const state = this.#state;
    const { store, counts, counters } = state;
    if (generation < 2) counts[generation + 1] = (counts[generation + 1] as number) + 1;
    for (let younger = 0; younger <= generation; younger++) counts[younger] = 0;

    const young = GENERATION_0 + generation;
    for (let list = GENERATION_0; list < young; list++) store.splice(list, young);
    const old = generation < 2 ? young + 1 : young;

    const examined = store.listLength[young] as number;
    this.#deduceUnreachable(young, UNREACHABLE);
    const survivors = store.listLength[young] as number;
    counters.survived(generation, examined, survivors);
    if (generation === 1) state.longLivedPending += survivors;
    if (generation === 2) {
      state.longLivedPending = 0;
      state.longLivedTotal = survivors;
    } else {
      store.merge(young, old);
    }
    if (survivors === examined) return NOTHING;

    this.#setLegacyAside();
    const callsBefore = counters.weakCallbacks + counters.finalizersRun;
    let collected = this.#handleWeakReferences(old);
    this.#runFinalizers();
    // Where no code has run, nothing can have been resurrected.
    const codeRan = counters.weakCallbacks + counters.finalizersRun > callsBefore;
    const trash = codeRan ? this.#setResurrectedAside(old) : UNREACHABLE;

    collected += store.listLength[trash] as number;
    const freedBefore = counters.freed;
    this.#deleteGarbage(trash, old);
    counters.freedByCycle += counters.freed - freedBefore;
    const uncollectable = this.#keepLegacy(old);
    return { collected, uncollectable };
  }

  /** Moves what finalizers and callbacks brought back, and all it reaches, to `old`; returns the list of the rest. */
  #setResurrectedAside(old: number): number {
    const { store, counters } = this.#state;
    this.#clearCollecting(UNREACHABLE);
    this.#deduceUnreachable(UNREACHABLE, STILL_UNREACHABLE);
    counters.resurrections += store.listLength[UNREACHABLE] as number;
    store.merge(UNREACHABLE, old);
    return STILL_UNREACHABLE;
  }

  /** Leaves what is reachable from outside in `base`, and moves the rest to `unreachable`. */
  #deduceUnreachable(base: number, unreachable: number): void {
    this.#subtractInternalReferences(base);
    this.#moveUnreachable(base, unreachable);
    const { store } = this.#state;
    const { flags, next } = store;
    for (let i = next[unreachable] as number; i !== unreachable; i = next[i] as number) {
      flags[i] = (flags[i] as number) & ~FLAG_UNREACHABLE;
    }
  }

  #subtractInternalReferences(base: number): void {
    const { store } = this.#state;
    const { next, list, flags, gcRefs, refcount, edgeCount, edgeA, edgeB, slab } = store;
    for (let i = next[base] as number; i !== base; i = next[i] as number) {
      list[i] = base;
      gcRefs[i] = refcount[i] as number;
      flags[i] = (flags[i] as number) | FLAG_COLLECTING;
    }
    for (let i = next[base] as number; i !== base; i = next[i] as number) {
      const count = edgeCount[i] as number;
      if (count === 0) continue;
      const first = edgeA[i] as number;
      if (count > 2) {
        for (let place = first; place < first + count; place++) {
          const target = slab[place] as number;
          if (((flags[target] as number) & FLAG_COLLECTING) !== 0) {
            gcRefs[target] = (gcRefs[target] as number) - 1;
          }
        }
        continue;
      }
      if (((flags[first] as number) & FLAG_COLLECTING) !== 0) {
        gcRefs[first] = (gcRefs[first] as number) - 1;
      }
      if (count === 2) {
        const second = edgeB[i] as number;
        if (((flags[second] as number) & FLAG_COLLECTING) !== 0) {
          gcRefs[second] = (gcRefs[second] as number) - 1;
        }
      }
    }
  }

  /**
   * The scan: nodes with references from outside stay and bring back what they reach; the others go to `unreachable`, from where a
   * later one may bring them back to the end of the list.
   */
  #moveUnreachable(base: number, unreachable: number): void {
    const { store } = this.#state;
    const { next, previous, flags, gcRefs, list, edgeCount, edgeA, edgeB, slab } = store;
    let moved = 0;
    let scanned = next[base] as number;
    const reach = (target: number): void => {
      const flag = flags[target] as number;
      if ((flag & FLAG_COLLECTING) === 0) return;
      if ((flag & FLAG_UNREACHABLE) !== 0) {
        const before = previous[target] as number;
        const after = next[target] as number;
        next[before] = after;
        previous[after] = before;
        const last = previous[base] as number;
        next[last] = target;
        previous[target] = last;
        next[target] = base;
        previous[base] = target;
        list[target] = base;
        moved--;
        flags[target] = flag & ~FLAG_UNREACHABLE;
        gcRefs[target] = 1;
      } else if (gcRefs[target] === 0) {
        gcRefs[target] = 1;
      }
    };
    while (scanned !== base) {
      const i = scanned;
      if ((gcRefs[i] as number) > 0) {
        const count = edgeCount[i] as number;
        if (count > 2) {
          const first = edgeA[i] as number;
          for (let place = first + count - 1; place >= first; place--) reach(slab[place] as number);
        } else if (count > 0) {
          if (count === 2) reach(edgeB[i] as number);
          reach(edgeA[i] as number);
        }
        flags[i] = (flags[i] as number) & ~FLAG_COLLECTING;
        scanned = next[i] as number;
      } else {
        scanned = next[i] as number;
        const before = previous[i] as number;
        next[before] = scanned;
        previous[scanned] = before;
        const last = previous[unreachable] as number;
        next[last] = i;
        previous[i] = last;
        next[i] = unreachable;
        previous[unreachable] = i;
        list[i] = unreachable;
        flags[i] = (flags[i] as number) | FLAG_UNREACHABLE;
        moved++;
      }
    }
    const { listLength } = store;
    listLength[base] = (listLength[base] as number) - moved;
    listLength[unreachable] = (listLength[unreachable] as number) + moved;
  }

  /** Nodes with a legacy finalizer, and what they reach, are not collected: nobody knows in which order to finalize them. */
  #setLegacyAside(): void {
    const { store } = this.#state;
    if (store.population[LEGACY] === 0) return;
    const { flags } = store;
    this.#forEach(UNREACHABLE, (i) => {
      if (((flags[i] as number) & KIND_MASK) !== LEGACY) return;
      flags[i] = (flags[i] as number) & ~FLAG_COLLECTING;
      store.move(UNCOLLECTABLE, i);
    });
    const { next } = store;
    for (let i = next[UNCOLLECTABLE] as number; i !== UNCOLLECTABLE; i = next[i] as number) {
      if (((flags[i] as number) & KIND_MASK) === WEAK) continue;
      for (let place = (store.edgeCount[i] as number) - 1; place >= 0; place--) {
        const target = store.edgeAt(i, place);
        if (((flags[target] as number) & FLAG_COLLECTING) === 0) continue;
        flags[target] = (flags[target] as number) & ~FLAG_COLLECTING;
        store.move(UNCOLLECTABLE, target);
      }
    }
  }

  /** Clears every weak reference in and to the trash, before any of its code runs; returns how many died of it. */
  #handleWeakReferences(old: number): number {
    const state = this.#state;
    const { store, weakCallbacks } = state;
    if (store.population[WEAK] === 0) return 0;
    this.#forEach(UNREACHABLE, (i) => {
      if (this.#weak.isWeak(i)) {
        this.#weak.clear(i);
        return;
      }
      for (let weak = store.weakHead[i] as number; weak !== 0; weak = store.weakHead[i] as number) {
        this.#weak.clear(weak);
        if (weakCallbacks[weak] === undefined) continue;
        if (((store.flags[weak] as number) & FLAG_COLLECTING) !== 0) continue;
        this.#deallocator.hold(weak);
        store.move(PENDING_CALLBACKS, weak);
      }
    });
    let died = 0;
    for (
      let weak = this.#first(PENDING_CALLBACKS);
      weak !== 0;
      weak = this.#first(PENDING_CALLBACKS)
    ) {
      const callback = weakCallbacks[weak];
      if (callback !== undefined) this.#deallocator.callBack(weak, callback);
      this.#deallocator.drop(weak);
      if (this.#first(PENDING_CALLBACKS) === weak) store.move(old, weak);
      else died++;
    }
    return died;
  }

  #runFinalizers(): void {
    const { store } = this.#state;
    if (store.population[FINALIZABLE] === 0) return;
    for (let i = this.#first(UNREACHABLE); i !== 0; i = this.#first(UNREACHABLE)) {
      store.move(FINALIZED_TRASH, i);
      const flag = store.flags[i] as number;
      if ((flag & KIND_MASK) !== FINALIZABLE || (flag & FLAG_FINALIZED) !== 0) continue;
      store.flags[i] = flag | FLAG_FINALIZED;
      this.#deallocator.hold(i);
      this.#deallocator.finalize(i);
      this.#deallocator.drop(i);
    }
    store.merge(FINALIZED_TRASH, UNREACHABLE);
  }

  /** Breaks the cycles; reference counting frees what they held together. */
  #deleteGarbage(trash: number, old: number): void {
    const state = this.#state;
    const { store } = state;
    for (let i = this.#first(trash); i !== 0; i = this.#first(trash)) {
      if ((state.debug & DEBUG_SAVEALL) !== 0) {
        this.#toGarbage(i);
      } else {
        this.#deallocator.hold(i);
        if (this.#weak.isWeak(i)) this.#weak.detach(i);
        else this.#deallocator.clearEdges(i);
        this.#deallocator.drop(i);
      }
      if (this.#first(trash) !== i) continue;
      store.flags[i] = (store.flags[i] as number) & ~FLAG_COLLECTING;
      store.move(old, i);
    }
  }

  #keepLegacy(old: number): number {
    const { store, debug } = this.#state;
    const uncollectable = store.listLength[UNCOLLECTABLE] as number;
    this.#forEach(UNCOLLECTABLE, (i) => {
      const isLegacy = ((store.flags[i] as number) & KIND_MASK) === LEGACY;
      if (isLegacy || (debug & DEBUG_SAVEALL) !== 0) this.#toGarbage(i);
    });
    store.merge(UNCOLLECTABLE, old);
    return uncollectable;
  }

  #toGarbage(index: number): void {
    this.#deallocator.hold(index);
    this.#state.garbage.push(index);
  }

  #clearCollecting(list: number): void {
    const { flags } = this.#state.store;
    this.#forEach(list, (i) => {
      flags[i] = (flags[i] as number) & ~FLAG_COLLECTING;
    });
  }

  /** Visits a list in order; the current node may leave it. */
  #forEach(list: number, visit: (index: number) => void): void {
    const { store } = this.#state;
    for (let i = store.next[list] as number; i !== list; ) {
      const following = store.next[i] as number;
      visit(i);
      i = following;
    }
  }

  #first(list: number): number {
    const first = this.#state.store.next[list] as number;
    return first === list ? 0 : first;
  }
}
