/**
 * A sample of callers' stacks, for errors and reports.
 *
 * Capturing a stack costs 4 to 30 µs, up to 100 µs where V8 has inlined the callers, and a loan in the sample captures two. So at most
 * 64 loans in a second are in the sample, and 16 while the component is busy. A service with fewer loans a second gets all its stacks; a
 * busier one gets some, for less than a hundredth of its time. The pools of a keyed pool share one sample.
 */
import {
  applicationFrame,
  captureStack,
  type Frame,
  formatPosition,
  parseFrames,
} from './call-site.js';
import type { EntryPoint } from './probe.js';

/** Which callers have their call site captured. */
export type CallSites = 'sampled' | 'all' | 'none';

/** How long a sample lasts at least, in milliseconds: a second, less what a timer of a second may be early. */
const SAMPLE_MILLIS = 900;

/** How many stacks a sample has. */
const STACKS = 64;

/** A component with more calls than this in a sample is busy: the next one has one call in a hundred at most. */
const BUSY_CALLS = 1_600;

/** How many stacks the next sample of a busy component has. */
const STACKS_WHEN_BUSY = 16;

/** Decides which callers' stacks are captured. */
export class SiteSample {
  readonly #mode: CallSites;
  #stacksLeft: number;
  #calls = 0;
  /** When the sample began, in milliseconds. */
  #begunAt = Number.NEGATIVE_INFINITY;

  constructor(mode: CallSites) {
    this.#mode = mode;
    this.#stacksLeft = mode === 'none' ? 0 : STACKS;
  }

  /** Whether the next caller's stack would be captured. */
  get isOpen(): boolean {
    return this.#stacksLeft > 0;
  }

  /** The stack above `entry`, if it is in the sample. */
  take(entry: EntryPoint): string | undefined {
    if (this.#stacksLeft === 0) return undefined;
    if (this.#mode === 'sampled') this.#stacksLeft--;
    return captureStack(entry);
  }

  /** Begins a new sample, if the present one has lasted long enough. `calls` were made since this was called last. */
  tick(calls: number, now: number): void {
    this.#calls += calls;
    if (this.#mode === 'none' || now - this.#begunAt < SAMPLE_MILLIS) return;
    this.#stacksLeft = this.#calls > BUSY_CALLS ? STACKS_WHEN_BUSY : STACKS;
    this.#calls = 0;
    this.#begunAt = now;
  }
}

/** The innermost frame of a stack that is the application's own code. */
export function applicationLine(stack: string | undefined): Frame | undefined {
  return stack === undefined ? undefined : applicationFrame(parseFrames(stack));
}

/** ` at file:line:column` for the application's frame in a stack; empty if there is none. */
export function atLine(stack: string | undefined): string {
  const frame = applicationLine(stack);
  return frame === undefined ? '' : ` at ${formatPosition(frame)}`;
}
