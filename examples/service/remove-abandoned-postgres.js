/**
 * Removes the Postgres in the folder that its argument names, when the program that has started it is gone: then the standard input ends. It
 * runs in a process of its own, since a program that is killed cannot do so itself.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const [, , home] = process.argv;

process.stdin.resume().once('end', () => {
  try {
    const [pid] = readFileSync(join(home, 'data/postmaster.pid'), 'utf8').split('\n');
    process.kill(Number(pid), 'SIGQUIT');
  } catch {
    // It has already stopped.
  }
  rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
});
