/** How a simulated heap and its nodes are set up, and what is checked of it. */
import type { Clock } from '../core/clock.js';
import { reportIgnoredError } from '../core/ignored-error.js';
import {
  aBoolean,
  aFunction,
  aName,
  checkOptions,
  integer,
  type OptionCheck,
  objectWith,
  oneOf,
} from '../core/options.js';
import type { CollectionTrigger, UnraisableWhere } from './heap-state.js';
import type { HeapEvent } from './heap-trace.js';
import { LARGEST_SIZE } from './node-store.js';

/** Which collector finds unreachable nodes. */
export type CollectorName = 'cpython';

/** How a {@link Heap} is set up. */
export interface HeapOptions {
  /**
   * Which collector finds unreachable nodes.
   *
   * @defaultValue 'cpython'
   */
  readonly collector?: CollectorName;
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

/** Throws an `InvalidArgumentError` for an unknown or malformed option. */
export function checkHeapOptions(options: HeapOptions): void {
  checkOptions<HeapOptions>('new Heap', options, {
    collector: oneOf('cpython'),
    thresholds: threeCounts,
    trigger: oneOf('allocation', 'safepoint'),
    clock: objectWith('now'),
    onUnraisable: aFunction,
    trace: aFunction,
  });
}

const NODE_CHECKS = {
  kind: aName,
  size: integer(0, LARGEST_SIZE),
  finalizer: aFunction,
  legacy: aBoolean,
};

/** The same for a node's. Each allocation calls it, so what is plainly well-formed is let through without the full check. */
export function checkNodeOptions(options: object): void {
  if (isPlainlyWellFormed(options)) return;
  checkOptions<{ [name in keyof typeof NODE_CHECKS]: unknown }>('heap.alloc', options, NODE_CHECKS);
}

function isPlainlyWellFormed(options: {
  readonly kind?: unknown;
  readonly size?: unknown;
  readonly finalizer?: unknown;
  readonly legacy?: unknown;
}): boolean {
  if (typeof options !== 'object' || options === null) return false;
  for (const name in options) {
    if (name !== 'kind' && name !== 'finalizer' && name !== 'size' && name !== 'legacy')
      return false;
  }
  const { kind, size, finalizer, legacy } = options;
  return (
    (kind === undefined || (typeof kind === 'string' && kind !== '')) &&
    (finalizer === undefined || typeof finalizer === 'function') &&
    (size === undefined || NODE_CHECKS.size(size) === undefined) &&
    (legacy === undefined || typeof legacy === 'boolean')
  );
}

/** The hook that prints. */
export function printUnraisable(error: unknown, where: UnraisableWhere): void {
  reportIgnoredError(`a ${where} of a simulated heap`, error);
}
