/** How a simulated heap and its nodes are set up, and what is checked of it. */
import { type Clock, systemClock } from '../core/clock.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aFunction,
  checkOptions,
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

/** How a {@link Heap} is set up. */
export interface HeapOptions {
  /**
   * Which collector finds unreachable nodes: CPython's by generations, or one that marks from the roots, at once, in steps, or
   * on several threads. Reference counts free what is in no cycle under each of them.
   *
   * @defaultValue 'cpython'
   */
  readonly collector?: CollectorName;
  /**
   * How much an allocation may do of an `incremental` collection, once in as many allocations as the first threshold. With fewer
   * objects than some four times that, nodes can be lost faster than they are found.
   *
   * @defaultValue { millis: 1 }
   */
  readonly step?: StepBudget;
  /**
   * How many nodes have to be alive for a `parallel` collection to use other threads.
   *
   * @defaultValue 250,000
   */
  readonly parallelFrom?: number;
  /**
   * How many other threads a `parallel` collection uses.
   *
   * @defaultValue one less than can run at once, at most 3
   */
  readonly helpers?: number;
  /**
   * The counts above which an allocation collects generation 0, 1 and 2.
   *
   * @defaultValue [700, 10, 10]
   */
  readonly thresholds?: readonly [number, number, number];
  /**
   * When an allocation collects: before the new node is tracked, as CPython up to 3.11, or after, as 3.12.
   *
   * @defaultValue 'allocation'
   */
  readonly trigger?: CollectionTrigger;
  /**
   * The time by which pauses are measured.
   *
   * @defaultValue the platform's
   */
  readonly clock?: Pick<Clock, 'now'>;
  /**
   * Is given what a finalizer or a callback throws: CPython's "unraisable" hook. The heap goes on as if nothing had been
   * thrown.
   *
   * @defaultValue prints it with `console.error`
   */
  readonly onUnraisable?: (error: unknown, where: UnraisableWhere) => void;
  /**
   * Is given each line that the flags of `gc.setDebug` have CPython print.
   *
   * @defaultValue prints it with `console.error`, as CPython does
   */
  readonly onDebug?: (line: string) => void;
  /**
   * Is told of everything that happens, at the moment: for animations and logs. The heap cannot be used meanwhile: that throws {@link HeapBusyError}
   * (`TENURE_HEAP_BUSY`). What it throws goes to `onUnraisable`.
   *
   * @defaultValue none, which costs next to nothing
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
  checkOptions<StepBudget>(where, budget, { objects: atLeastOneOrInfinity, millis });
}

const atLeastOneOrInfinity: OptionCheck = (value) =>
  value === Number.POSITIVE_INFINITY || integer(1)(value) === undefined
    ? undefined
    : 'an integer ≥ 1, or Infinity';

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
  });
}

/** The options of a heap's state, with defaults for what is left out. */
export function stateOptionsOf(options: HeapOptions): HeapStateOptions {
  return {
    clock: options.clock ?? systemClock,
    thresholds: options.thresholds ?? [700, 10, 10],
    trigger: options.trigger ?? 'allocation',
    onUnraisable: options.onUnraisable ?? printUnraisable,
    onDebug: options.onDebug ?? printDebug,
    shared: options.collector === 'parallel' && canShareMemory,
    trace: options.trace,
  };
}

/** The hook that prints. */
function printUnraisable(error: unknown, where: UnraisableWhere): void {
  reportIgnoredError(`a ${where} of a simulated heap`, error);
}

/** The hook that prints debug output where CPython prints it. */
function printDebug(line: string): void {
  console.error(line);
}
