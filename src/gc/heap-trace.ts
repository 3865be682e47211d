/**
 * The stream of what happens in a heap, step by step: what an animation or a log is made from. Every place where something
 * happens has one line, `trace?.…`, so a heap that is not traced pays for a comparison with `null` and nothing else.
 *
 * Events are told at the moment, in the middle of deallocations and collections, when the heap is not between two
 * operations. So while it tells, the heap refuses to be used, and each event carries what is to be known.
 */

import type { NodeColour } from './collector.js';
import type { GenerationLists } from './memory/generation-lists.js';
import type { Handle } from './memory/handle.js';
import type { HandleTable } from './memory/handle-table.js';

/**
 * Where a collection is: it starts, seeks what is unreachable (`find-unreachable`, or `mark` and `sweep`), clears weak references
 * and calls back, finalizes, seeks once more if code ran, deletes, and stops.
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
  /** Tells it apart. */
  readonly type: 'alloc';
  /** The new node. */
  readonly node: Handle;
  /** What it stands for. */
  readonly kind: string;
  /** How much memory it stands for, in bytes. */
  readonly size: number;
}

/** What happened to one node. */
export interface NodeEvent {
  /**
   * - `finalize`: its finalizer is about to run;
   * - `resurrect`: it was about to die, and is held again;
   * - `free`: it was freed; its finalizer, its weak references and its edges are done with.
   */
  readonly type: 'finalize' | 'resurrect' | 'free';
  /** The node. */
  readonly node: Handle;
}

/** An incremental collection reached a node, or has followed all its edges; or a node was born black during it. */
export interface ShadeEvent {
  /** Tells it apart. */
  readonly type: 'shade';
  /** The node. */
  readonly node: Handle;
  /** Its colour from now on. */
  readonly colour: NodeColour;
}

/** Nodes survived a collection. */
export interface PromoteEvent {
  /** Tells it apart. */
  readonly type: 'promote';
  /** The survivors, in the collector's order. */
  readonly nodes: readonly Handle[];
  /** The generation that they are in now; after a full collection, some were in it before. */
  readonly to: 1 | 2;
}

/** An edge was added, or removed. Those that a node still has when it dies are removed before it is freed. */
export interface EdgeEvent {
  /** Which of the two. */
  readonly type: 'edge+' | 'edge-';
  /** The node whose edge it is. */
  readonly from: Handle;
  /** The node that it leads to. */
  readonly to: Handle;
}

/** A weak reference leads nowhere any more: it, or its target, is dying. */
export interface WeakClearEvent {
  /** Tells it apart. */
  readonly type: 'weak-clear';
  /** The weak reference. */
  readonly weak: Handle;
  /** What it led to. */
  readonly target: Handle;
}

/** A weak reference's callback is about to run. */
export interface WeakCallbackEvent {
  /** Tells it apart. */
  readonly type: 'weak-callback';
  /** The weak reference. */
  readonly weak: Handle;
}

/** A collection enters a phase. Phases with nothing to do are left out. */
export interface PhaseEvent {
  /** Tells it apart. */
  readonly type: 'phase';
  /** The phase that begins. */
  readonly phase: CollectionPhase;
  /** The generation that is collected, with all younger ones. */
  readonly generation: 0 | 1 | 2;
}

/** Something that happened in a heap, as given to the option `trace`. */
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

  /** `tell` does not throw. */
  constructor(lists: GenerationLists, handles: HandleTable, tell: (event: HeapEvent) => void) {
    this.#lists = lists;
    this.#handles = handles;
    this.#emit = tell;
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

  /** The nodes of a list have survived. */
  promote(list: number, to: 1 | 2): void {
    const nodes = this.#handlesIn(list);
    if (nodes.length > 0) this.#emit({ type: 'promote', nodes, to });
  }

  /** All nodes of a list were found to be resurrected. */
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
