/**
 * Marking by several threads over shared memory.
 *
 * Each thread has a stack of its own, and all threads share a pool of chunks of work. A thread with plenty of work
 * gives a chunk to the pool while another thread is idle. The mark of a node is a plain byte. Two threads may both find
 * a node unmarked and both follow its edges, which costs a little and changes nothing. An atomic mark would cost more
 * than the second thread gains.
 *
 * ```
 *   control   OPEN     id of the current marking, or 0
 *             LOCK     1 while one thread uses the pool and changes the counts below
 *             JOINED   number of threads that take part
 *             IDLE     number of those that have nothing to do
 *             CHUNKS   number of chunks in the pool
 *             CHUNK_…  number of entries of a chunk
 * ```
 *
 * The marking is over when all threads that joined are idle and the pool is empty. A thread that comes later finds it
 * closed.
 *
 * The other threads receive the text of `markInParallel`. So the function uses no import and no other function, and
 * decodes edges itself.
 *
 * Source: Christine H. Flood, David Detlefs, Nir Shavit, Xiaolan Zhang, *Parallel Garbage Collection for Shared Memory
 * Multiprocessors*, 2001 (termination by a count of idle threads).
 */

import type { EdgeStore } from '../memory/edge-store.js';

/** Input of a thread that takes part in a marking. Everything except the id is shared memory. */
export interface MarkingTask {
  /** Number of the marking. Not 0, and different for each marking of a team. */
  readonly id: number;
  readonly control: Int32Array;
  /** Chunks of work. The length of a chunk precedes its entries. */
  readonly pool: Int32Array;
  /** Stack of this thread, with room for every node. */
  readonly stack: Int32Array;
  readonly marks: Uint8Array;
  readonly pair: Int32Array;
  readonly slab: Int32Array;
  /**
   * Number of entries on the stack at the start. The first thread begins with the roots, and has joined before the
   * others can.
   */
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
/** Maximum number of chunks in the pool. */
export const POOL_CHUNKS = 64;

/** Marks until everything reachable is marked. */
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
            // The oldest entries lead to the most nodes. The newest entries replace them.
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

/** Marks what the nodes on the stack lead to, in this thread alone. No thread is idle, so the pool stays empty. */
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
