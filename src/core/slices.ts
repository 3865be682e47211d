/**
 * Runs many short tasks without a long pause: at most a slice of {@link SLICE_MILLIS} between two turns of the event loop.
 *
 * V8 reports the deaths of objects in bulk, after a collection. A million dead entries, each with work to do, would stop the
 * process for a second.
 *
 * ```
 *   first task ──▶ run ──▶ run ──▶ …  slice used up ──▶ backlog ──next turn──▶ run ──▶ run ──▶ …
 * ```
 *
 * All callers share one slice, so many dying maps pause the process no longer than one does. The timer of a backlog does not
 * keep the process alive.
 */
import { hostSetTimeout } from './clock.js';
import { Deque } from './deque.js';

/** A task is one call of a handler. It must not throw. */
type Handler<H> = (held: H) => void;

/** Length of a slice, in milliseconds. A single task may exceed it. */
const SLICE_MILLIS = 1;

/** How many tasks run between two readings of the clock, which costs as much as a short task. */
const TASKS_PER_READING = 16;

/** Handlers and what they are called with, in turns. */
const backlog = new Deque<unknown>();

/** When the slice ends, on the clock of `performance`; `undefined` between slices. */
let sliceEnd: number | undefined;

let tasksUntilReading = 0;

/** Calls `handler(held)`, at once or in a later turn. Tasks run in the order of the calls. O(1). */
export function runInSlice<H>(handler: Handler<H>, held: H): void {
  if (backlog.length === 0 && hasTimeLeft()) handler(held);
  else runLater(handler, held);
}

/** Whether the current slice has time for a task. Asking opens a slice if none is open. O(1). */
export function hasTimeLeft(): boolean {
  if (sliceEnd === undefined) openSlice();
  if (--tasksUntilReading > 0) return true;
  tasksUntilReading = TASKS_PER_READING;
  if (performance.now() < (sliceEnd as number)) return true;
  tasksUntilReading = 0; // The slice stays over.
  return false;
}

/** Calls `handler(held)` in a later turn, behind all tasks that wait. O(1). */
export function runLater<H>(handler: Handler<H>, held: H): void {
  if (sliceEnd === undefined) openSlice();
  backlog.push(handler);
  backlog.push(held);
}

/** Opens a slice, which ends in the next turn. */
function openSlice(): void {
  sliceEnd = performance.now() + SLICE_MILLIS;
  tasksUntilReading = TASKS_PER_READING;
  const timer: unknown = hostSetTimeout(startNextSlice, 0);
  if (typeof timer === 'object') (timer as { unref?(): unknown }).unref?.();
}

function startNextSlice(): void {
  sliceEnd = undefined;
  if (backlog.length === 0) return;
  openSlice();
  while (backlog.length > 0 && hasTimeLeft()) {
    const handler = backlog.shift() as Handler<unknown>;
    handler(backlog.shift());
  }
}
