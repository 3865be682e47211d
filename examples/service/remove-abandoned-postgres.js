/**
 * Removes the Postgres in the folder that its argument names, when the program that has started it is gone: then the standard input ends. It
 * runs in a process of its own, since a program that is killed cannot do so itself.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** For how long Postgres may take to stop, in milliseconds. */
const PATIENCE_MILLIS = 10_000;
const LOOK_MILLIS = 20;

const [, , home] = process.argv;
const pidFile = join(home, 'data/postmaster.pid');

process.stdin.resume().once('end', async () => {
  stop();
  for (let waited = 0; existsSync(pidFile) && waited < PATIENCE_MILLIS; waited += LOOK_MILLIS) {
    await pause(LOOK_MILLIS);
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});

function stop() {
  try {
    const [pid] = readFileSync(pidFile, 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
  } catch {
    // It has already stopped.
  }
}
