/**
 * A sample of callers' stacks, for errors and reports.
 *
 * Capturing a stack costs 4 to 30 µs, up to 100 µs where V8 has inlined the callers, and a loan in the sample captures two. So at most
 * 64 loans between two ticks of the component's sweep are in the sample, and 16 while it is busy. A service with fewer loans a second
 * gets all its stacks; a busier one gets some, for less than a hundredth of its time.
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

/** How many stacks are captured between two ticks of the sweep. */
const STACKS_PER_TICK = 64;

/** A component with more calls than this between two ticks is busy: a sample has one call in a hundred at most. */
const BUSY_CALLS = 1_600;

/** How many stacks of a busy component are captured between two ticks. */
const STACKS_WHEN_BUSY = 16;

/** Decides which callers' stacks are captured. */
export class SiteSample {
  readonly #mode: CallSites;
  #stacksLeft: number;

  constructor(mode: CallSites) {
    this.#mode = mode;
    this.#stacksLeft = mode === 'none' ? 0 : STACKS_PER_TICK;
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

  /** Begins the sample of the next tick. `calls` were made since the last one. */
  tick(calls = 0): void {
    if (this.#mode === 'none') return;
    this.#stacksLeft = calls > BUSY_CALLS ? STACKS_WHEN_BUSY : STACKS_PER_TICK;
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
