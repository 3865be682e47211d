/**
 * Tasks that run when the process ends, the newest first. A task may add a task while it runs; that one runs next. The
 * package listens for the host's exit only while there is a task.
 */
import { guardedCall } from '../core/guarded-call.js';
import { onProcessExit } from '../core/host.js';

/** A task of the exit queue. */
export interface ExitTask {
  /** Its number in the order of creation. */
  readonly birth: number;
  /** Cancels the task, then does its work. */
  run(): unknown;
}

const tasks = new Set<ExitTask>();
let stopListening: (() => void) | undefined;
/** Whether a task was added while the tasks run: it may be newer than the next one. */
let hasNewTask = false;

/** Adds `task`. O(1). */
export function runAtExit(task: ExitTask): void {
  tasks.add(task);
  hasNewTask = true;
  stopListening ??= onProcessExit(runAll);
}

/** Removes `task`. O(1). */
export function cancelAtExit(task: ExitTask): void {
  tasks.delete(task);
  if (tasks.size > 0) return;
  stopListening?.();
  stopListening = undefined;
}

function runAll(): void {
  while (tasks.size > 0) {
    hasNewTask = false;
    for (const task of [...tasks].sort((a, b) => b.birth - a.birth)) {
      if (hasNewTask) break;
      if (tasks.has(task)) guardedCall('a finalizer at exit', () => task.run());
    }
  }
}
