/**
 * The stream of events in a heap, step by step, for animations and logs. Each place in the code where an event happens
 * has one line, `trace?.…`. So a heap without a trace pays for a comparison with `null`, and nothing else.
 *
 * The heap emits events in the middle of a deallocation or a collection, not between two operations. So the heap
 * refuses to be used meanwhile, and each event carries all its data.
 */

import type { NodeColour } from './collector.js';
import type { GenerationLists } from './memory/generation-lists.js';
import type { Handle } from './memory/handle.js';
import type { HandleTable } from './memory/handle-table.js';

/**
 * Phase of a collection. A collection starts and finds unreachable nodes (`find-unreachable`, or `mark` and `sweep`).
 * It clears weak references and runs callbacks, then runs finalizers. If code ran, it finds resurrected nodes. Then it
 * deletes, and stops.
 */
export type CollectionPhase =
  | 'start'
  | 'find-unreachable'
  | 'mark'
  | 'sweep'
  | 'clear-weak-references'
  | 'finalize'
  | 'find-resurrected'
  | 'delete'
  | 'stop';

/** A node was allocated. */
export interface AllocEvent {
  /** Type of the event. */
  readonly type: 'alloc';
  /** New node. */
  readonly node: Handle;
  /** Kind of the node. */
  readonly kind: string;
  /** Memory that the node stands for, in bytes. */
  readonly size: number;
}

/** A node was finalized, resurrected or freed. */
export interface NodeEvent {
  /**
   * - `finalize`: the finalizer of the node is about to run;
   * - `resurrect`: the node was about to die, and is held again;
   * - `free`: the node was freed, after its finalizer ran and its weak references and edges were cleared.
   */
  readonly type: 'finalize' | 'resurrect' | 'free';
  /** Node of the event. */
  readonly node: Handle;
}

/**
 * A node changed colour in an incremental collection: it was reached, all its edges were followed, or it was born
 * black.
 */
export interface ShadeEvent {
  /** Type of the event. */
  readonly type: 'shade';
  /** Node of the event. */
  readonly node: Handle;
  /** Colour of the node from now on. */
  readonly colour: NodeColour;
}

/** Nodes survived a collection. */
export interface PromoteEvent {
  /** Type of the event. */
  readonly type: 'promote';
  /** Survivors, in the collector's order. */
  readonly nodes: readonly Handle[];
  /** Generation that they are in now. After a full collection, some were in it before. */
  readonly to: 1 | 2;
}

/** An edge was added or removed. The edges of a dying node are removed before the node is freed. */
export interface EdgeEvent {
  /** Added or removed. */
  readonly type: 'edge+' | 'edge-';
  /** Node that has the edge. */
  readonly from: Handle;
  /** Target of the edge. */
  readonly to: Handle;
}

/** A weak reference was cleared, since it or its target is dying. */
export interface WeakClearEvent {
  /** Type of the event. */
  readonly type: 'weak-clear';
  /** Weak reference. */
  readonly weak: Handle;
  /** Target that the reference had. */
  readonly target: Handle;
}

/** The callback of a weak reference is about to run. */
export interface WeakCallbackEvent {
  /** Type of the event. */
  readonly type: 'weak-callback';
  /** Weak reference. */
  readonly weak: Handle;
}

/** A collection enters a phase. Phases without work are left out. */
export interface PhaseEvent {
  /** Type of the event. */
  readonly type: 'phase';
  /** Phase that begins. */
  readonly phase: CollectionPhase;
  /** Generation that is collected, with all younger ones. */
  readonly generation: 0 | 1 | 2;
}

/** Event of a heap, which the option `trace` receives. */
export type HeapEvent =
  | AllocEvent
  | NodeEvent
  | ShadeEvent
  | PromoteEvent
  | EdgeEvent
  | WeakClearEvent
  | WeakCallbackEvent
  | PhaseEvent;

export class HeapTrace {
  readonly #lists: GenerationLists;
  readonly #handles: HandleTable;
  readonly #emit: (event: HeapEvent) => void;

  /** `emit` must not throw. */
  constructor(lists: GenerationLists, handles: HandleTable, emit: (event: HeapEvent) => void) {
    this.#lists = lists;
    this.#handles = handles;
    this.#emit = emit;
  }

  alloc(index: number, kind: string, size: number): void {
    this.#emit({ type: 'alloc', node: this.#handles.of(index), kind, size });
  }

  node(type: NodeEvent['type'], index: number): void {
    this.#emit({ type, node: this.#handles.of(index) });
  }

  shade(index: number, colour: NodeColour): void {
    this.#emit({ type: 'shade', node: this.#handles.of(index), colour });
  }

  /** Reports that the nodes of a list have survived. */
  promote(list: number, to: 1 | 2): void {
    const nodes = this.#handlesIn(list);
    if (nodes.length > 0) this.#emit({ type: 'promote', nodes, to });
  }

  /** Reports that all nodes of a list are resurrected. */
  resurrected(list: number): void {
    for (const node of this.#handlesIn(list)) this.#emit({ type: 'resurrect', node });
  }

  edge(type: EdgeEvent['type'], from: number, to: number): void {
    this.#emit({ type, from: this.#handles.of(from), to: this.#handles.of(to) });
  }

  weakClear(weak: number, target: number): void {
    this.#emit({
      type: 'weak-clear',
      weak: this.#handles.of(weak),
      target: this.#handles.of(target),
    });
  }

  weakCallback(weak: number): void {
    this.#emit({ type: 'weak-callback', weak: this.#handles.of(weak) });
  }

  phase(phase: CollectionPhase, generation: 0 | 1 | 2): void {
    this.#emit({ type: 'phase', phase, generation });
  }

  #handlesIn(list: number): Handle[] {
    const nodes: Handle[] = [];
    this.#lists.visit(list, (index) => nodes.push(this.#handles.of(index)));
    return nodes;
  }
}
