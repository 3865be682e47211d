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
  type Marking,
  markTogether,
  OPEN,
  POOL_CHUNKS,
} from './mark-together.js';
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
  readonly patienceMillis?: number;
}

/** The threads of one marker, which ends them when it is disposed of, or when it was forgotten and collected. */
interface Team {
  readonly threads: Thread[];
  readonly control: Int32Array;
  readonly pool: Int32Array;
  hasFailed: boolean;
}

const forgottenTeams = new FinalizationRegistry<Team>(endTeam);

export class ParallelMarker implements Marker {
  readonly #state: HeapState;
  readonly #serial: SerialMarker;
  readonly #helpers: number;
  readonly #fromNodes: number;
  readonly #patienceMillis: number;
  readonly #chunkEntries: number;
  #team: Team | null = null;
  #marks: Uint8Array = new Uint8Array(0);
  /** One a thread, this one's first. */
  #stacks: Int32Array[] = [];
  #number = 0;

  /** Where there are helpers, the heap's memory must be shared. */
  constructor(state: HeapState, options: ParallelMarkerOptions) {
    const { helpers, fromNodes, chunkEntries = 1_024, patienceMillis = 0 } = options;
    this.#state = state;
    this.#serial = new SerialMarker(state);
    this.#helpers = helpers;
    this.#fromNodes = fromNodes;
    this.#patienceMillis = patienceMillis;
    this.#chunkEntries = chunkEntries;
  }

  mark(): Uint8Array {
    const { counters } = this.#state;
    const reason = this.#reasonNotTo();
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
    forgottenTeams.unregister(this);
    endTeam(this.#team);
    this.#team = null;
  }

  #reasonNotTo(): SerialReason {
    if (this.#state.counters.live < this.#fromNodes) return 'small-heap';
    if (this.#helpers === 0 || this.#team?.hasFailed === true) return 'no-threads';
    return 'none';
  }

  #startTeam(): Team {
    const team: Team = {
      threads: [],
      control: sharedWords(CONTROL_LENGTH),
      pool: sharedWords(POOL_CHUNKS * (this.#chunkEntries + 1)),
      hasFailed: false,
    };
    team.control[CHUNK_ENTRIES] = this.#chunkEntries;
    const program = markTogether.toString();
    for (let i = 0; i < this.#helpers && !team.hasFailed; i++) {
      const thread = startThread(program, () => {
        team.hasFailed = true;
      });
      if (thread === undefined) team.hasFailed = true;
      else team.threads.push(thread);
    }
    forgottenTeams.register(this, team, this);
    this.#team = team;
    return team;
  }

  /** True if a thread of the team took part. */
  #markWithTeam({ threads, control, pool }: Team): boolean {
    this.#fitStore();
    const [stack, ...others] = this.#stacks;
    const { pair, slab } = this.#state.store.edges;
    this.#number = (this.#number % 0x7fff_fffe) + 1;
    const shared = { number: this.#number, control, pool, marks: this.#marks, pair, slab };
    const length = pushRoots(this.#state, this.#marks, stack as Int32Array);
    control[IDLE] = 0;
    control[CHUNKS] = 0;
    control[JOINED] = 1;
    Atomics.store(control, OPEN, this.#number);
    for (const [i, thread] of threads.entries()) {
      const part: Marking = {
        ...shared,
        stack: others[i] as Int32Array,
        length: 0,
        isFirst: false,
      };
      thread.post(part);
    }
    this.#awaitThreads(threads.length, control);
    markTogether({ ...shared, stack: stack as Int32Array, length, isFirst: true });
    return (control[JOINED] as number) > 1;
  }

  #awaitThreads(threads: number, control: Int32Array): void {
    const endsAt = performance.now() + this.#patienceMillis;
    for (let left = this.#patienceMillis; left > 0; left = endsAt - performance.now()) {
      const joined = Atomics.load(control, JOINED);
      if (joined > threads) return;
      Atomics.wait(control, JOINED, joined, left);
    }
  }

  #fitStore(): void {
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
export function helpersAvailable(): number {
  return Math.min(MOST_HELPERS, threadsAtOnce() - 1);
}

/** Marking is bound by memory: more threads than a few gain little. */
const MOST_HELPERS = 3;

function sharedWords(length: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
}

function endTeam(team: Team): void {
  for (const thread of team.threads) thread.end();
}
