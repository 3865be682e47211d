/**
 * The lines of callers, for errors and reports to name.
 *
 * Taking a caller's line costs 4 to 12 µs, a hundred times as much as a loan. So the sample is bounded by time: so many
 * lines may be taken until the next tick of the sweep, which gives a service with fewer loans a second all of them, and a
 * busier one some of them for less than a thousandth of its time.
 */
import {
  applicationFrame,
  captureStack,
  type Frame,
  formatPosition,
  parseFrames,
} from '../../core/call-site.js';
import type { EntryPoint } from '../../core/probe.js';
import type { CallSites } from '../pool-options.js';

/** How many lines are taken from one tick of the sweep to the next. */
const LINES_PER_TICK = 64;

/** Decides whose lines are taken. */
export class SiteSample {
  readonly #mode: CallSites;
  #linesLeft: number;

  constructor(mode: CallSites) {
    this.#mode = mode;
    this.#linesLeft = mode === 'none' ? 0 : LINES_PER_TICK;
  }

  /** Whether the next caller's line would be taken. */
  get isOpen(): boolean {
    return this.#linesLeft > 0;
  }

  /** The stack above `entry`, if it is in the sample. */
  take(entry: EntryPoint): string | undefined {
    if (this.#linesLeft === 0) return undefined;
    if (this.#mode === 'sampled') this.#linesLeft--;
    return captureStack(entry);
  }

  /** Some time has passed. */
  tick(): void {
    if (this.#mode !== 'none') this.#linesLeft = LINES_PER_TICK;
  }
}

/** The line of the application in a stack. */
export function applicationLine(stack: string | undefined): Frame | undefined {
  return stack === undefined ? undefined : applicationFrame(parseFrames(stack));
}

/** ` at file:line:column` of the application's line in a stack, or nothing if there is none. */
export function atLine(stack: string | undefined): string {
  const frame = applicationLine(stack);
  return frame === undefined ? '' : ` at ${formatPosition(frame)}`;
}
