/**
 * Marks with the help of other threads, while the mutator is stopped. The memory that threads read, and the marks that
 * they write, are shared.
 *
 * The marker starts its threads when the heap is first large enough for them to pay off. Between markings, the threads
 * wait in their event loops. A marking never waits for a thread: a thread that is late, or has not started yet, finds
 * the work done. Without threads, or for a small heap, marking is serial, and the counters give the reason.
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
  /** Number of threads that help. */
  readonly helpers: number;
  /** Number of live nodes from which threads help. */
  readonly fromNodes: number;
  /**
   * Number of nodes that a thread hands over at once.
   *
   * @default 1024
   */
  readonly chunkEntries?: number;
  /**
   * Time to wait for the helpers before a marking, in milliseconds. Tests use it.
   *
   * @default 0
   */
  readonly waitMillis?: number;
}

/** Threads of one marker. They end when the marker is disposed of, or when V8 collects it. */
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
  /** One stack per thread. The first is that of the caller's thread. */
  #stacks: Int32Array[] = [];
  #markingId = 0;

  /** With helpers, the memory of the heap must be shared. */
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

  /** Returns true if at least one thread of the team took part. */
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

/** Returns the number of threads that can help, besides the caller's. */
export function availableHelpers(): number {
  return Math.min(MAX_HELPERS, threadsAtOnce() - 1);
}

/** Memory bandwidth limits marking, so more than a few threads gain little. */
const MAX_HELPERS = 3;

function sharedWords(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

function endWorkers(team: WorkerTeam): void {
  for (const thread of team.threads) thread.end();
}
