/**
 * One collection in steps. Nodes have three colours:
 *
 * ```
 *   white ──reached──▶ grey ──edges followed──▶ black
 *     └── still white when no node is grey: unreachable
 * ```
 *
 * **Barrier.** Between two steps the mutator continues, and could hide a white node from the collector. To hide it, the
 * mutator makes a black node lead to it. Then it removes the edges by which the collector would reach it. Dijkstra's
 * barrier forbids the first half. It keeps this invariant:
 *
 * > **No edge leads from a black node to a white one, and no root is white once roots have been visited.**
 *
 * So a node turns grey at once when a black node gets an edge to it, or a caller holds it. New nodes are born black. At
 * the end, no reachable node is white. Each node that was unreachable at the start, and stayed so, is white. A node
 * that becomes unreachable during the cycle may be floating garbage: the next cycle finds it.
 *
 * **Phases.**
 *
 * ```
 *   roots     ──▶ mark      ──▶ sweep     ──▶ finalize    ──▶ delete
 *   each slot     each edge     each slot     all at once     each unreachable node
 * ```
 *
 * The barrier stays on after marking. A handle or a weak reference can lead to a white node until the node is deleted.
 * Such a node turns grey like any other. The cycle restores it, with all that it reaches, before it continues. All
 * finalizers and callbacks run in one step, `finalize`. Before any of them runs, all weak references to unreachable
 * nodes must be cleared.
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
  /**
   * Stack of grey nodes. Some may have been freed since. It has room for each slot of the start, since no node turns
   * grey twice.
   */
  readonly #grey: Int32Array;
  #greyCount = 0;
  /** End of the slots at the start of the cycle. Nodes in later slots are born black. */
  readonly #end: number;
  /** Next slot to visit, in the phases that visit all slots. */
  #nextSlot: number = FIRST_NODE;
  /** Node with more than two edges that is being scanned, or 0. `#scanPlace` is the next of its edges. */
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

  /** Continues until the meter is used up or the cycle is done. Returns true if the cycle is done. */
  work(meter: WorkMeter): boolean {
    while (this.#phase !== 'done') {
      if (!this.#scanAllGrey(meter) || !this.#runPhase(meter)) return false;
    }
    return true;
  }

  colour(index: number): NodeColour {
    return COLOURS[this.#colours[index] as number] as NodeColour;
  }

  /** Gives the cycle up: moves the nodes that were set aside back to the oldest generation. */
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

  /** Continues the current phase. Returns true if the phase has ended, false if the meter was used up first. */
  #runPhase(meter: WorkMeter): boolean {
    switch (this.#phase) {
      case 'roots':
        return this.#visitSlots(meter, 'mark', (index) => this.#shadeIfRoot(index));
      case 'mark':
        // `work` calls this method only when no node is grey.
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

  /** Follows the edges of all grey nodes. Returns true when no grey node is left. */
  #scanAllGrey(meter: WorkMeter): boolean {
    while (this.#scanned !== 0 || this.#greyCount > 0) {
      if (this.#scanned === 0 && !this.#scanNextGrey(meter)) return false;
      if (this.#scanned !== 0 && !this.#continueScan(meter)) return false;
    }
    return true;
  }

  /**
   * Turns a grey node black. Follows up to two edges at once; `#continueScan` follows the edges of a larger node one by
   * one.
   */
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

  /** Shades the target of an edge that the scan follows. */
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

  /** Moves a node that was set aside, and was reached after all, back to the oldest generation. */
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
