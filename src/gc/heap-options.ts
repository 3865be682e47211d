/** Options of a simulated heap, their checks and their defaults. */
import { type Clock, systemClock } from '../core/clock.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aBoolean,
  aFunction,
  checkOptions,
  countOrInfinity,
  integer,
  millis,
  type OptionCheck,
  objectWith,
  oneOf,
} from '../core/options.js';
import type { CollectorName, StepBudget } from './collector.js';
import type { CollectionTrigger, HeapStateOptions, UnraisableWhere } from './heap-state.js';
import type { HeapEvent } from './heap-trace.js';
import { canShareMemory } from './memory/column.js';

/** Options of a {@link Heap}. */
export interface HeapOptions {
  /**
   * Collector that finds unreachable nodes. CPython's works by generations. The others mark from the roots: at once, in
   * steps, or on several threads. Under each of them, reference counts free the nodes that are in no cycle.
   *
   * @default 'cpython'
   */
  readonly collector?: CollectorName;
  /**
   * Budget of a step of an `incremental` collection that an allocation runs. A step runs each time allocations exceed
   * the first threshold. With fewer objects than about four times that threshold, the program can lose nodes faster
   * than steps find them.
   *
   * @default { millis: 1 }
   */
  readonly step?: StepBudget;
  /**
   * Number of live nodes from which a `parallel` collection uses other threads.
   *
   * @default 250,000
   */
  readonly parallelFrom?: number;
  /**
   * Number of other threads that a `parallel` collection uses.
   *
   * @default one less than can run at once, at most 3
   */
  readonly helpers?: number;
  /**
   * Counts above which an allocation collects generation 0, 1 and 2.
   *
   * @default [700, 10, 10]
   */
  readonly thresholds?: readonly [number, number, number];
  /**
   * Moment at which an allocation collects: before the new node is tracked, as CPython up to 3.11 does, or after, as
   * 3.12 does.
   *
   * @default 'allocation'
   */
  readonly trigger?: CollectionTrigger;
  /**
   * Clock that measures pauses.
   *
   * @default the clock of the platform
   */
  readonly clock?: Pick<Clock, 'now'>;
  /**
   * Receives what a finalizer or a callback throws, as CPython's "unraisable" hook does. The heap continues as if
   * nothing had been thrown.
   *
   * @default prints with `console.error`
   */
  readonly onUnraisable?: (error: unknown, where: UnraisableWhere) => void;
  /**
   * Receives each line that CPython prints for the flags of `gc.setDebug`.
   *
   * @default prints with `console.error`, as CPython prints to standard error
   */
  readonly onDebug?: (line: string) => void;
  /**
   * Receives each event of the heap as it happens, for animations and logs. The heap cannot be used during the call: it
   * throws {@link HeapBusyError} (`TENURE_HEAP_BUSY`). What the trace throws goes to `onUnraisable`.
   *
   * @default none, at the cost of one comparison per event
   *
   * @example
   * ```ts
   * import { Heap } from 'tenure/gc';
   *
   * const told: string[] = [];
   * const heap = new Heap({ trace: ({ type }) => told.push(type) });
   * const list = heap.alloc();
   * heap.link(list, list);
   * heap.clear(list);
   * heap.drop(list);
   * told; // => ['alloc', 'edge+', 'edge-', 'free']
   * ```
   */
  readonly trace?: (event: HeapEvent) => void;
  /**
   * True to count the nodes by kind, site and generation, for {@link Heap.census}. Costs some nanoseconds and 4 bytes per node.
   *
   * @default false
   */
  readonly census?: boolean;
}

const threeCounts: OptionCheck = (value) =>
  Array.isArray(value) &&
  value.length === 3 &&
  value.every((count) => integer(0)(count) === undefined)
    ? undefined
    : 'three integers ≥ 0';

const aStepBudget: OptionCheck = (value) => {
  if (typeof value !== 'object' || value === null) return 'an object';
  checkStepBudget('new Heap: step', value);
  return undefined;
};

/** Throws an `InvalidArgumentError` for an unknown or malformed budget of a step. */
export function checkStepBudget(where: string, budget: object): asserts budget is StepBudget {
  checkOptions<StepBudget>(where, budget, { objects: countOrInfinity(1), millis });
}

/** Throws an `InvalidArgumentError` for an unknown or malformed option. */
export function checkHeapOptions(options: HeapOptions): void {
  checkOptions<HeapOptions>('new Heap', options, {
    collector: oneOf('cpython', 'mark-sweep', 'incremental', 'parallel'),
    step: aStepBudget,
    parallelFrom: integer(0),
    helpers: integer(0, 64),
    thresholds: threeCounts,
    trigger: oneOf('allocation', 'safepoint'),
    clock: objectWith('now'),
    onUnraisable: aFunction,
    onDebug: aFunction,
    trace: aFunction,
    census: aBoolean,
  });
}

/** Returns the options of the heap's state, with defaults. */
export function stateOptionsOf(options: HeapOptions): HeapStateOptions {
  return {
    clock: options.clock ?? systemClock,
    thresholds: options.thresholds ?? [700, 10, 10],
    trigger: options.trigger ?? 'allocation',
    onUnraisable: options.onUnraisable ?? printUnraisable,
    onDebug: options.onDebug ?? printDebug,
    shared: options.collector === 'parallel' && canShareMemory,
    trace: options.trace,
    census: options.census ?? false,
  };
}

/** Prints what a finalizer or a callback threw. */
function printUnraisable(error: unknown, where: UnraisableWhere): void {
  reportIgnoredError(`a ${where} of a simulated heap`, error);
}

/** Prints debug output where CPython prints it. */
function printDebug(line: string): void {
  console.error(line);
}
