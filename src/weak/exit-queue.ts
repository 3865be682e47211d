/**
 * What is to run when the process ends: the youngest first, including what is added by one that runs then. The host is
 * listened to only while something waits here.
 */
import { onProcessExit } from '../core/host.js';
import { runUnattended } from './run-unattended.js';

/** Something that runs at exit. */
export interface ExitTask {
  /** Its number in order of birth. */
  readonly birth: number;
  /** Cancels itself, then does what there is to do. */
  run(): unknown;
}

const waiting = new Set<ExitTask>();
let stopListening: (() => void) | undefined;
/** True if a task was added since the last look: it may be younger than all that were to run next. */
let grown = false;

/** Adds `task`. */
export function runAtExit(task: ExitTask): void {
  waiting.add(task);
  grown = true;
  stopListening ??= onProcessExit(runAll);
}

/** Takes `task` out. */
export function cancelAtExit(task: ExitTask): void {
  waiting.delete(task);
  if (waiting.size > 0) return;
  stopListening?.();
  stopListening = undefined;
}

function runAll(): void {
  while (waiting.size > 0) {
    grown = false;
    for (const task of [...waiting].sort((a, b) => b.birth - a.birth)) {
      if (grown) break;
      if (waiting.has(task)) runUnattended('a finalizer at exit', () => task.run());
    }
  }
}
