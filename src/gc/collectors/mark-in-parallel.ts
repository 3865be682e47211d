/**
 * Marking by several threads over shared memory. Each thread has a stack of its own and shares a pool of chunks of work: one
 * that has plenty while another has nothing gives a chunk away. The mark of a node is a plain byte: two threads may both
 * find a node unmarked and both follow its edges, which costs a little and changes nothing, while an atomic mark would cost
 * more than the second thread gains.
 *
 * ```
 *   control   OPEN     the number of the marking that is under way, or 0
 *             LOCK     1 while a thread has the pool and the counts below to itself
 *             JOINED   threads that take part
 *             IDLE     those of them that have nothing to do
 *             CHUNKS   chunks in the pool
 *             CHUNK_…  entries of a chunk
 * ```
 *
 * The marking is over when all who have joined are idle and the pool is empty. Who comes later finds it closed.
 *
 * The other threads are given the text of this function, so it stands alone: no imports, no inner functions.
 *
 * Source: Christine H. Flood, David Detlefs, Nir Shavit, Xiaolan Zhang, *Parallel Garbage Collection for Shared Memory
 * Multiprocessors*, 2001 (termination by a count of idle threads).
 */

import type { EdgeStore } from '../memory/edge-store.js';

/** What a thread needs to take part in a marking. Everything but the number is shared memory. */
export interface MarkingTask {
  /** Not 0, and another one each time. */
  readonly id: number;
  readonly control: Int32Array;
  /** Chunks of work, each preceded by its length. */
  readonly pool: Int32Array;
  /** A thread's own, with room for every node. */
  readonly stack: Int32Array;
  readonly marks: Uint8Array;
  readonly pair: Int32Array;
  readonly slab: Int32Array;
  /** How many entries the stack has already: the roots, for the thread that begins, and has joined before the others can. */
  readonly length: number;
  readonly isFirst: boolean;
}

const NO_POOL = new Int32Array(0);

export const CONTROL_LENGTH = 6;
export const OPEN = 0;
export const JOINED = 2;
export const IDLE = 3;
export const CHUNKS = 4;
export const CHUNK_ENTRIES = 5;
/** The most chunks in the pool. */
export const POOL_CHUNKS = 64;

/** Takes part until all that can be reached is marked. */
export function markInParallel(marking: MarkingTask): void {
  const { id, control, pool, stack, marks, pair, slab } = marking;
  const chunkEntries = control[5] as number;
  let top = marking.length;

  if (!marking.isFirst) {
    while (Atomics.compareExchange(control, 1, 0, 1) !== 0);
    const isOpen = control[0] === id;
    if (isOpen) Atomics.add(control, 2, 1);
    Atomics.store(control, 1, 0);
    if (!isOpen) return;
    Atomics.notify(control, 2);
  }

  for (;;) {
    let untilShare = 128;
    while (top > 0) {
      if (--untilShare === 0) {
        untilShare = 128;
        if (top > 1 && Atomics.load(control, 3) > Atomics.load(control, 4)) {
          const chunkLength = Math.min(chunkEntries, top >> 1);
          while (Atomics.compareExchange(control, 1, 0, 1) !== 0);
          const chunk = control[4] as number;
          if (chunk < 64) {
            const start = chunk * (chunkEntries + 1);
            pool[start] = chunkLength;
            // The oldest entries lead to the most; the newest take their places.
            for (let i = 0; i < chunkLength; i++) {
              pool[start + 1 + i] = stack[i] as number;
              stack[i] = stack[--top] as number;
            }
            Atomics.store(control, 4, chunk + 1);
          }
          Atomics.store(control, 1, 0);
        }
      }
      const node = stack[--top] as number;
      const first = pair[2 * node] as number;
      if (first > 0) {
        if (marks[first] === 0) {
          marks[first] = 1;
          stack[top++] = first;
        }
        const second = pair[2 * node + 1] as number;
        if (second > 0 && marks[second] === 0) {
          marks[second] = 1;
          stack[top++] = second;
        }
      } else if (first < 0) {
        const stop = ~first + 1 + (slab[~first] as number);
        for (let at = ~first + 1; at < stop; at++) {
          const target = slab[at] as number;
          if (marks[target] !== 0) continue;
          marks[target] = 1;
          stack[top++] = target;
        }
      }
    }

    Atomics.add(control, 3, 1);
    for (;;) {
      if (Atomics.load(control, 0) !== id) return;
      if (Atomics.load(control, 4) > 0 || Atomics.load(control, 3) === Atomics.load(control, 2)) {
        while (Atomics.compareExchange(control, 1, 0, 1) !== 0);
        const chunk = (control[4] as number) - 1;
        if (chunk >= 0) {
          const start = chunk * (chunkEntries + 1);
          top = pool[start] as number;
          for (let i = 0; i < top; i++) stack[i] = pool[start + 1 + i] as number;
          Atomics.store(control, 4, chunk);
          Atomics.sub(control, 3, 1);
        } else if (control[3] === control[2] && control[0] === id) {
          Atomics.store(control, 0, 0);
        }
        Atomics.store(control, 1, 0);
        if (top > 0) break;
      }
    }
  }
}

/** Marks what the nodes on the stack lead to, in this thread alone: with nobody idle, the pool stays empty. */
export function markSerially(
  stack: Int32Array,
  length: number,
  marks: Uint8Array,
  { pair, slab }: EdgeStore,
): void {
  const control = new Int32Array(CONTROL_LENGTH);
  control[OPEN] = 1;
  control[JOINED] = 1;
  markInParallel({
    id: 1,
    control,
    pool: NO_POOL,
    stack,
    marks,
    pair,
    slab,
    length,
    isFirst: true,
  });
}
