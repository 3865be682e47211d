/**
 * Marks with the help of other threads. The mutator is stopped meanwhile; what the threads read of the heap, and the marks they
 * write, lie in shared memory.
 *
 * The threads are started when the heap is first large enough for them to be worth it, and wait in their event loops in
 * between. A marking never waits for a thread to arrive: who is late, or has not started yet, finds the work done.
 * Without threads, or for a small heap, marking is serial, and the counters say why.
 */
import { startThread, type Thread, threadsAtOnce } from '../../core/thread.js';
import type { HeapState } from '../heap-state.js';
import type { SerialReason } from '../heap-stats.js';
import {
  CHUNK_ENTRIES,
  CHUNKS,
  CONTROL_LENGTH,
  IDLE,
  JOINED,
  type MarkingTask,
  markInParallel,
  OPEN,
  POOL_CHUNKS,
} from './mark-in-parallel.js';
import { type Marker, SerialMarker } from './marker.js';
import { pushRoots } from './trace-roots.js';

export interface ParallelMarkerOptions {
  /** How many threads help. */
  readonly helpers: number;
  /** How many nodes have to be alive for that. */
  readonly fromNodes: number;
  /** How many nodes are handed over at once. */
  readonly chunkEntries?: number;
  /** How long to wait for the helpers before a marking, in milliseconds. */
  readonly waitMillis?: number;
}

/** The threads of one marker, which ends them when it is disposed of, or when it was forgotten and collected. */
interface WorkerTeam {
  readonly threads: Thread[];
  readonly control: Int32Array;
  readonly pool: Int32Array;
  hasFailed: boolean;
}

const abandonedTeams = new FinalizationRegistry<WorkerTeam>(endWorkers);

export class ParallelMarker implements Marker {
  readonly #state: HeapState;
  readonly #serial: SerialMarker;
  readonly #helpers: number;
  readonly #fromNodes: number;
  readonly #waitMillis: number;
  readonly #chunkEntries: number;
  #team: WorkerTeam | null = null;
  #marks: Uint8Array = new Uint8Array(0);
  /** One a thread, this one's first. */
  #stacks: Int32Array[] = [];
  #markingId = 0;

  /** Where there are helpers, the heap's memory must be shared. */
  constructor(state: HeapState, options: ParallelMarkerOptions) {
    const { helpers, fromNodes, chunkEntries = 1_024, waitMillis = 0 } = options;
    this.#state = state;
    this.#serial = new SerialMarker(state);
    this.#helpers = helpers;
    this.#fromNodes = fromNodes;
    this.#waitMillis = waitMillis;
    this.#chunkEntries = chunkEntries;
  }

  mark(): Uint8Array {
    const { counters } = this.#state;
    const reason = this.#serialReason();
    if (reason !== 'none') {
      counters.serialReason = reason;
      return this.#serial.mark();
    }
    const helped = this.#markWithTeam(this.#team ?? this.#startTeam());
    if (helped) counters.parallelMarks++;
    else counters.serialMarks++;
    counters.serialReason = helped ? 'none' : 'threads-late';
    return this.#marks;
  }

  dispose(): void {
    if (this.#team === null) return;
    abandonedTeams.unregister(this);
    endWorkers(this.#team);
    this.#team = null;
  }

  #serialReason(): SerialReason {
    if (this.#state.counters.live < this.#fromNodes) return 'small-heap';
    if (this.#helpers === 0 || this.#team?.hasFailed === true) return 'no-threads';
    return 'none';
  }

  #startTeam(): WorkerTeam {
    const team: WorkerTeam = {
      threads: [],
      control: sharedWords(CONTROL_LENGTH),
      pool: sharedWords(POOL_CHUNKS * (this.#chunkEntries + 1)),
      hasFailed: false,
    };
    team.control[CHUNK_ENTRIES] = this.#chunkEntries;
    const program = markInParallel.toString();
    for (let i = 0; i < this.#helpers && !team.hasFailed; i++) {
      const thread = startThread(program, () => {
        team.hasFailed = true;
      });
      if (thread === undefined) team.hasFailed = true;
      else team.threads.push(thread);
    }
    abandonedTeams.register(this, team, this);
    this.#team = team;
    return team;
  }

  /** True if a thread of the team took part. */
  #markWithTeam({ threads, control, pool }: WorkerTeam): boolean {
    this.#growToStore();
    const [stack, ...others] = this.#stacks;
    const { pair, slab } = this.#state.store.edges;
    this.#markingId = (this.#markingId % 0x7fff_fffe) + 1;
    const shared = { id: this.#markingId, control, pool, marks: this.#marks, pair, slab };
    const length = pushRoots(this.#state, this.#marks, stack as Int32Array);
    control[IDLE] = 0;
    control[CHUNKS] = 0;
    control[JOINED] = 1;
    Atomics.store(control, OPEN, this.#markingId);
    for (const [i, thread] of threads.entries()) {
      const part: MarkingTask = {
        ...shared,
        stack: others[i] as Int32Array,
        length: 0,
        isFirst: false,
      };
      thread.post(part);
    }
    this.#waitForThreads(threads.length, control);
    markInParallel({ ...shared, stack: stack as Int32Array, length, isFirst: true });
    return (control[JOINED] as number) > 1;
  }

  #waitForThreads(threads: number, control: Int32Array): void {
    const endsAt = performance.now() + this.#waitMillis;
    for (let left = this.#waitMillis; left > 0; left = endsAt - performance.now()) {
      const joined = Atomics.load(control, JOINED);
      if (joined > threads) return;
      Atomics.wait(control, JOINED, joined, left);
    }
  }

  #growToStore(): void {
    const { capacity, end } = this.#state.store;
    if (this.#marks.length >= end) {
      this.#marks.fill(0);
      return;
    }
    this.#marks = new Uint8Array(new SharedArrayBuffer(capacity));
    this.#stacks = Array.from({ length: this.#helpers + 1 }, () => sharedWords(capacity));
  }
}

/** How many threads can help, besides this one. */
export function availableHelpers(): number {
  return Math.min(MAX_HELPERS, threadsAtOnce() - 1);
}

/** Marking is bound by memory: more threads than a few gain little. */
const MAX_HELPERS = 3;

function sharedWords(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

function endWorkers(team: WorkerTeam): void {
  for (const thread of team.threads) thread.end();
}
