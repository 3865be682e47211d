/**
 * Handles: how the outside names a node of a simulated heap.
 *
 * ```
 *   53 bits, so a handle is a safe integer
 *   ┌────────────┬──────────────┬──────────────────────────┐
 *   │ heap (11)  │ reuse (16)   │ place (26)               │
 *   └────────────┴──────────────┴──────────────────────────┘
 *                 the tag (27)
 * ```
 *
 * The place is the node's index. The tag tells apart the nodes that were at one place one after the other: it goes up
 * when a node is freed, and a place whose 65,536 tags are used up is never used again, so a stale handle cannot come back
 * to life. That costs a place, some 40 bytes, for every 65,536 frees at one place. The tag's upper bits are the heap's own,
 * so a handle of another heap is refused as well, unless the two were made a multiple of 2,047 heaps apart.
 */
declare const handleBrand: unique symbol;

/**
 * Names one node of one heap. Opaque: compare handles with `===`, and give them back to the heap that made them.
 */
export type Handle = number & {
  /** Keeps plain numbers from being taken for handles; exists for the compiler only. */
  readonly [handleBrand]: true;
};

/** The most places that a heap can have. */
export const MAX_SLOTS: number = 2 ** 26;
/** How many nodes can be at one place, one after the other. */
export const TAGS_PER_SLOT: number = 2 ** 16;
const SLOT_MASK = MAX_SLOTS - 1;
const HEAP_NUMBERS = 2 ** 11;

let heaps = 0;

/** The tag of the first node at each place of a new heap. Never 0, so that no small integer is taken for a handle. */
export function firstTagOfNextHeap(): number {
  return (1 + (heaps++ % (HEAP_NUMBERS - 1))) * TAGS_PER_SLOT;
}

/** The handle of the node with this tag at `index`. */
export function makeHandle(index: number, tag: number): Handle {
  return (tag * MAX_SLOTS + index) as Handle;
}

/** Where the node is, or was. */
export function indexOfHandle(handle: Handle): number {
  return handle & SLOT_MASK;
}
