/**
 * One collection in steps. Nodes have three colours:
 *
 * ```
 *   white ──reached──▶ grey ──its edges followed──▶ black
 *     └── still white when nothing is grey: unreachable
 * ```
 *
 * Between two steps the mutator goes on, and could hide a white node from the collector: by making a black node lead to it,
 * and removing the edges by which it was to be reached. Dijkstra's barrier forbids the first half. The invariant:
 *
 * > **No edge leads from a black node to a white one, and no root is white once roots have been looked at.**
 *
 * So whatever gets an edge from a black node, or is held from outside, turns grey at once. New nodes are born black. Then
 * nothing reachable can be white in the end, and whatever was unreachable at the start, and stays so, is. What becomes
 * unreachable meanwhile may be left for the next cycle: it floats.
 *
 * ```
 *   roots ──▶ mark ──▶ sweep ──▶ settle ──▶ delete
 *   each place   each edge   each place   all at once   each node of the trash
 * ```
 *
 * The barrier goes on after marking: a handle, or a weak reference, can lead to a white node until it is deleted. Such a node
 * turns grey like any other, and is rescued with all it reaches before the cycle goes on. Finalizers and callbacks run in one
 * step (`settle`), since all weak references to the trash have to die before any of its code runs.
 *
 * Source: Edsger W. Dijkstra, Leslie Lamport, A. J. Martin, C. S. Scholten, E. F. M. Steffens, *On-the-Fly Garbage
 * Collection: An Exercise in Cooperation*, 1978. The barrier shades for black sources only (Guy L. Steele, 1975, after
 * Richard Jones, *The Garbage Collection Handbook*).
 */

import type { CollectionResult } from '../collection-result.js';
import type { NodeColour, WriteBarrier } from '../collector.js';
import type { HeapState } from '../heap-state.js';
import type { EdgeVisitor } from '../memory/edge-store.js';
import {
  FIRST_NODE,
  GENERATION_0,
  OLDEST,
  STILL_UNREACHABLE,
  UNREACHABLE,
} from '../memory/generation-lists.js';
import { COLLECTING, FLAG_LIVE } from '../memory/node-store.js';
import { internalRoots, isRootSlot } from './trace-roots.js';
import { recordSurvivors } from './tracing-trigger.js';
import type { UnreachableSet } from './unreachable-set.js';
import type { WorkMeter } from './work-meter.js';

const WHITE = 0;
const GREY = 1;
const BLACK = 2;
const COLOURS: readonly NodeColour[] = ['white', 'grey', 'black'];

type Phase = 'roots' | 'mark' | 'sweep' | 'finalize' | 'delete' | 'done';

export class IncrementalCycle implements WriteBarrier, EdgeVisitor {
  readonly #state: HeapState;
  readonly #unreachableSet: UnreachableSet;
  #phase: Phase = 'roots';
  #colours: Uint8Array;
  /** Grey nodes, and some that were freed meanwhile. Room for each place there was: none turns grey twice. */
  readonly #grey: Int32Array;
  #greyCount = 0;
  /** The places there were at the start; what is born later is black. */
  readonly #end: number;
  /** The next place to look at, in the phases that go through the places. */
  #nextSlot: number = FIRST_NODE;
  /** The node whose edges are being followed, or 0, and the next of its edges. */
  #scanned = 0;
  #scanPlace = 0;
  #deleteList: number = UNREACHABLE;
  #collected = 0;
  #uncollectable = 0;

  constructor(state: HeapState, unreachableSet: UnreachableSet) {
    this.#state = state;
    this.#unreachableSet = unreachableSet;
    const { end, capacity } = state.store;
    this.#end = end;
    this.#colours = new Uint8Array(capacity);
    this.#grey = new Int32Array(end);
    state.trace?.phase('mark', 2);
    for (const root of internalRoots(state)) this.held(root);
  }

  get result(): CollectionResult {
    return { collected: this.#collected, uncollectable: this.#uncollectable };
  }

  /** Goes on until the meter has run out, or everything is done: then true. */
  work(meter: WorkMeter): boolean {
    while (this.#phase !== 'done') {
      if (!this.#scanAllGrey(meter) || !this.#runPhase(meter)) return false;
    }
    return true;
  }

  colour(index: number): NodeColour {
    return COLOURS[this.#colours[index] as number] as NodeColour;
  }

  /** Puts what was set aside back into the oldest generation. */
  abandon(): void {
    const { lists, gcWord } = this.#state.store;
    for (const list of [UNREACHABLE, STILL_UNREACHABLE]) {
      lists.visit(list, (index) => {
        gcWord[index] = 0;
      });
      lists.merge(list, OLDEST);
    }
    this.#phase = 'done';
  }

  // ── The barrier ──

  allocated(index: number): void {
    if (index >= this.#colours.length) {
      const longer = new Uint8Array(this.#state.store.capacity);
      longer.set(this.#colours);
      this.#colours = longer;
    }
    this.#colours[index] = BLACK;
    this.#state.trace?.shade(index, 'black');
  }

  held(target: number): void {
    if (this.#colours[target] === WHITE) this.#shade(target);
  }

  stored(source: number, target: number): void {
    if (this.#colours[target] === WHITE && this.#colours[source] === BLACK) this.#shade(target);
  }

  removed(source: number, place: number): void {
    if (source === this.#scanned && place < this.#scanPlace) this.#scanPlace--;
  }

  #shade(index: number): void {
    this.#colours[index] = GREY;
    this.#grey[this.#greyCount++] = index;
    this.#state.trace?.shade(index, 'grey');
  }

  // ── The phases ──

  /** True when the phase has ended; false if the meter ran out first. */
  #runPhase(meter: WorkMeter): boolean {
    switch (this.#phase) {
      case 'roots':
        return this.#visitSlots(meter, 'mark', (index) => this.#shadeIfRoot(index));
      case 'mark':
        // Nothing is grey, or this would not have been called.
        this.#enterPhase('sweep');
        return true;
      case 'sweep':
        return this.#visitSlots(meter, 'finalize', (index) => this.#sweep(index));
      case 'finalize':
        this.#finalize();
        return true;
      default:
        return this.#delete(meter);
    }
  }

  #enterPhase(phase: Phase): void {
    this.#phase = phase;
    this.#nextSlot = FIRST_NODE;
    if (phase === 'sweep' || phase === 'delete') this.#state.trace?.phase(phase, 2);
  }

  #visitSlots(meter: WorkMeter, next: Phase, visit: (index: number) => void): boolean {
    const end = this.#end;
    let slot = this.#nextSlot;
    while (slot < end && meter.spend()) visit(slot++);
    this.#nextSlot = slot;
    if (slot < end) return false;
    this.#enterPhase(next);
    return true;
  }

  #shadeIfRoot(index: number): void {
    if (this.#colours[index] === WHITE && isRootSlot(this.#state, index)) this.#shade(index);
  }

  /** Follows the edges of all grey nodes; true when none is left. */
  #scanAllGrey(meter: WorkMeter): boolean {
    while (this.#scanned !== 0 || this.#greyCount > 0) {
      if (this.#scanned === 0 && !this.#scanNextGrey(meter)) return false;
      if (this.#scanned !== 0 && !this.#continueScan(meter)) return false;
    }
    return true;
  }

  /** Turns a grey node black. Up to two edges are followed at once, more of them one by one. */
  #scanNextGrey(meter: WorkMeter): boolean {
    if (!meter.spend()) return false;
    const node = this.#grey[--this.#greyCount] as number;
    const hasDied = !this.#state.store.hasFlag(node, FLAG_LIVE);
    if (hasDied || this.#colours[node] !== GREY) return true;
    this.#colours[node] = BLACK;
    this.#state.trace?.shade(node, 'black');
    this.#restoreReached(node);
    if (!this.#state.store.edges.visitInline(node, this)) {
      this.#scanned = node;
      this.#scanPlace = 0;
    }
    return true;
  }

  /** Shades the target of an edge that is followed. */
  visitEdge(_source: number, target: number): void {
    if (this.#colours[target] === WHITE) this.#shade(target);
  }

  #continueScan(meter: WorkMeter): boolean {
    const { edges } = this.#state.store;
    const count = edges.count(this.#scanned);
    while (this.#scanPlace < count) {
      if (!meter.spend()) return false;
      const target = edges.at(this.#scanned, this.#scanPlace++);
      if (this.#colours[target] === WHITE) this.#shade(target);
    }
    this.#scanned = 0;
    return true;
  }

  /** A node that was set aside and was reached after all goes back. */
  #restoreReached(index: number): void {
    const { lists, gcWord } = this.#state.store;
    const list = lists.listOf[index] as number;
    if (list !== UNREACHABLE && list !== STILL_UNREACHABLE) return;
    gcWord[index] = 0;
    lists.move(OLDEST, index);
  }

  #sweep(index: number): void {
    const { lists, gcWord } = this.#state.store;
    const list = lists.listOf[index] as number;
    if (list < GENERATION_0 || list > OLDEST) return;
    if (this.#colours[index] === WHITE) {
      gcWord[index] = COLLECTING;
      lists.move(UNREACHABLE, index);
    } else if (list !== OLDEST) {
      lists.move(OLDEST, index);
    }
  }

  #finalize(): void {
    const { lists } = this.#state.store;
    const unreachable = lists.length(UNREACHABLE);
    recordSurvivors(this.#state, lists.length(OLDEST) + unreachable);
    if (unreachable > 0) {
      const { list, collected } = this.#unreachableSet.finalize(2, OLDEST);
      this.#deleteList = list;
      this.#collected = collected;
      this.#uncollectable = this.#unreachableSet.keepUncollectable(OLDEST);
    }
    this.#enterPhase('delete');
  }

  #delete(meter: WorkMeter): boolean {
    const { counters, store } = this.#state;
    const freedBefore = counters.freed;
    while (store.lists.length(this.#deleteList) > 0 && meter.spend()) {
      this.#unreachableSet.deleteFirst(this.#deleteList, OLDEST);
    }
    counters.freedByCycle += counters.freed - freedBefore;
    if (store.lists.length(this.#deleteList) > 0) return false;
    this.#enterPhase('done');
    return true;
  }
}
