/** The traces that are alive, and what they sum to. */
import { captureStack, isApplicationFrame, parseFrames } from '../../core/call-site.js';
import type { EntryPoint } from '../../core/probe.js';
import type { Trace, TraceFrame } from './trace.js';

/** Frames of this package and of the host that may lie within the application's. */
const OTHER_FRAMES = 12;

/** Bytes of all traces, in {@link Tracer.tracedMemory}. */
export interface TracedMemory {
  /** Bytes now. */
  readonly current: number;
  /** The most that there were, since the start or the last reset. */
  readonly peak: number;
}

/** A trace that is alive. The tracer and the component share it. */
export interface LiveTrace extends Trace {
  /** True once it has been removed. */
  ended: boolean;
}

export class Traces {
  readonly #live = new Set<LiveTrace>();
  /** Tracebacks by the stacks that they come from. Equal ones are kept once. */
  readonly #tracebacks = new Map<string, readonly TraceFrame[]>();
  /** How many lines are kept of each traceback; 0 while nothing is traced. */
  #frames = 0;
  #current = 0;
  #peak = 0;

  get frames(): number {
    return this.#frames;
  }

  get isTracing(): boolean {
    return this.#frames > 0;
  }

  get memory(): TracedMemory {
    return { current: this.#current, peak: this.#peak };
  }

  start(frames: number): void {
    this.#frames = frames;
    this.#tracebacks.clear();
  }

  stop(): void {
    this.#frames = 0;
    this.clear();
  }

  clear(): void {
    for (const trace of this.#live) trace.ended = true;
    this.#live.clear();
    this.#tracebacks.clear();
    this.#current = 0;
    this.#peak = 0;
  }

  resetPeak(): void {
    this.#peak = this.#current;
  }

  add(kind: string, size: number, traceback: readonly TraceFrame[]): LiveTrace {
    const trace = { kind, size, traceback, ended: false };
    this.#live.add(trace);
    this.#current += size;
    this.#peak = Math.max(this.#peak, this.#current);
    return trace;
  }

  remove(trace: LiveTrace): void {
    if (trace.ended) return;
    trace.ended = true;
    this.#live.delete(trace);
    this.#current -= trace.size;
  }

  /** Gives the application's lines that called `entry`. */
  tracebackOf(entry: EntryPoint): readonly TraceFrame[] {
    const stack = captureStack(entry, this.#frames + OTHER_FRAMES);
    let traceback = this.#tracebacks.get(stack);
    if (traceback === undefined) {
      const all = parseFrames(stack);
      const own = all.filter(isApplicationFrame);
      traceback = (own.length > 0 ? own : all)
        .slice(0, this.#frames)
        .map(({ file, line }) => ({ file, line }));
      this.#tracebacks.set(stack, traceback);
    }
    return traceback;
  }

  list(): Trace[] {
    return Array.from(this.#live, ({ kind, size, traceback }) => ({ kind, size, traceback }));
  }
}
