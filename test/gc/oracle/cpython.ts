/** Runs heap programs on the objects and the collector of CPython 3.11. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { HeapObservation, HeapProgram } from '../../../src/gc/index.js';

const ORACLE = fileURLToPath(new URL('oracle.py', import.meta.url));

/** Returns what CPython 3.11 observes, one observation per program. Needs `python3.11` on the path. */
export function runOnCPython(programs: readonly HeapProgram[]): HeapObservation[] {
  const input = programs.map((program) => JSON.stringify(program)).join('\n');
  const { status, stdout, stderr, error } = spawnSync('python3.11', [ORACLE], {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (error !== undefined) throw new Error('python3.11 could not be started', { cause: error });
  if (status !== 0) throw new Error(`the oracle failed: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as HeapObservation);
}
