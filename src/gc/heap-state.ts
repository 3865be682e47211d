/** What the rooms of one simulated heap share: its memory, the collector's state, the counters, and who is called. */
import type { Clock } from '../core/clock.js';
import type { Handle } from './handle.js';
import { makeHandle } from './handle.js';
import { HeapCounters } from './heap-stats.js';
import { NodeStore } from './node-store.js';

/**
 * A finalizer, or the callback of a weak reference. It is given the heap, of which these rooms know nothing: they pass it on,
 * and stand below it.
 */
export type NodeCallback = (node: Handle, heap: never) => void;

/** Where an error came from that nobody can be given. */
export type UnraisableWhere = 'finalizer' | 'weakref callback' | 'gc callback' | 'trace';

/** When allocations run the collector: before the new node is tracked (CPython ≤ 3.11), or after (3.12). */
export type CollectionTrigger = 'allocation' | 'safepoint';

export class HeapState {
  readonly store: NodeStore = new NodeStore();
  readonly counters: HeapCounters = new HeapCounters();
  /** The heap that callbacks are given. */
  readonly heap: never;
  readonly clock: Pick<Clock, 'now'>;
  readonly trigger: CollectionTrigger;
  readonly onUnraisable: (error: unknown, where: UnraisableWhere) => void;

  /** CPython's `generations[i].count` and `.threshold`. */
  readonly counts: [number, number, number] = [0, 0, 0];
  readonly thresholds: [number, number, number];
  enabled = true;
  collecting = false;
  debug = 0;
  longLivedTotal = 0;
  longLivedPending = 0;
  readonly garbage: number[] = [];
  readonly callbacks: ((phase: 'start' | 'stop', info: CollectionInfo) => void)[] = [];

  /** By index of the node. */
  readonly finalizers: (NodeCallback | undefined)[] = [];
  readonly weakCallbacks: (NodeCallback | undefined)[] = [];
  /** References from outside the heap: holds, roots, garbage, and nodes that are being worked on. */
  holds = 0;
  disposed = false;

  constructor(
    heap: never,
    clock: Pick<Clock, 'now'>,
    thresholds: readonly [number, number, number],
    trigger: CollectionTrigger,
    onUnraisable: (error: unknown, where: UnraisableWhere) => void,
  ) {
    this.heap = heap;
    this.clock = clock;
    this.thresholds = [...thresholds];
    this.trigger = trigger;
    this.onUnraisable = onUnraisable;
  }

  handle(index: number): Handle {
    return makeHandle(index, this.store.reuse[index] as number);
  }

  /** Calls something of the user's, unless the heap was disposed of. What it throws has no caller to go to. */
  guard(where: UnraisableWhere, call: () => void): void {
    if (this.disposed) return;
    try {
      call();
    } catch (error) {
      this.counters.unraisable++;
      this.onUnraisable(error, where);
    }
  }
}

/** What a collection tells the callbacks in `gc.callbacks`, as CPython does. */
export interface CollectionInfo {
  /** The generation that is collected. */
  readonly generation: number;
  /** How many nodes were collected; 0 at the start. */
  readonly collected: number;
  /** How many nodes could not be collected; 0 at the start. */
  readonly uncollectable: number;
}
